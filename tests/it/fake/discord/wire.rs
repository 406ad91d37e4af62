//! The model as Discord shows it on the wire: JSON for REST answers and gateway events.

use serde_json::{Value, json};

use super::model::{
    ANNOUNCEMENT, Channel, DM, FORUM, Guild, HAS_THREAD, Id, Interaction, Message, Model, Permissions, REPLY, Role,
    THREAD_STARTER, made_ms,
};

/// The locale of everybody.
const LOCALE: &str = "en-GB";

pub fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map(|time| time.to_string()).unwrap_or_default()
}

fn ids<'a>(all: impl IntoIterator<Item = &'a Id>) -> Vec<String> {
    all.into_iter().map(Id::to_string).collect()
}

fn optional(id: Option<Id>) -> Value {
    id.map_or(Value::Null, |id| json!(id.to_string()))
}

pub fn user(model: &Model, id: Id) -> Value {
    let (name, bot) = model.users.get(&id).map_or(("deleted user", false), |user| (user.name.as_str(), user.bot));
    json!({
        "id": id.to_string(), "username": name.to_lowercase(), "global_name": if bot { None } else { Some(name) },
        "discriminator": "0", "avatar": null, "public_flags": 0, "flags": 0, "primary_guild": null, "bot": bot,
    })
}

/// The bot's own user, with what only it is told.
pub fn own_user(model: &Model) -> Value {
    let mut own = user(model, model.application.bot);
    own["mfa_enabled"] = json!(false);
    own["verified"] = json!(true);
    own["email"] = Value::Null;
    own["locale"] = json!("en-US");
    own
}

/// Flags of the application: which privileged intents a small bot has been granted.
pub fn application_flags(model: &Model) -> u64 {
    let intent = |granted: bool, bit: u32| u64::from(granted) << bit;
    intent(model.application.guild_members, 15) | intent(model.application.message_content, 19)
}

pub fn application(model: &Model) -> Value {
    let flags = application_flags(model);
    json!({
        "id": model.application.id.to_string(), "name": "Drillbot", "icon": null, "description": "", "type": null,
        "verify_key": "0".repeat(64), "flags": flags, "flags_new": flags.to_string(), "redirect_uris": [],
        "interactions_endpoint_url": model.application.interactions_endpoint, "role_connections_verification_url": null,
        "owner": user(model, model.application.bot), "approximate_guild_count": model.guilds.len(),
        "approximate_user_install_count": 0, "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0, "team": null, "eligible_oauth2_scopes": [], "summary": "",
        "bot_public": false, "bot_require_code_grant": model.application.code_grant, "bot": user(model, model.application.bot),
    })
}

pub fn role(role: &Role, position: usize) -> Value {
    json!({
        "id": role.id.to_string(), "name": role.name, "permissions": role.permissions.bits().to_string(),
        "position": position, "color": 0,
        "colors": {"primary_color": 0, "secondary_color": null, "tertiary_color": null},
        "hoist": false, "managed": role.managed, "mentionable": role.mentionable, "icon": null,
        "unicode_emoji": null, "flags": 0,
    })
}

pub fn roles(guild: &Guild) -> Vec<Value> {
    guild.roles.values().enumerate().map(|(at, one)| role(one, at)).collect()
}

/// A member without the user, as in events of messages.
fn partial_member(model: &Model, guild: Id, user: Id) -> Option<Value> {
    let member = model.guilds.get(&guild)?.members.get(&user)?;
    Some(json!({
        "avatar": null, "banner": null, "communication_disabled_until": null, "flags": 0,
        "joined_at": time(member.joined_ms), "nick": member.nick, "pending": false, "premium_since": null,
        "roles": ids(&member.roles), "mute": false, "deaf": false,
    }))
}

pub fn member(model: &Model, guild: Id, id: Id) -> Option<Value> {
    let mut member = partial_member(model, guild, id)?;
    member["user"] = user(model, id);
    Some(member)
}

/// What GET shows of a guild; GUILD_UPDATE has the same shape.
pub fn guild(guild: &Guild) -> Value {
    json!({
        "id": guild.id.to_string(), "name": guild.name, "icon": null, "description": null, "home_header": null,
        "splash": null, "discovery_splash": null, "features": [], "banner": null,
        "owner_id": guild.owner.to_string(), "application_id": null, "region": "deprecated",
        "afk_channel_id": null, "afk_timeout": 300, "system_channel_id": null, "system_channel_flags": 0,
        "widget_enabled": false, "widget_channel_id": null, "verification_level": 1, "roles": roles(guild),
        "default_message_notifications": 1, "mfa_level": 0, "explicit_content_filter": 2, "max_presences": null,
        "max_members": 500_000, "max_stage_video_channel_users": 50, "max_video_channel_users": 25,
        "vanity_url_code": null, "premium_tier": 0, "premium_subscription_count": 0,
        "preferred_locale": LOCALE, "rules_channel_id": null, "safety_alerts_channel_id": null,
        "public_updates_channel_id": null, "premium_progress_bar_enabled": false, "nsfw": false,
        "nsfw_level": 0, "emojis": [], "stickers": [], "incidents_data": null,
    })
}

/// What GUILD_CREATE shows: the guild with its channels, its living threads, and of the members only the bot.
pub fn whole_guild(model: &Model, it: &Guild) -> Value {
    let bot = model.application.bot;
    let of_guild = |thread: bool| {
        let mine = model.channels.values().filter(move |one| one.guild == Some(it.id) && one.is_thread() == thread);
        let alive = mine.filter(|one| one.thread.as_ref().is_none_or(|thread| !thread.archived));
        let seen =
            alive.filter(move |one| !thread || model.permissions(one.id, bot).contains(Permissions::VIEW_CHANNEL));
        seen.map(|one| channel(model, one)).collect::<Vec<Value>>()
    };
    let mut whole = guild(it);
    let more = json!({
        "joined_at": it.members.get(&bot).map(|member| time(member.joined_ms)), "large": false, "unavailable": false,
        "member_count": it.members.len(), "voice_states": [], "members": [member(model, it.id, bot)],
        "channels": of_guild(false), "threads": of_guild(true), "presences": [], "stage_instances": [],
        "guild_scheduled_events": [], "soundboard_sounds": [],
    });
    merge(&mut whole, more);
    whole
}

pub fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}

pub fn channel(model: &Model, it: &Channel) -> Value {
    let mut shown = json!({
        "id": it.id.to_string(), "type": it.kind, "flags": 0, "last_message_id": optional(it.last_message),
    });
    if it.kind == DM {
        let other = it.recipient.map(|id| user(model, id));
        merge(&mut shown, json!({"recipients": other.into_iter().collect::<Vec<Value>>()}));
        return shown;
    }
    merge(&mut shown, json!({"guild_id": optional(it.guild), "name": it.name, "parent_id": optional(it.parent)}));
    let Some(thread) = &it.thread else {
        let overwrites: Vec<Value> = it
            .overwrites
            .iter()
            .map(|(id, over)| {
                json!({
                    "id": id.to_string(), "type": u8::from(!over.for_role),
                    "allow": over.allow.bits().to_string(), "deny": over.deny.bits().to_string(),
                })
            })
            .collect();
        let more = json!({
            "position": 0, "permission_overwrites": overwrites, "topic": null, "nsfw": false,
            "rate_limit_per_user": 0,
        });
        merge(&mut shown, more);
        if it.kind == FORUM {
            let tag = |(id, name): &(Id, String)| {
                json!({
                    "id": id.to_string(), "name": name, "moderated": false, "emoji_id": null, "emoji_name": null,
                })
            };
            let tags: Vec<Value> = it.tags.iter().map(tag).collect();
            let more = json!({
                "available_tags": tags, "default_reaction_emoji": null, "default_sort_order": null,
                "default_forum_layout": 0, "default_thread_rate_limit_per_user": 0,
            });
            merge(&mut shown, more);
        }
        return shown;
    };
    let sent = model.public_messages(it.id).filter(|one| one.id != it.id && one.kind != THREAD_STARTER).count();
    let more = json!({
        "owner_id": thread.owner.to_string(), "message_count": sent, "total_message_sent": sent,
        "member_count": thread.members.len(), "rate_limit_per_user": 0, "applied_tags": ids(&thread.applied_tags),
        "thread_metadata": {
            "archived": thread.archived, "locked": thread.locked,
            "auto_archive_duration": thread.auto_archive_minutes,
            "archive_timestamp": time(thread.archive_changed_ms), "create_timestamp": time(made_ms(it.id)),
        },
    });
    merge(&mut shown, more);
    shown
}

/// What only the bot's own membership of a thread looks like; `None` when it is no member.
pub fn own_thread_member(model: &Model, thread: Id) -> Option<Value> {
    let bot = model.application.bot;
    let takes_part = model.channels.get(&thread)?.thread.as_ref()?.members.contains(&bot);
    takes_part.then(|| {
        json!({
            "id": thread.to_string(), "user_id": bot.to_string(), "join_timestamp": time(made_ms(thread)), "flags": 0,
        })
    })
}

/// Whether the bot is told what a message says although it lacks the Message Content intent.
/// Source: docs.discord.com/developers/events/gateway#message-content-intent.
fn concerns_bot(model: &Model, it: &Message) -> bool {
    let bot = model.application.bot;
    let direct = model.channels.get(&it.channel).is_none_or(|channel| channel.guild.is_none());
    it.author == bot || direct || it.pinged.users.contains(&bot)
}

/// A message for somebody who may (`reads`) or may not read what other people write.
pub fn message(model: &Model, it: &Message, reads: bool) -> Value {
    let visible = reads || concerns_bot(model, it);
    let list = |all: &[Value]| if visible { all.to_vec() } else { Vec::new() };
    let mut shown = json!({
        "id": it.id.to_string(), "channel_id": it.channel.to_string(), "type": it.kind,
        "content": if visible { it.content.as_str() } else { "" }, "author": user(model, it.author),
        "embeds": list(&it.embeds), "components": list(&it.components), "attachments": [],
        "mentions": it.pinged.users.iter().map(|id| user(model, *id)).collect::<Vec<Value>>(),
        "mention_roles": ids(&it.pinged.roles), "mention_everyone": it.pinged.everyone,
        "timestamp": time(made_ms(it.id)), "edited_timestamp": it.edited_ms.map(time), "flags": it.flags,
        "pinned": false, "tts": false,
    });
    if it.author == model.application.bot && it.interaction.is_some() {
        shown["application_id"] = json!(model.application.id.to_string());
        shown["webhook_id"] = json!(model.application.id.to_string());
    }
    if let Some(interaction) = it.interaction.and_then(|id| model.interactions.get(&id)) {
        shown["interaction_metadata"] = metadata(model, interaction);
    }
    if !it.reactions.is_empty() {
        shown["reactions"] = Value::Array(reactions(model, it));
    }
    if it.flags & HAS_THREAD != 0
        && let Some(thread) = model.channels.get(&it.id)
    {
        shown["thread"] = channel(model, thread);
    }
    if let Some(reference) = it.reference {
        let there = model.messages.get(&reference);
        let channel = there.map_or(it.channel, |message| message.channel);
        shown["message_reference"] = json!({
            "type": 0, "message_id": reference.to_string(), "channel_id": channel.to_string(),
            "guild_id": optional(model.channels.get(&channel).and_then(|channel| channel.guild)),
        });
        if matches!(it.kind, REPLY | THREAD_STARTER) {
            shown["referenced_message"] = there.map_or(Value::Null, |there| message(model, there, reads));
        }
    }
    shown
}

fn reactions(model: &Model, it: &Message) -> Vec<Value> {
    let mut seen: Vec<(&str, u32, bool)> = Vec::new();
    for (emoji, by) in &it.reactions {
        let mine = *by == model.application.bot;
        match seen.iter_mut().find(|one| one.0 == emoji) {
            Some(one) => *one = (one.0, one.1 + 1, one.2 || mine),
            None => seen.push((emoji, 1, mine)),
        }
    }
    let show = |(emoji, count, mine): (&str, u32, bool)| {
        json!({
            "emoji": {"id": null, "name": emoji}, "count": count, "count_details": {"burst": 0, "normal": count},
            "burst_colors": [], "me_burst": false, "me": mine,
        })
    };
    seen.into_iter().map(show).collect()
}

fn installed_in(model: &Model, it: &Interaction) -> Value {
    let guild = model.channels.get(&it.channel).and_then(|channel| channel.guild);
    json!({"0": guild.map_or("0".to_owned(), |guild| guild.to_string())})
}

fn metadata(model: &Model, it: &Interaction) -> Value {
    let mut shown = json!({
        "id": it.id.to_string(), "type": it.kind, "user": user(model, it.user),
        "authorizing_integration_owners": installed_in(model, it),
    });
    if let Some(on) = it.on_message.filter(|_| it.kind == 3) {
        shown["interacted_message_id"] = json!(on.to_string());
    }
    if it.kind == 5 {
        shown["triggering_interaction_metadata"] = json!({
            "id": it.id.to_string(), "type": 3, "user": user(model, it.user),
            "authorizing_integration_owners": installed_in(model, it),
            "interacted_message_id": optional(it.on_message.or(Some(it.id))),
        });
    }
    shown
}

/// INTERACTION_CREATE.
pub fn interaction(model: &Model, it: &Interaction) -> Value {
    let there = model.channels.get(&it.channel);
    let guild = there.and_then(|channel| channel.guild);
    let mut shown = json!({
        "id": it.id.to_string(), "application_id": model.application.id.to_string(), "type": it.kind,
        "data": it.data, "channel_id": it.channel.to_string(), "token": it.token, "version": 1, "locale": LOCALE,
        "entitlements": [], "attachment_size_limit": 10_485_760, "context": if guild.is_some() { 0 } else { 1 },
        "authorizing_integration_owners": installed_in(model, it),
        "app_permissions": model.permissions(it.channel, model.application.bot).bits().to_string(),
    });
    if let Some(there) = there {
        let mut partial = channel(model, there);
        partial["permissions"] = json!(model.permissions(it.channel, it.user).bits().to_string());
        shown["channel"] = partial;
    }
    match guild.and_then(|guild| Some((guild, member(model, guild, it.user)?))) {
        Some((guild, mut member)) => {
            member["permissions"] = json!(model.permissions(it.channel, it.user).bits().to_string());
            let more = json!({
                "guild_id": guild.to_string(), "guild_locale": LOCALE, "member": member,
                "guild": {"id": guild.to_string(), "locale": LOCALE, "features": []},
            });
            merge(&mut shown, more);
        }
        None => shown["user"] = user(model, it.user),
    }
    if let Some(on) = it.on_message.and_then(|on| model.messages.get(&on)) {
        shown["message"] = message(model, on, true);
    }
    shown
}

/// A command as Discord returns it.
pub fn command(application: Id, id: Id, form: &Value) -> Value {
    let mut shown = json!({
        "id": id.to_string(), "application_id": application.to_string(), "version": id.to_string(),
        "default_member_permissions": null, "type": 1, "description": "", "nsfw": false, "options": [],
        "dm_permission": true, "contexts": null, "integration_types": [0],
    });
    let given = form.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    for (key, value) in given {
        shown[key] = value.clone();
    }
    shown
}

/// What happened, for the gateway.
#[derive(Clone, Debug)]
pub enum Event {
    MessageCreate(Id),
    MessageUpdate(Id),
    /// (message, its channel)
    MessageDelete(Id, Id),
    MessageDeleteBulk(Vec<Id>, Id),
    ThreadCreate(Id),
    ThreadUpdate(Id),
    ThreadDelete {
        id: Id,
        parent: Id,
        guild: Id,
        kind: u8,
    },
    ChannelCreate(Id),
    ChannelUpdate(Id),
    /// The channel as it was.
    ChannelDelete {
        guild: Id,
        shown: Value,
    },
    GuildCreate(Id),
    GuildUpdate(Id),
    GuildDelete(Id),
    /// An outage of the service's took it away for a while.
    GuildAway(Id),
    /// (guild, role)
    RoleUpdate(Id, Id),
    /// (guild, user)
    MemberUpdate(Id, Id),
    Interaction(Id),
}

impl Event {
    /// Where it happened: (channel, guild).
    pub fn place(&self, model: &Model) -> (Option<Id>, Option<Id>) {
        let of_channel = |id: &Id| (Some(*id), model.channels.get(id).and_then(|channel| channel.guild));
        match self {
            Event::MessageCreate(id) | Event::MessageUpdate(id) => {
                model.messages.get(id).map_or((None, None), |message| of_channel(&message.channel))
            }
            Event::MessageDelete(_, channel) | Event::MessageDeleteBulk(_, channel) => of_channel(channel),
            Event::ThreadCreate(id) | Event::ThreadUpdate(id) => of_channel(id),
            Event::ThreadDelete { parent, guild, .. } => (Some(*parent), Some(*guild)),
            // Channels are told to all of the guild, hidden or not.
            Event::ChannelCreate(id) | Event::ChannelUpdate(id) => (None, of_channel(id).1),
            Event::ChannelDelete { guild, .. } => (None, Some(*guild)),
            Event::GuildCreate(id) | Event::GuildUpdate(id) | Event::GuildDelete(id) | Event::GuildAway(id) => {
                (None, Some(*id))
            }
            Event::RoleUpdate(guild, _) | Event::MemberUpdate(guild, _) => (None, Some(*guild)),
            Event::Interaction(id) => (None, model.interactions.get(id).and_then(|one| of_channel(&one.channel).1)),
        }
    }

    /// Name and content for a session that may or may not read other people's messages.
    pub fn on_wire(&self, model: &Model, reads: bool) -> Option<(&'static str, Value)> {
        let of_message = |id: &Id| {
            let it = model.messages.get(id)?;
            let guild = model.channels.get(&it.channel).and_then(|channel| channel.guild);
            let mut shown = message(model, it, reads);
            if let Some(guild) = guild {
                shown["guild_id"] = json!(guild.to_string());
                shown["member"] = partial_member(model, guild, it.author).unwrap_or(Value::Null);
            }
            shown["channel_type"] = json!(model.channels.get(&it.channel).map(|channel| channel.kind));
            Some(shown)
        };
        let of_channel = |id: &Id| model.channels.get(id).map(|it| channel(model, it));
        let guild_of = |id: &Id| optional(model.channels.get(id).and_then(|channel| channel.guild));
        Some(match self {
            Event::MessageCreate(id) => {
                let mut shown = of_message(id)?;
                if let Some(nonce) = model.messages.get(id).and_then(|message| message.nonce.clone()) {
                    shown["nonce"] = nonce;
                }
                ("MESSAGE_CREATE", shown)
            }
            Event::MessageUpdate(id) => ("MESSAGE_UPDATE", of_message(id)?),
            Event::MessageDelete(id, channel) => (
                "MESSAGE_DELETE",
                json!({"id": id.to_string(), "channel_id": channel.to_string(), "guild_id": guild_of(channel)}),
            ),
            Event::MessageDeleteBulk(all, channel) => (
                "MESSAGE_DELETE_BULK",
                json!({"ids": ids(all), "channel_id": channel.to_string(), "guild_id": guild_of(channel)}),
            ),
            Event::ThreadCreate(id) => {
                let mut shown = of_channel(id)?;
                shown["newly_created"] = json!(true);
                ("THREAD_CREATE", shown)
            }
            Event::ThreadUpdate(id) => ("THREAD_UPDATE", of_channel(id)?),
            Event::ThreadDelete { id, parent, guild, kind } => (
                "THREAD_DELETE",
                json!({
                    "id": id.to_string(), "guild_id": guild.to_string(), "parent_id": parent.to_string(),
                    "type": kind,
                }),
            ),
            Event::ChannelCreate(id) => ("CHANNEL_CREATE", of_channel(id)?),
            Event::ChannelUpdate(id) => ("CHANNEL_UPDATE", of_channel(id)?),
            Event::ChannelDelete { shown, .. } => ("CHANNEL_DELETE", shown.clone()),
            Event::GuildCreate(id) => ("GUILD_CREATE", whole_guild(model, model.guilds.get(id)?)),
            Event::GuildUpdate(id) => ("GUILD_UPDATE", guild(model.guilds.get(id)?)),
            // Without `unavailable`: the bot was removed.
            Event::GuildDelete(id) => ("GUILD_DELETE", json!({"id": id.to_string()})),
            Event::GuildAway(id) => ("GUILD_DELETE", json!({"id": id.to_string(), "unavailable": true})),
            Event::RoleUpdate(guild, id) => {
                let roles = roles(model.guilds.get(guild)?);
                let shown = roles.into_iter().find(|role| role["id"] == json!(id.to_string()))?;
                ("GUILD_ROLE_UPDATE", json!({"guild_id": guild.to_string(), "role": shown}))
            }
            Event::MemberUpdate(guild, id) => {
                let mut shown = member(model, *guild, *id)?;
                shown["guild_id"] = json!(guild.to_string());
                ("GUILD_MEMBER_UPDATE", shown)
            }
            Event::Interaction(id) => ("INTERACTION_CREATE", interaction(model, model.interactions.get(id)?)),
        })
    }
}

/// The parent's kind decides whether a thread can be made from a message.
pub fn takes_threads_from_messages(it: &Channel) -> bool {
    it.kind == super::model::TEXT || it.kind == ANNOUNCEMENT
}
