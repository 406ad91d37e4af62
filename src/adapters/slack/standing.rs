//! Whether the bot still stands well with Slack: the token of the settings is good, and channels that were lost may be back. Slack tells
//! of neither a scope that was granted nor a restriction that was lifted, so lost channels are tried again now and then.

use tokio::sync::Notify;

use super::api::{Failure, Token};
use super::ids::space_id;
use super::socket::{Ended, backoff};
use super::{Done, PLATFORM, Slack};
use crate::domain::text::trouble;

/// Codes with which Slack refuses a bot's token, whatever it asks for.
pub(super) const TOKEN_REFUSED: [&str; 6] =
    ["invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type"];

/// What makes us ask.
#[derive(Default)]
pub(super) struct Bells {
    /// Something was refused as if the token were not good.
    doubt: Notify,
    /// Events may have been missed.
    missed: Notify,
}

impl Slack {
    /// The token may have been withdrawn.
    pub(super) fn doubt_token(&self) {
        self.0.bells.doubt.notify_one();
    }

    /// It may have been missed that a channel is back.
    pub(super) fn try_lost_channels(&self) {
        self.0.bells.missed.notify_one();
    }

    /// Ends when Slack refuses the settings' token for good: no sooner is anything sent again than somebody has given us another.
    pub(super) async fn withdrawn(&self) -> Ended {
        let Some(token) = self.0.settings.bot_token.as_deref().map(|token| Token::new("", token)) else {
            return std::future::pending().await;
        };
        let mut failures = 0;
        loop {
            let code = match self.api().get::<Done>(&token, "auth.test", &[]).await.map(drop) {
                Ok(()) => {
                    failures = 0;
                    self.0.bells.doubt.notified().await;
                    continue;
                }
                Err(Failure::Refused { code, .. }) if TOKEN_REFUSED.contains(&code.as_str()) => code,
                Err(failure) => {
                    failures += 1;
                    // What listens says that Slack is away.
                    tracing::debug!(why = failure.why(), "cannot ask Slack whether the token is good; trying again");
                    tokio::time::sleep(backoff(failures)).await;
                    continue;
                }
            };
            if let Ok(Some(home)) = self.home().await {
                let (space, why) = (space_id(&home.team), trouble::removed_from_workspace());
                if let Err(error) = self.app().space_gone(&space, &why).await {
                    tracing::error!(error = format!("{error:#}"), "cannot note that the app was removed");
                }
            }
            return Ended::BotToken { code };
        }
    }
}

/// Lets lost channels be tried again: at the start, after every break of a connection, and now and then.
pub(super) async fn try_lost_channels(slack: Slack) {
    loop {
        if let Err(error) = try_again(&slack).await {
            tracing::warn!(error = format!("{error:#}"), "cannot look for channels that may be back");
        }
        let _ = tokio::time::timeout(slack.patience().lost, slack.0.bells.missed.notified()).await;
    }
}

async fn try_again(slack: &Slack) -> anyhow::Result<()> {
    for space in slack.app().spaces(PLATFORM).await? {
        slack.app().space_may_be_back(&space).await?;
    }
    Ok(())
}
