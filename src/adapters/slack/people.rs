//! Who the people of a workspace are: Slack's messages name them by their ids only.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::ids::member_id;
use super::{Slack, Workspace};
use crate::app::inbox::Hears;

/// People who are known beside the database.
const PEOPLE: usize = 50_000;
const JUST_NOW: Duration = Duration::from_secs(5);

/// What Slack says of somebody.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub name: String,
    /// Looks after the workspace.
    pub organiser: bool,
    pub asked: Instant,
}

impl Slack {
    /// What a member is called; Slack's messages do not say. Only of somebody who was never heard of it is asked at once.
    pub(super) async fn name(&self, workspace: &Workspace, user: &str) -> Option<String> {
        let id = member_id(&workspace.team, user);
        if let Some(known) = self.called(&id, None) {
            return Some(known);
        }
        match self.app().member_name(&id).await {
            Ok(Some(known)) if known != user => Some(known),
            _ => self.person(workspace, user).await.map(|person| person.name),
        }
    }

    /// Who a member is, by what was asked lately.
    pub(super) async fn person(&self, workspace: &Workspace, user: &str) -> Option<Person> {
        match self.known(workspace, user) {
            Some(known) if known.asked.elapsed() < self.patience().names => Some(known),
            _ => self.ask_person(workspace, user).await,
        }
    }

    /// Whether a member looks after the workspace. Who has just been made its admin does not wait.
    pub(super) async fn organiser(&self, workspace: &Workspace, user: &str) -> Option<bool> {
        match self.person(workspace, user).await? {
            person if person.organiser || person.asked.elapsed() < JUST_NOW => Some(person.organiser),
            _ => Some(self.ask_person(workspace, user).await?.organiser),
        }
    }

    fn known(&self, workspace: &Workspace, user: &str) -> Option<Person> {
        let people = self.0.people.lock().unwrap_or_else(PoisonError::into_inner);
        people.get(member_id(&workspace.team, user).as_str()).cloned()
    }

    /// Who a member is now.
    pub(super) async fn ask_person(&self, workspace: &Workspace, user: &str) -> Option<Person> {
        #[derive(Deserialize)]
        struct Found {
            user: User,
        }
        #[derive(Deserialize)]
        struct User {
            #[serde(default)]
            name: String,
            #[serde(default)]
            team_id: String,
            #[serde(default)]
            enterprise_user: Option<Enterprise>,
            #[serde(default)]
            profile: Profile,
            #[serde(default)]
            is_admin: bool,
            #[serde(default)]
            is_owner: bool,
        }
        #[derive(Deserialize)]
        struct Enterprise {
            #[serde(default)]
            teams: Vec<String>,
        }
        #[derive(Default, Deserialize)]
        struct Profile {
            #[serde(default)]
            display_name: String,
            #[serde(default)]
            real_name: String,
        }
        let found: Found = self.api().get(&workspace.token, "users.info", &[("user", user.to_owned())]).await.ok()?;
        let User { name, team_id, enterprise_user, profile, is_admin, is_owner } = found.user;
        let names = [profile.display_name, profile.real_name, name];
        let name = names.into_iter().find(|name| !name.trim().is_empty())?;
        // In a channel that workspaces share there are admins of others.
        let of_here =
            team_id == workspace.team || enterprise_user.is_some_and(|all| all.teams.contains(&workspace.team));
        let person = Person { name, organiser: of_here && (is_admin || is_owner), asked: Instant::now() };
        let mut people = self.0.people.lock().unwrap_or_else(PoisonError::into_inner);
        if people.len() >= PEOPLE {
            people.clear();
        }
        people.insert(member_id(&workspace.team, user).to_string(), person.clone());
        Some(person)
    }
}
