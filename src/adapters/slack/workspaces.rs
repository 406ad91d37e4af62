//! Who has the app: the workspace of the settings' token, and those that installed it over OAuth.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::sync::OnceCell;

use super::Slack;
use super::api::{Failure, Token};
use super::ids::space_id;
use crate::domain::text::trouble;
use crate::store::slack as table;

/// How long what the database said of a workspace is good: another process may hear that the app was removed.
const FRESH: Duration = Duration::from_secs(60);

/// A workspace that has the app.
#[derive(Clone, Debug)]
pub(super) struct Workspace {
    pub team: String,
    pub token: Token,
    /// The bot as a user.
    pub user: String,
}

#[derive(Default)]
pub(super) struct Workspaces {
    home: OnceCell<Arc<Workspace>>,
    /// By the id of the workspace: those that installed the app, and when that was read.
    installed: Mutex<HashMap<String, (Arc<Workspace>, Instant)>>,
}

impl Slack {
    /// The workspace with this id.
    pub(super) async fn workspace(&self, team: &str) -> Result<Arc<Workspace>, Failure> {
        if let Some(home) = self.home().await?.filter(|home| home.team == team) {
            return Ok(home.clone());
        }
        let known = self.0.workspaces.installed.lock().unwrap_or_else(PoisonError::into_inner).get(team).cloned();
        if let Some((workspace, _)) = known.filter(|(_, read)| read.elapsed() < FRESH) {
            return Ok(workspace);
        }
        self.read_workspace(team).await
    }

    async fn read_workspace(&self, team: &str) -> Result<Arc<Workspace>, Failure> {
        let unknown = || Failure::Refused {
            code: "invalid_auth".to_owned(),
            why: "there is no token for this workspace".to_owned(),
        };
        let Some(oauth) = &self.0.settings.oauth else { return Err(unknown()) };
        let id = team.to_owned();
        let found = self
            .app()
            .store
            .read("look for a workspace", move |conn| Box::pin(async move { table::find(conn, &id).await }));
        let found =
            found.await.map_err(|error| Failure::Busy { after: Duration::from_secs(1), why: format!("{error:#}") })?;
        let Some(found) = found else {
            self.0.workspaces.forget(team);
            return Err(unknown());
        };
        let Some(token) = oauth.keys.open(team, &found.token) else {
            return Err(Failure::Refused {
                code: "invalid_auth".to_owned(),
                why: "this workspace's token was encrypted with another key".to_owned(),
            });
        };
        let workspace = Arc::new(Workspace { team: found.team, token: Token::new(team, &token), user: found.bot_user });
        self.0.workspaces.note(&workspace);
        Ok(workspace)
    }

    /// The workspace that the settings' token is for.
    pub(super) async fn home(&self) -> Result<Option<&Arc<Workspace>>, Failure> {
        #[derive(Deserialize)]
        struct Me {
            team_id: String,
            user_id: String,
        }
        let Some(token) = &self.0.settings.bot_token else { return Ok(None) };
        let ask = || async {
            let me: Me = self.api().get(&Token::new("", token), "auth.test", &[]).await?;
            let token = Token::new(&me.team_id, token);
            Ok(Arc::new(Workspace { token, team: me.team_id, user: me.user_id }))
        };
        self.0.workspaces.home.get_or_try_init(ask).await.map(Some)
    }

    /// Whether a user is the bot itself.
    pub(super) async fn is_me(&self, team: &str, user: &str) -> bool {
        self.workspace(team).await.is_ok_and(|workspace| workspace.user == user)
    }

    /// Whether the settings' token is for this workspace, as far as is known.
    pub(super) fn is_home(&self, team: &str) -> bool {
        self.0.workspaces.home.get().is_some_and(|home| home.team == team)
    }

    /// Keeps a new installation; its channels go on.
    pub(super) async fn installed(&self, team: &str, bot_user: &str, token: &str) -> anyhow::Result<()> {
        let oauth = self.0.settings.oauth.as_ref();
        let keys = &oauth.ok_or_else(|| anyhow::anyhow!("there is no key for tokens"))?.keys;
        let new =
            table::Installed { team: team.to_owned(), bot_user: bot_user.to_owned(), token: keys.seal(team, token)? };
        let now = self.app().clock.now_ms();
        let keep = self.app().store.write("keep an installation", move |conn| {
            let new = new.clone();
            Box::pin(async move { table::install(conn, &new, now).await })
        });
        keep.await?;
        let workspace = Workspace { team: team.to_owned(), token: Token::new(team, token), user: bot_user.to_owned() };
        self.0.workspaces.note(&Arc::new(workspace));
        tracing::info!(team, "the app was installed");
        self.app().space_may_be_back(&space_id(team)).await
    }

    /// The app was removed, unix milliseconds: the token goes, and nothing is sent there any more.
    pub(super) async fn uninstalled(&self, team: &str, at: i64) -> anyhow::Result<()> {
        self.0.workspaces.forget(team);
        let id = team.to_owned();
        let forget = self.app().store.write("forget an installation", move |conn| {
            let id = id.clone();
            Box::pin(async move {
                table::uninstall(conn, &id, at).await?;
                Ok(table::find(conn, &id).await?.is_some())
            })
        });
        if forget.await? {
            // It was installed again since.
            return Ok(());
        }
        tracing::info!(team, "the app was removed");
        self.app().space_gone(&space_id(team), &trouble::removed_from_workspace()).await
    }

    /// How many tokens are encrypted with the newest key now, and were not.
    async fn encrypt_anew(&self) -> anyhow::Result<usize> {
        let Some(oauth) = &self.0.settings.oauth else { return Ok(0) };
        let all = self.app().store.read("read installations", |conn| Box::pin(table::all(conn))).await?;
        let mut changed = 0;
        for table::Installed { team, token: old, .. } in all {
            if oauth.keys.is_current(&old) {
                continue;
            }
            let Some(token) = oauth.keys.open(&team, &old) else {
                tracing::error!(team, "a workspace's token was encrypted with a key that is not in slack.token_key");
                continue;
            };
            let new = oauth.keys.seal(&team, &token)?;
            let put = self.app().store.write("encrypt a token anew", move |conn| {
                let (team, old, new) = (team.clone(), old.clone(), new.clone());
                Box::pin(async move { table::encrypt_anew(conn, &team, &old, &new).await })
            });
            put.await?;
            changed += 1;
        }
        Ok(changed)
    }
}

/// Encrypts the tokens of workspaces with the newest key.
pub(super) async fn encrypt_anew(slack: Slack) {
    match slack.encrypt_anew().await {
        Ok(0) => {}
        Ok(changed) => tracing::info!(changed, "tokens of workspaces are encrypted with the new key"),
        Err(error) => tracing::error!(error = format!("{error:#}"), "tokens could not be encrypted anew"),
    }
}

impl Workspaces {
    fn note(&self, workspace: &Arc<Workspace>) {
        let mut installed = self.installed.lock().unwrap_or_else(PoisonError::into_inner);
        installed.insert(workspace.team.clone(), (workspace.clone(), Instant::now()));
    }

    fn forget(&self, team: &str) {
        self.installed.lock().unwrap_or_else(PoisonError::into_inner).remove(team);
    }
}
