//! The App Home: published when somebody opens it or when what it shows has changed, and only when it shows something else then.
//! Source: <https://docs.slack.dev/surfaces/app-home>.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::time::Duration;

use serde_json::{Value, json};

use super::ticket::{Origin, patiently};
use crate::adapters::slack::ids::member_id;
use crate::adapters::slack::{Done, Slack, render};
use crate::app::App;
use crate::domain::ids::short_hash;

/// People whose Home is known; when there are more, what it shows is asked of Slack again.
const REMEMBERED: usize = 10_000;
/// How long a Home waits to learn what its owner is called.
const FOR_A_NAME: Duration = Duration::from_secs(2);

/// By the id of the member.
#[derive(Default)]
pub struct Homes(HashMap<String, Known>);

#[derive(Default)]
struct Known {
    /// The hash of what it shows; empty when nobody knows.
    shown: String,
    /// Slack has said what it shows since publishing began; whether that was before or after, nobody knows.
    told: bool,
    /// Being made now.
    busy: bool,
    /// Something has changed since that began.
    again: bool,
}

impl Homes {
    fn of(&mut self, id: &str) -> &mut Known {
        if self.0.len() >= REMEMBERED && !self.0.contains_key(id) {
            self.0.retain(|_, known| known.busy);
        }
        self.0.entry(id.to_owned()).or_default()
    }
}

/// Somebody looks at it; `view` is what Slack shows them now.
pub(in crate::adapters::slack) fn opened(slack: &Slack, team: &str, user: &str, view: Option<&Value>) {
    let shown = view.and_then(|view| view["private_metadata"].as_str()).unwrap_or_default();
    slack.homes(|homes| {
        let known = homes.of(member_id(team, user).as_str());
        shown.clone_into(&mut known.shown);
        known.told = true;
    });
    refresh(slack, team, user);
}

/// What somebody did may have changed what it shows.
pub(super) fn refresh(slack: &Slack, team: &str, user: &str) {
    let id = member_id(team, user);
    let begins = slack.homes(|homes| {
        let known = homes.of(id.as_str());
        known.again = known.busy;
        !std::mem::replace(&mut known.busy, true)
    });
    if !begins {
        return;
    }
    let (slack, team, user) = (slack.clone(), team.to_owned(), user.to_owned());
    tokio::spawn(async move {
        loop {
            slack.publish(&team, &user).await;
            let over = slack.homes(|homes| {
                let known = homes.of(id.as_str());
                known.busy = std::mem::take(&mut known.again);
                !known.busy
            });
            if over {
                return;
            }
        }
    });
}

impl Slack {
    fn homes<T>(&self, by: impl FnOnce(&mut Homes) -> T) -> T {
        by(&mut self.0.homes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn publish(&self, team: &str, user: &str) {
        let workspace = match self.workspace(team).await {
            Ok(workspace) => workspace,
            Err(failure) => return tracing::warn!(why = failure.why(), "an App Home cannot be shown"),
        };
        let name = tokio::time::timeout(FOR_A_NAME, self.name(&workspace, user)).await.ok().flatten();
        let actor = super::actor_called(&workspace, user, name.unwrap_or_else(|| "You".to_owned()), &Origin::default());
        let id = member_id(team, user);
        let before = self.homes(|homes| {
            let known = homes.of(id.as_str());
            known.told = false;
            known.shown.clone()
        });
        let pages = match self.app().home(&actor).await {
            Ok(pages) => pages,
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "cannot make an App Home");
                if !before.is_empty() {
                    return;
                }
                vec![App::try_again_later()]
            }
        };
        let pages: Vec<_> = pages.iter().map(|page| self.names().in_message(page)).collect();
        let mut view = render::home(&pages);
        let shown = short_hash(&[&view.to_string()]);
        if shown == before {
            return;
        }
        view["private_metadata"] = json!(shown);
        let body = json!({ "user_id": user, "view": view });
        let publish = || async { self.api().repeat::<Done>(&workspace.token, "views.publish", &body).await.map(drop) };
        match patiently(publish).await {
            Ok(()) => self.homes(|homes| {
                let known = homes.of(id.as_str());
                if !known.told {
                    known.shown = shown;
                }
            }),
            Err(failure) => tracing::warn!(why = failure.why(), "an App Home could not be shown"),
        }
    }
}
