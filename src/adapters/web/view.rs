//! Messages, replies and boards as the API shows them to one member.

use serde_json::{Value, json};

use crate::domain::ids::ChannelId;
use crate::domain::message::Message;
use crate::domain::score::show_points;
use crate::domain::text::Standing;
use crate::store::web::{Viewer, WebMessage};

const PLATFORM: &str = "web:";
/// All of the web chat is one group.
pub const GROUP: &str = "web";

pub fn channel_name(id: &ChannelId) -> &str {
    id.as_str().strip_prefix(PLATFORM).unwrap_or(id.as_str())
}

pub fn channel_id(name: &str) -> ChannelId {
    ChannelId::new(format!("{PLATFORM}{name}"))
}

pub fn message(message: &WebMessage, viewer: &Viewer) -> Value {
    let bot = message.author.is_none();
    let shown: Option<Message> = if bot && !message.deleted { serde_json::from_str(&message.body).ok() } else { None };
    let text = (!bot && !message.deleted).then_some(&message.body);
    json!({
        "id": message.id,
        "seq": message.seq,
        "rev": message.rev,
        "channel": channel_name(&message.channel),
        "thread": message.thread,
        "author": {
            "id": message.author.as_ref().map_or("bot", |author| author.as_str()),
            "name": if bot { "drillbot" } else { message.author_name.as_deref().unwrap_or("somebody who left") },
            "bot": bot,
        },
        "mine": message.author.as_ref() == Some(&viewer.member),
        "private": !message.audience.is_empty(),
        "text": text,
        "message": shown,
        "at": message.at,
        "edited_at": message.edited_at,
        "deleted": message.deleted,
        "mark": (!message.mark.is_empty()).then_some(&message.mark),
        "replies": message.replies,
    })
}

pub fn standing(line: &Standing) -> Value {
    json!({
        "rank": line.rank,
        "name": line.name,
        "points": show_points(line.points),
        "answered": line.answered,
        "streak": line.streak,
        "you": line.you,
    })
}
