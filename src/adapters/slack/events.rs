//! What Slack's events mean for the drill. Hearing one never waits: messages go to the inbox, what happens to channels and workspaces to a
//! list that one task works off in order, and what people press becomes tasks of their own.
//! Source: <https://docs.slack.dev/reference/events>.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use tokio::sync::mpsc;

use super::ids::{Spot, Target, member_id, micros};
use super::{Slack, interactions, words};
use crate::app::inbox::{FOR_GOOD, Hears, News, What};
use crate::domain::ids::ChannelId;
use crate::domain::text::trouble;

/// How long something is young after a card was posted, microseconds: its thread may be there and not noted yet.
const YOUNG: i64 = 600_000_000;

/// What kind of thing Slack delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    Event,
    Command,
    Interaction,
}

/// What hears: clones share everything.
#[derive(Clone)]
pub(super) struct Ears {
    pub slack: Slack,
}

/// Something that happened to a channel or a workspace.
#[derive(Debug)]
pub(super) enum Change {
    Renamed {
        id: ChannelId,
        name: String,
    },
    MayBeBack {
        id: ChannelId,
    },
    /// Somebody came to a channel: the bot, perhaps.
    Joined {
        id: ChannelId,
        team: String,
        user: String,
    },
    Gone {
        id: ChannelId,
        gone: Gone,
    },
    Deleted {
        id: ChannelId,
    },
    /// The app was removed, unix milliseconds.
    Removed {
        team: String,
        at: i64,
    },
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Gone {
    Archived,
    Left,
    /// A private channel: now it looks as if it did not exist.
    Hidden,
}

#[derive(Deserialize)]
struct Callback {
    #[serde(default)]
    team_id: String,
    #[serde(default)]
    authorizations: Vec<Authorization>,
    /// Unix seconds, rounded down.
    #[serde(default)]
    event_time: i64,
    event: Value,
}

#[derive(Deserialize)]
struct Authorization {
    #[serde(default)]
    team_id: Option<String>,
}

#[derive(Default, Deserialize)]
struct Message {
    #[serde(default)]
    ts: String,
    #[serde(default)]
    thread_ts: Option<String>,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    bot_id: Option<String>,
    #[serde(default)]
    subtype: Option<String>,
    #[serde(default)]
    text: String,
    #[serde(default)]
    edited: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct MessageEvent {
    channel: String,
    /// When it happened.
    #[serde(default)]
    event_ts: String,
    #[serde(default)]
    subtype: Option<String>,
    #[serde(default)]
    deleted_ts: Option<String>,
    #[serde(default)]
    message: Option<Message>,
    #[serde(default)]
    previous_message: Option<Message>,
}

impl Ears {
    /// A connection began.
    pub fn begun(&self) {
        self.slack.inbox().read_again();
        self.slack.try_lost_channels();
    }

    /// Takes in one thing; what is given back goes into the acknowledgement.
    pub fn hear(&self, delivery: Delivery, payload: Value) -> Option<Value> {
        match delivery {
            Delivery::Event => {
                self.event(payload);
                None
            }
            Delivery::Command => {
                interactions::command(&self.slack, payload);
                None
            }
            Delivery::Interaction => interactions::interaction(&self.slack, payload),
        }
    }

    fn event(&self, payload: Value) {
        let callback: Callback = match serde_json::from_value(payload) {
            Ok(callback) => callback,
            Err(error) => return tracing::warn!(%error, "an event of Slack's cannot be read"),
        };
        // In a channel that workspaces share, the event comes for the one that has the app.
        let installed = callback.authorizations.into_iter().next().and_then(|one| one.team_id);
        let team = installed.unwrap_or(callback.team_id);
        let event = callback.event;
        let text = |key: &str| event.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        // To the second below where an event has no time of its own; what came before must not undo what followed.
        let at = || match micros(&text("event_ts")) / 1_000 {
            0 => (callback.event_time + 1) * 1_000,
            at => at,
        };
        let channel = || Spot { team: &team, channel: &text("channel") }.id();
        match text("type").as_str() {
            "message" => self.message(&team, event),
            "channel_rename" | "group_rename" => {
                let of = |key: &str| event["channel"][key].as_str().unwrap_or_default().to_owned();
                let id = Spot { team: &team, channel: &of("id") }.id();
                self.note(Change::Renamed { id, name: of("name") });
            }
            "channel_unarchive" | "group_unarchive" => self.note(Change::MayBeBack { id: channel() }),
            "member_joined_channel" => {
                self.note(Change::Joined { id: channel(), team: team.clone(), user: text("user") });
            }
            "channel_archive" | "group_archive" => self.note(Change::Gone { id: channel(), gone: Gone::Archived }),
            "channel_left" => self.note(Change::Gone { id: channel(), gone: Gone::Left }),
            "group_left" => self.note(Change::Gone { id: channel(), gone: Gone::Hidden }),
            "channel_deleted" | "group_deleted" => self.note(Change::Deleted { id: channel() }),
            "app_uninstalled" => self.note(Change::Removed { at: at(), team: team.clone() }),
            // Those of people are none of ours.
            "tokens_revoked" if event["tokens"]["bot"].as_array().is_some_and(|all| !all.is_empty()) => {
                self.note(Change::Removed { at: at(), team: team.clone() });
            }
            "app_home_opened" if text("tab") == "home" => {
                interactions::home_opened(&self.slack, &team, &text("user"), event.get("view"));
            }
            _ => {}
        }
    }

    fn note(&self, change: Change) {
        if self.slack.0.changes.try_send(change).is_err() {
            tracing::warn!("too much happens in Slack at once; what is left out shows when something is sent there");
        }
    }

    fn message(&self, team: &str, event: Value) {
        let Ok(heard) = MessageEvent::deserialize(&event) else { return };
        let spot = Spot { team, channel: &heard.channel };
        match heard.subtype.as_deref() {
            Some("message_changed") => {
                if let Some(message) = heard.message {
                    self.changed(spot, message, micros(&heard.event_ts));
                }
            }
            Some("message_deleted") => {
                let before = heard.previous_message.unwrap_or_default();
                if let (Some(ts), Some(thread)) = (heard.deleted_ts, before.thread_ts) {
                    self.put(spot, &thread, &ts, FOR_GOOD, What::Deleted);
                }
            }
            _ => {
                if let Ok(message) = serde_json::from_value::<Message>(event) {
                    self.wrote(spot, message, 0);
                }
            }
        }
    }

    /// `version` is the instant of the change: what Slack says of an edit knows its second only.
    fn changed(&self, spot: Spot<'_>, message: Message, version: i64) {
        if message.subtype.as_deref() == Some("tombstone") {
            // Deleted, with something under it.
            if let Some(thread) = &message.thread_ts {
                self.put(spot, thread, &message.ts, FOR_GOOD, What::Deleted);
            }
            return;
        }
        // Without an edit only Slack has changed something: a preview of a link, the number of replies.
        if message.edited.is_none() {
            return;
        }
        if let (true, Some(thread)) = (message.text.trim().is_empty(), &message.thread_ts) {
            // Only a picture is left, say. Words may come back.
            return self.put(spot, thread, &message.ts, version, What::Deleted);
        }
        self.wrote(spot, message, version);
    }

    fn wrote(&self, spot: Spot<'_>, message: Message, version: i64) {
        let people =
            matches!(message.subtype.as_deref(), None | Some("thread_broadcast" | "file_share" | "me_message"));
        let (Some(user), Some(thread)) = (message.user, message.thread_ts) else { return };
        if !people || message.bot_id.is_some() || message.text.trim().is_empty() || thread == message.ts {
            return;
        }
        let what = What::Wrote {
            member: member_id(spot.team, &user),
            name: None,
            text: words::as_typed(&message.text),
            at: micros(&message.ts) / 1_000,
        };
        self.put(spot, &thread, &message.ts, version, what);
    }

    fn put(&self, spot: Spot<'_>, thread: &str, ts: &str, version: i64, what: What) {
        self.slack.inbox().put(News {
            thread: Target { spot, ts: thread }.thread(),
            message: Target { spot, ts }.part(),
            version,
            young: micros(ts) - micros(thread) < YOUNG,
            what,
        });
    }
}

/// Stores what happened to channels and workspaces, in the order in which it happened.
pub(super) async fn note_changes(slack: Slack, mut happened: mpsc::Receiver<Change>) {
    while let Some(change) = happened.recv().await {
        let app = Hears::app(&slack);
        let outcome = match &change {
            Change::Renamed { id, name } => app.channel_renamed(id, name).await,
            Change::MayBeBack { id } => {
                // For what was written there meanwhile.
                slack.inbox().read_again();
                app.channel_may_be_back(id).await
            }
            Change::Gone { id, gone } => {
                let name = app.channel_name(id).await.ok().flatten();
                let place = name.map_or_else(|| "the channel".to_owned(), |name| format!("#{name}"));
                let why = match gone {
                    Gone::Archived => trouble::archived(&place),
                    Gone::Left => trouble::not_in_channel(&place),
                    Gone::Hidden => trouble::channel_not_found(&place),
                };
                app.channel_gone(id, &why).await
            }
            Change::Deleted { id } => app.channel_deleted(id).await,
            Change::Joined { id, team, user } => {
                if !slack.is_me(team, user).await {
                    continue;
                }
                app.channel_may_be_back(id).await
            }
            Change::Removed { team, at } => {
                // The settings' token, if it is this workspace's: that is asked.
                slack.doubt_token();
                if slack.is_home(team) { Ok(()) } else { slack.uninstalled(team, *at).await }
            }
        };
        if let Err(error) = outcome {
            tracing::error!(error = format!("{error:#}"), "cannot store what happened in Slack");
        }
    }
}
