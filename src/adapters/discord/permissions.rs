//! What the bot needs to be allowed, and what it is allowed in a channel.
//! Source: <https://discord.com/developers/docs/topics/permissions#permission-overwrites>.

use std::collections::HashMap;

use serde::Deserialize;
use serenity::all::Permissions;

use super::rest::{Call, Failure, Rest};

/// The least that the daily question needs, with the names that Discord's settings show.
pub const NEEDED: &[(Permissions, &str)] = &[
    (Permissions::VIEW_CHANNEL, "View Channel"),
    (Permissions::SEND_MESSAGES, "Send Messages"),
    (Permissions::EMBED_LINKS, "Embed Links"),
    (Permissions::READ_MESSAGE_HISTORY, "Read Message History"),
    (Permissions::ADD_REACTIONS, REACTIONS),
    (Permissions::CREATE_PUBLIC_THREADS, "Create Public Threads"),
    (Permissions::SEND_MESSAGES_IN_THREADS, IN_THREADS),
];

pub const REACTIONS: &str = "Add Reactions";
pub const IN_THREADS: &str = "Send Messages in Threads";

/// All of [`NEEDED`], for the invite link.
pub fn least() -> Permissions {
    NEEDED.iter().fold(Permissions::empty(), |all, (one, _)| all | *one)
}

/// The names of what is missing of `needed`.
pub fn missing(has: Permissions, needed: Permissions) -> Vec<&'static str> {
    if has.contains(Permissions::ADMINISTRATOR) {
        return Vec::new();
    }
    // Without the view nothing else counts, and giving the view is the first thing to do.
    if !has.contains(Permissions::VIEW_CHANNEL) {
        return vec!["View Channel"];
    }
    let lacks = |one: &Permissions| needed.contains(*one) && !has.contains(*one);
    NEEDED.iter().filter(|(one, _)| lacks(one)).map(|(_, name)| *name).collect()
}

/// A channel as Discord describes it, in what matters here.
#[derive(Clone, Debug, Deserialize)]
pub struct Channel {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: u8,
    #[serde(default)]
    pub guild_id: Option<String>,
    #[serde(default)]
    pub parent_id: Option<String>,
    #[serde(default)]
    pub owner_id: Option<String>,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub flags: u64,
    #[serde(default)]
    pub available_tags: Vec<Tag>,
    #[serde(default)]
    permission_overwrites: Vec<Overwrite>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Tag {
    pub id: String,
    pub name: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Overwrite {
    id: String,
    allow: Permissions,
    deny: Permissions,
}

#[derive(Deserialize)]
struct Guild {
    id: String,
    owner_id: String,
    roles: Vec<Role>,
}

#[derive(Deserialize)]
struct Role {
    id: String,
    permissions: Permissions,
}

#[derive(Deserialize)]
struct Member {
    roles: Vec<String>,
}

impl Channel {
    pub const FORUM: u8 = 15;
    const THREADS: [u8; 3] = [10, 11, 12];

    pub fn is_forum(&self) -> bool {
        self.kind == Channel::FORUM
    }

    pub fn is_thread(&self) -> bool {
        Channel::THREADS.contains(&self.kind)
    }

    /// "#daily-drill"
    pub fn shown(&self) -> String {
        self.name.as_ref().map_or_else(|| "this channel".to_owned(), |name| format!("#{name}"))
    }
}

/// The channel, or the one that a thread hangs in: threads have no permissions of their own.
///
/// # Errors
/// See [`Failure`]; 50001 when the bot cannot see it, 10003 when there is none.
pub async fn channel(rest: &Rest, id: &str) -> Result<Channel, Failure> {
    let channel: Channel = rest.call(Call::get(&format!("channels/{id}"))).await?;
    match &channel.parent_id {
        Some(parent) if channel.is_thread() => rest.call(Call::get(&format!("channels/{parent}"))).await,
        _ => Ok(channel),
    }
}

/// What a member may do in a channel of a server.
///
/// # Errors
/// See [`Failure`].
pub async fn of_member(rest: &Rest, channel: &Channel, user: &str) -> Result<Permissions, Failure> {
    let Some(guild) = &channel.guild_id else { return Ok(Permissions::all()) };
    let guild: Guild = rest.call(Call::get(&format!("guilds/{guild}"))).await?;
    let member: Member = rest.call(Call::get(&format!("guilds/{}/members/{user}", guild.id))).await?;
    Ok(effective(&guild, channel, user, &member.roles))
}

fn effective(guild: &Guild, channel: &Channel, user: &str, roles: &[String]) -> Permissions {
    if guild.owner_id == user {
        return Permissions::all();
    }
    // The role @everyone has the id of the server.
    let mine = |id: &str| id == guild.id || roles.iter().any(|role| role == id);
    let base =
        guild.roles.iter().filter(|role| mine(&role.id)).fold(Permissions::empty(), |all, role| all | role.permissions);
    if base.contains(Permissions::ADMINISTRATOR) {
        return Permissions::all();
    }
    let overwrites: HashMap<&str, &Overwrite> =
        channel.permission_overwrites.iter().map(|overwrite| (overwrite.id.as_str(), overwrite)).collect();
    let mut has = base;
    let mut apply = |allow: Permissions, deny: Permissions| has = (has - deny) | allow;
    if let Some(everyone) = overwrites.get(guild.id.as_str()) {
        apply(everyone.allow, everyone.deny);
    }
    let of_roles: Vec<&&Overwrite> = roles.iter().filter_map(|role| overwrites.get(role.as_str())).collect();
    let all =
        |get: fn(&Overwrite) -> Permissions| of_roles.iter().fold(Permissions::empty(), |all, one| all | get(one));
    apply(all(|one| one.allow), all(|one| one.deny));
    if let Some(own) = overwrites.get(user) {
        apply(own.allow, own.deny);
    }
    has
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guild(everyone: Permissions, bot: Permissions) -> Guild {
        let role = |id: &str, permissions| Role { id: id.to_owned(), permissions };
        Guild { id: "1".into(), owner_id: "9".into(), roles: vec![role("1", everyone), role("2", bot)] }
    }

    fn channel(overwrites: &[(&str, Permissions, Permissions)]) -> Channel {
        let overwrite = |(id, allow, deny): &(&str, Permissions, Permissions)| serde_json::json!({"id": id, "allow": allow, "deny": deny});
        let overwrites: Vec<_> = overwrites.iter().map(overwrite).collect();
        serde_json::from_value(
            serde_json::json!({"id": "5", "type": 0, "guild_id": "1", "permission_overwrites": overwrites}),
        )
        .unwrap()
    }

    #[test]
    fn overwrites_count_in_discords_order() {
        let (view, send) = (Permissions::VIEW_CHANNEL, Permissions::SEND_MESSAGES);
        let none = Permissions::empty();
        let has = |channel: &Channel| effective(&guild(view | send, none), channel, "7", &["2".to_owned()]);
        assert_eq!(has(&channel(&[])), view | send);
        assert_eq!(has(&channel(&[("1", none, send)])), view, "denied to everyone");
        assert_eq!(has(&channel(&[("1", none, send), ("2", send, none)])), view | send, "given back to the bot's role");
        assert_eq!(has(&channel(&[("2", send, none), ("7", none, send)])), view, "denied to the bot itself");
        assert_eq!(has(&channel(&[("3", none, view)])), view | send, "somebody else's role");
        let owner = effective(&guild(none, none), &channel(&[("1", none, send)]), "9", &[]);
        assert_eq!(owner, Permissions::all());
        let admin = guild(none, Permissions::ADMINISTRATOR);
        assert_eq!(effective(&admin, &channel(&[("1", none, view)]), "7", &["2".to_owned()]), Permissions::all());
    }

    #[test]
    fn what_is_missing_has_the_names_of_discords_settings() {
        let all = least();
        assert_eq!(missing(all, all), Vec::<&str>::new());
        assert_eq!(
            missing(all - Permissions::EMBED_LINKS - Permissions::ADD_REACTIONS, all),
            ["Embed Links", "Add Reactions"]
        );
        assert_eq!(missing(Permissions::empty(), all), ["View Channel"], "nothing else can be seen before");
        assert_eq!(missing(Permissions::ADMINISTRATOR, all), Vec::<&str>::new());
        assert_eq!(missing(all - Permissions::ADD_REACTIONS, Permissions::SEND_MESSAGES), Vec::<&str>::new());
    }
}
