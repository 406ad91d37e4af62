//! What Slack's events mean for the drill. Hearing one never waits: messages go to the inbox, what happens to channels and workspaces to a
//! list that one task works off in order, and what people press becomes tasks of their own.
//! Source: <https://docs.slack.dev/reference/events>.

use serde::Deserialize;
use serde_json::Value;
use tokio::sync::mpsc;

use super::ids::{Spot, Target, member_id, micros, space_id};
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
    pub changes: mpsc::Sender<Change>,
}

/// Something that happened to a channel or a workspace.
#[derive(Debug)]
pub(super) enum Change {
    Renamed { id: ChannelId, name: String },
    MayBeBack { id: ChannelId },
    Gone { id: ChannelId, gone: Gone },
    Deleted { id: ChannelId },
    Removed { space: String },
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Gone {
    Archived,
    Left,
}

#[derive(Deserialize)]
struct Callback {
    #[serde(default)]
    team_id: String,
    #[serde(default)]
    authorizations: Vec<Authorization>,
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
    edited: Option<Edited>,
}

#[derive(Deserialize)]
struct Edited {
    ts: String,
}

#[derive(Deserialize)]
struct MessageEvent {
    channel: String,
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
        let channel = || Spot { team: &team, channel: &text("channel") }.id();
        match text("type").as_str() {
            "message" => self.message(&team, event),
            "channel_rename" | "group_rename" => {
                let of = |key: &str| event["channel"][key].as_str().unwrap_or_default().to_owned();
                let id = Spot { team: &team, channel: &of("id") }.id();
                self.note(Change::Renamed { id, name: of("name") });
            }
            "channel_unarchive" | "group_unarchive" => self.note(Change::MayBeBack { id: channel() }),
            "member_joined_channel" if self.slack.is_me(&team, &text("user")) => {
                self.note(Change::MayBeBack { id: channel() });
            }
            "channel_archive" | "group_archive" => self.note(Change::Gone { id: channel(), gone: Gone::Archived }),
            "channel_left" | "group_left" => self.note(Change::Gone { id: channel(), gone: Gone::Left }),
            "channel_deleted" | "group_deleted" => self.note(Change::Deleted { id: channel() }),
            "app_uninstalled" | "tokens_revoked" => self.note(Change::Removed { space: space_id(&team) }),
            "app_home_opened" if text("tab") == "home" => {
                interactions::home_opened(&self.slack, &team, &text("user"), event.get("view"));
            }
            _ => {}
        }
    }

    fn note(&self, change: Change) {
        if self.changes.try_send(change).is_err() {
            tracing::warn!("too much happens in Slack at once; what is left out shows when something is sent there");
        }
    }

    fn message(&self, team: &str, event: Value) {
        let Ok(heard) = MessageEvent::deserialize(&event) else { return };
        let spot = Spot { team, channel: &heard.channel };
        match heard.subtype.as_deref() {
            Some("message_changed") => {
                if let Some(message) = heard.message {
                    self.changed(spot, message);
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

    fn changed(&self, spot: Spot<'_>, message: Message) {
        if message.subtype.as_deref() == Some("tombstone") {
            // Deleted, with something under it.
            if let Some(thread) = &message.thread_ts {
                self.put(spot, thread, &message.ts, FOR_GOOD, What::Deleted);
            }
            return;
        }
        // Without an edit only Slack has changed something: a preview of a link, the number of replies.
        let Some(version) = message.edited.as_ref().map(|edited| micros(&edited.ts)) else { return };
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
            name: self.slack.known_name(spot.team, &user),
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
            Change::MayBeBack { id } => app.channel_may_be_back(id).await,
            Change::Gone { id, gone } => {
                let name = app.channel_name(id).await.ok().flatten();
                let place = name.map_or_else(|| "the channel".to_owned(), |name| format!("#{name}"));
                let why = match gone {
                    Gone::Archived => trouble::archived(&place),
                    Gone::Left => trouble::not_in_channel(&place),
                };
                app.channel_gone(id, &why).await
            }
            Change::Deleted { id } => app.channel_deleted(id).await,
            Change::Removed { space } => app.space_gone(space, &trouble::removed_from_workspace()).await,
        };
        if let Err(error) = outcome {
            tracing::error!(error = format!("{error:#}"), "cannot store what happened in Slack");
        }
    }
}
