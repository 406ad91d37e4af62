//! The model as Slack shows it on the wire: JSON for answers, events and interactions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::model::{Channel, Id, Kind, Message, Model, Team, User, View, now_s};

pub fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}

fn optional<T: ToString>(it: Option<T>) -> Value {
    it.map_or(Value::Null, |it| json!(it.to_string()))
}

pub fn user(it: &User) -> Value {
    let mut names = it.real_name.splitn(2, ' ');
    json!({
        "id": it.id.to_string(), "team_id": it.team.to_string(), "name": it.name, "deleted": it.deactivated,
        "color": "9f69e7", "real_name": it.real_name, "tz": it.zone, "tz_label": it.zone, "tz_offset": 0,
        "profile": {
            "title": "", "phone": "", "skype": "", "real_name": it.real_name,
            "real_name_normalized": it.real_name, "display_name": it.display_name,
            "display_name_normalized": it.display_name, "status_text": "", "status_emoji": "",
            "status_expiration": 0, "avatar_hash": "g1234567890", "team": it.team.to_string(),
            "first_name": names.next(), "last_name": names.next().unwrap_or_default(),
            "image_24": "https://secure.gravatar.com/avatar/1.png", "image_32": "https://secure.gravatar.com/avatar/1.png",
            "image_48": "https://secure.gravatar.com/avatar/1.png", "image_72": "https://secure.gravatar.com/avatar/1.png",
            "image_192": "https://secure.gravatar.com/avatar/1.png", "image_512": "https://secure.gravatar.com/avatar/1.png",
        },
        "is_admin": it.admin || it.owner, "is_owner": it.owner, "is_primary_owner": it.owner,
        "is_restricted": it.guest, "is_ultra_restricted": false, "is_bot": it.bot, "is_app_user": false,
        "updated": now_s(), "is_email_confirmed": true, "who_can_share_contact_card": "EVERYONE", "locale": "en-GB",
    })
}

/// A person in an interaction.
pub fn actor(it: &User) -> Value {
    json!({
        "id": it.id.to_string(), "username": it.name, "name": it.name, "team_id": it.team.to_string(),
    })
}

pub fn team(it: &Team) -> Value {
    json!({
        "id": it.id.to_string(), "name": it.name, "domain": it.domain, "email_domain": "", "enterprise_id": null,
        "icon": {"image_34": "https://a.slack-edge.com/1.png", "image_default": true},
        "url": format!("https://{}.slack.com/", it.domain),
    })
}

pub fn channel(model: &Model, it: &Channel, seen_by: Id) -> Value {
    let others = |all: &BTreeSet<Id>| all.iter().map(Id::to_string).collect::<Vec<String>>();
    let mut shown = json!({
        "id": it.id.to_string(), "created": it.created_s, "is_archived": it.archived, "is_org_shared": false,
        "updated": it.created_s * 1000, "context_team_id": it.team.to_string(), "is_im": it.kind == Kind::Direct,
    });
    if let Some(with) = it.with {
        let gone = model.users.get(&with).is_none_or(|user| user.deactivated);
        let more = json!({"user": with.to_string(), "is_user_deleted": gone, "priority": 0});
        merge(&mut shown, more);
        return shown;
    }
    let ext = !it.shared_with.is_empty();
    let more = json!({
        "name": it.name, "name_normalized": it.name, "is_channel": it.kind == Kind::Public,
        "is_group": it.kind == Kind::Private, "is_mpim": false, "is_private": it.kind == Kind::Private,
        "is_general": false, "unlinked": 0, "is_frozen": false, "is_shared": ext, "is_ext_shared": ext,
        "is_pending_ext_shared": false, "pending_shared": [], "parent_conversation": null,
        "creator": optional(it.members.iter().next()), "shared_team_ids": [it.team.to_string()],
        "connected_team_ids": others(&it.shared_with), "is_member": it.members.contains(&seen_by),
        "topic": {"value": "", "creator": "", "last_set": 0}, "purpose": {"value": "", "creator": "", "last_set": 0},
        "previous_names": [], "num_members": it.members.len(),
    });
    merge(&mut shown, more);
    shown
}

/// `channel`, `group` or `im`, as events of messages say.
pub fn channel_type(it: &Channel) -> &'static str {
    match it.kind {
        Kind::Public => "channel",
        Kind::Private => "group",
        Kind::Direct => "im",
    }
}

fn bot_profile(model: &Model, bot_id: Id, team: Id) -> Value {
    json!({
        "id": bot_id.to_string(), "deleted": false, "name": "Drillbot", "updated": 1_600_000_000,
        "app_id": model.app.id.to_string(), "team_id": team.to_string(),
        "icons": {"image_36": "https://a.slack-edge.com/36.png", "image_48": "https://a.slack-edge.com/48.png"},
    })
}

/// A message as history, replies and events show it.
pub fn message(model: &Model, it: &Message, with_metadata: bool) -> Value {
    let home = model.users.get(&it.user).map(|user| user.team);
    let team = home.or_else(|| model.channels.get(&it.channel).map(|channel| channel.team));
    let mut shown = json!({
        "type": "message", "user": it.user.to_string(), "text": it.text, "ts": it.ts.to_string(), "team": optional(team),
    });
    if let Some(subtype) = it.subtype {
        shown["subtype"] = json!(subtype);
    }
    match it.bot_id {
        Some(bot_id) => {
            let more = json!({
                "bot_id": bot_id.to_string(), "app_id": model.app.id.to_string(),
                "bot_profile": bot_profile(model, bot_id, team.unwrap_or(bot_id)),
            });
            merge(&mut shown, more);
        }
        None => {
            shown["client_msg_id"] = json!(format!(
                "00000000-0000-4000-8000-{:0>12}",
                it.ts.to_string().replace('.', "").get(4..).unwrap_or_default()
            ))
        }
    }
    if !it.blocks.is_empty() {
        shown["blocks"] = json!(it.blocks);
    }
    if let Some((by, at)) = it.edited {
        // Slack says in which second, no more.
        let at = at.to_string();
        let second = at.split('.').next().unwrap_or_default();
        shown["edited"] = json!({"user": by.to_string(), "ts": format!("{second}.000000")});
    }
    if !it.reactions.is_empty() {
        let mut all: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (name, by) in &it.reactions {
            all.entry(name).or_default().push(by.to_string());
        }
        let show = |(name, users): (&str, Vec<String>)| json!({"name": name, "count": users.len(), "users": users});
        shown["reactions"] = Value::Array(all.into_iter().map(show).collect());
    }
    if let Some(metadata) = it.metadata.as_ref().filter(|_| with_metadata) {
        shown["metadata"] = metadata.clone();
    }
    if it.only_for.is_some() {
        shown["is_ephemeral"] = json!(true);
    }
    thread_fields(model, it, &mut shown);
    shown
}

fn thread_fields(model: &Model, it: &Message, shown: &mut Value) {
    let Some(thread) = it.thread.or_else(|| model.has_replies(it.spot()).then_some(it.ts)) else { return };
    shown["thread_ts"] = json!(thread.to_string());
    let first = model.messages.get(&super::model::Spot { channel: it.channel, ts: thread });
    if thread != it.ts {
        shown["parent_user_id"] = optional(first.map(|first| first.user));
        return;
    }
    let replies: Vec<&Message> = model.in_thread(it.spot()).filter(|one| one.is_reply()).collect();
    let who: BTreeSet<String> = replies.iter().map(|one| one.user.to_string()).collect();
    let more = json!({
        "reply_count": replies.len(), "reply_users_count": who.len(), "reply_users": who,
        "latest_reply": optional(replies.last().map(|one| one.ts)), "is_locked": false, "subscribed": false,
    });
    merge(shown, more);
}

/// A view with what Slack adds to it.
pub fn view(model: &Model, it: &View) -> Value {
    let mut shown = it.form.clone();
    let values: BTreeMap<&String, BTreeMap<&String, &Value>> =
        it.values.iter().map(|(block, all)| (block, all.iter().collect())).collect();
    let bot_id = model.install_of(it.team).map(|install| install.bot_id);
    let more = json!({
        "id": it.id.to_string(), "team_id": it.team.to_string(), "state": {"values": values}, "hash": it.hash,
        "root_view_id": it.root.to_string(), "previous_view_id": optional(it.previous),
        "app_id": model.app.id.to_string(), "app_installed_team_id": it.team.to_string(), "bot_id": optional(bot_id),
    });
    merge(&mut shown, more);
    for name in ["private_metadata", "callback_id", "external_id"] {
        if shown[name].is_null() {
            shown[name] = json!("");
        }
    }
    for name in ["clear_on_close", "notify_on_close"] {
        if shown[name].is_null() {
            shown[name] = json!(false);
        }
    }
    if !it.home {
        for name in ["submit", "close"] {
            if shown[name].is_null() {
                shown[name] = Value::Null;
            }
        }
    }
    shown
}

/// What every interaction begins with.
pub fn interaction(model: &Model, kind: &str, team: Id, by: Id) -> Value {
    let named = model.teams.get(&team).map(|team| team.domain.as_str());
    json!({
        "type": kind, "token": model.app.verification_token, "api_app_id": model.app.id.to_string(),
        "team": {"id": team.to_string(), "domain": named}, "user": model.users.get(&by).map(actor),
        "enterprise": null, "is_enterprise_install": false,
    })
}

pub fn named_channel(it: &Channel) -> Value {
    let name = match it.kind {
        Kind::Public => it.name.as_str(),
        Kind::Private => "privategroup",
        Kind::Direct => "directmessage",
    };
    json!({"id": it.id.to_string(), "name": name})
}

pub fn authorization(team: Id, bot: Id) -> Value {
    json!({
        "enterprise_id": null, "team_id": team.to_string(), "user_id": bot.to_string(), "is_bot": true,
        "is_enterprise_install": false,
    })
}
