//! The Web API: a table of methods, and what each of them does to the model.

use std::time::Duration;

use serde_json::{Value, json};

use super::chat::{BROADCAST, Draft};
use super::limits::{self, Problem};
use super::model::{Channel, Happening, Id, Install, Installed, Kind, Message, Model, Place, Spot, Ts};
use super::rates::Tier;
use super::wire;

/// A request that has found its method.
pub struct Call {
    /// Strings in a form, anything in JSON.
    pub body: Value,
    /// The workspace of the token; the app's own token has none.
    pub team: Option<Id>,
    /// Name and password of HTTP's basic authentication.
    pub client: Option<(String, String)>,
}

/// Slack's way to say no: a code, and what belongs to it.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub code: String,
    pub more: Value,
    /// 429 with this wait.
    pub retry_after: Option<Duration>,
}

type Outcome = Result<Value, Refusal>;

/// Which token a method wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    Bot,
    App,
    None,
}

pub struct Method {
    pub name: &'static str,
    pub tier: Tier,
    pub token: Token,
    /// One of these is enough; methods about channels look for themselves.
    pub scopes: &'static [&'static str],
    /// Reading methods take their arguments from the query or a form.
    pub reads: bool,
    pub carry_out: fn(&mut Model, &Call) -> Outcome,
}

const fn method(
    name: &'static str,
    tier: Tier,
    scopes: &'static [&'static str],
    reads: bool,
    carry_out: fn(&mut Model, &Call) -> Outcome,
) -> Method {
    Method { name, tier, token: Token::Bot, scopes, reads, carry_out }
}

const READ: bool = true;
const WRITE: bool = false;

static METHODS: [Method; 23] = [
    method("auth.test", Tier::Special, &[], WRITE, auth_test),
    method("auth.revoke", Tier::Three, &[], READ, auth_revoke),
    method("chat.postMessage", Tier::Posting, &["chat:write"], WRITE, post_message),
    method("chat.update", Tier::Three, &["chat:write"], WRITE, update_message),
    method("chat.delete", Tier::Three, &["chat:write"], WRITE, delete_message),
    method("chat.postEphemeral", Tier::Four, &["chat:write"], WRITE, post_ephemeral),
    method("chat.getPermalink", Tier::Special, &[], READ, permalink),
    method("conversations.history", Tier::Three, &[], READ, history),
    method("conversations.replies", Tier::Three, &[], READ, replies),
    method("conversations.info", Tier::Three, &[], READ, channel_info),
    method("conversations.open", Tier::Three, &["im:write"], WRITE, open_direct),
    method("conversations.members", Tier::Four, &[], READ, members),
    method("conversations.join", Tier::Three, &["channels:join"], WRITE, join),
    method("reactions.add", Tier::Three, &["reactions:write"], WRITE, add_reaction),
    method("reactions.remove", Tier::Two, &["reactions:write"], WRITE, remove_reaction),
    method("users.info", Tier::Four, &["users:read"], READ, user_info),
    method("team.info", Tier::Three, &["team:read"], READ, team_info),
    method("views.open", Tier::Four, &[], WRITE, open_view),
    method("views.update", Tier::Four, &[], WRITE, update_view),
    method("views.publish", Tier::Four, &[], WRITE, publish_view),
    Method { token: Token::App, ..method("apps.connections.open", Tier::Special, &[], WRITE, open_connection) },
    Method { token: Token::App, ..method("apps.event.authorizations.list", Tier::Four, &[], READ, authorizations) },
    Method { token: Token::None, ..method("oauth.v2.access", Tier::Four, &[], READ, exchange_code) },
];

pub fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}

impl Refusal {
    pub fn body(&self) -> Value {
        let mut body = json!({"ok": false, "error": self.code});
        wire::merge(&mut body, self.more.clone());
        body
    }
}

pub fn refused(code: &str) -> Refusal {
    Refusal { code: code.to_owned(), more: json!({}), retry_after: None }
}

/// A refusal because of what is in the request, with where.
fn invalid(code: &str, problem: &Problem) -> Refusal {
    let told = format!("[ERROR] {} [json-pointer:/{}]", problem.why, problem.at);
    Refusal { more: json!({"response_metadata": {"messages": [told]}}), ..refused(code) }
}

fn ok(mut more: Value) -> Outcome {
    more["ok"] = json!(true);
    Ok(more)
}

/// The workspace that a token is for.
pub fn who(model: &Model, token: &str) -> Result<Id, Refusal> {
    if token.is_empty() {
        return Err(refused("not_authed"));
    }
    let holds = |install: &Install| install.token == token;
    let team = model.teams.values().find(|team| team.install.as_ref().is_some_and(holds));
    let team = team.ok_or_else(|| refused("invalid_auth"))?;
    match team.install.as_ref().map(|install| install.state) {
        Some(Installed::Active) => Ok(team.id),
        Some(Installed::Revoked) => Err(refused("token_revoked")),
        _ => Err(refused("account_inactive")),
    }
}

pub fn needs_scope(model: &Model, team: Id, needed: &[&str]) -> Result<(), Refusal> {
    let Some(install) = model.install_of(team) else { return Err(refused("account_inactive")) };
    if needed.is_empty() || needed.iter().any(|scope| install.scopes.contains(*scope)) {
        return Ok(());
    }
    let provided: Vec<&str> = install.scopes.iter().map(String::as_str).collect();
    let more = json!({"needed": needed.join(","), "provided": provided.join(",")});
    Err(Refusal { more, ..refused("missing_scope") })
}

impl Call {
    pub fn text(&self, name: &str) -> Option<String> {
        match &self.body[name] {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    fn needed(&self, name: &str, code: &str) -> Result<String, Refusal> {
        self.text(name).ok_or_else(|| refused(code))
    }

    fn flag(&self, name: &str) -> bool {
        self.body[name] == true || matches!(self.body[name].as_str(), Some("true" | "1"))
    }

    fn limit(&self, usual: usize) -> usize {
        self.text("limit").and_then(|text| text.parse().ok()).filter(|limit| *limit > 0).unwrap_or(usual).min(999)
    }

    /// Something that is written as JSON in a string when the rest is a form.
    fn structure(&self, name: &str) -> Result<Value, ()> {
        match &self.body[name] {
            Value::String(text) => serde_json::from_str(text).map_err(|_| ()),
            other => Ok(other.clone()),
        }
    }

    fn team(&self) -> Result<Id, Refusal> {
        self.team.ok_or_else(|| refused("not_authed"))
    }

    /// Body with its structures read.
    pub fn message(&self) -> Result<Value, Refusal> {
        let mut body = self.body.clone();
        for (name, code) in [
            ("blocks", "invalid_blocks_format"),
            ("metadata", "invalid_metadata_format"),
            ("attachments", "invalid_attachments"),
        ] {
            if !body[name].is_null() {
                body[name] = self.structure(name).map_err(|()| refused(code))?;
            }
        }
        Ok(body)
    }
}

/// A list, checked: what is broken is noted, and refused where Slack does.
pub fn checked(model: &mut Model, what: &str, problems: Vec<Problem>, code: &str) -> Result<(), Refusal> {
    let told = problems.iter().map(|problem| format!("{what}: {}: {}", problem.at, problem.why));
    model.violations.extend(told);
    match problems.iter().find(|problem| problem.refused) {
        Some(problem) if problem.at == "text" => Err(invalid("msg_too_long", problem)),
        Some(problem) if problem.at == "metadata" => Err(invalid("invalid_metadata_format", problem)),
        Some(problem) if problem.why.starts_with("the message has") => Err(invalid("msg_blocks_too_long", problem)),
        Some(problem) => Err(invalid(code, problem)),
        None => Ok(()),
    }
}

/// A channel that the bot can see.
fn seen<'a>(model: &'a Model, call: &Call, name: &str) -> Result<&'a Channel, Refusal> {
    let team = call.team()?;
    let not_found = || refused("channel_not_found");
    let id = call.text(name).and_then(|id| id.parse().ok()).ok_or_else(not_found)?;
    let it = model.channels.get(&id).filter(|it| !it.deleted).ok_or_else(not_found)?;
    let bot = model.bot(team).ok_or_else(not_found)?;
    let reached = it.team == team || it.shared_with.contains(&team);
    if !reached || (it.kind != Kind::Public && !it.members.contains(&bot)) {
        return Err(not_found());
    }
    Ok(it)
}

/// A channel that the bot is in.
fn joined<'a>(model: &'a Model, call: &Call, name: &str) -> Result<&'a Channel, Refusal> {
    let it = seen(model, call, name)?;
    let inside = model.bot(call.team()?).is_some_and(|bot| it.members.contains(&bot));
    if inside { Ok(it) } else { Err(refused("not_in_channel")) }
}

/// `channels:history`, `groups:history` or `im:history`.
fn scope_for(model: &Model, call: &Call, it: &Channel, what: &str) -> Result<(), Refusal> {
    let kind = match it.kind {
        Kind::Public => "channels",
        Kind::Private => "groups",
        Kind::Direct => "im",
    };
    needs_scope(model, call.team()?, &[&format!("{kind}:{what}")])
}

fn spot(model: &Model, call: &Call, ts: &str) -> Result<Spot, Refusal> {
    let channel = seen(model, call, "channel")?.id;
    let ts = call.text(ts).and_then(|ts| ts.parse().ok()).ok_or_else(|| refused("message_not_found"))?;
    Ok(Spot { channel, ts })
}

fn install(model: &Model, call: &Call) -> Result<Install, Refusal> {
    model.install_of(call.team()?).cloned().ok_or_else(|| refused("account_inactive"))
}

fn auth_test(model: &mut Model, call: &Call) -> Outcome {
    let Some(id) = call.team else {
        return ok(json!({"app_id": model.app.id.to_string(), "app_name": "Drillbot"}));
    };
    let (team, bot) = (&model.teams[&id], install(model, call)?);
    ok(json!({
        "url": format!("https://{}.slack.com/", team.domain), "team": team.name, "user": "drillbot",
        "team_id": id.to_string(), "user_id": bot.bot.to_string(), "bot_id": bot.bot_id.to_string(),
        "is_enterprise_install": false,
    }))
}

fn auth_revoke(model: &mut Model, call: &Call) -> Outcome {
    let test = call.flag("test");
    if !test {
        model.revoke(call.team()?);
    }
    ok(json!({"revoked": !test}))
}

fn post_message(model: &mut Model, call: &Call) -> Outcome {
    let team = call.team()?;
    let body = call.message()?;
    // Somebody's id means the direct messages with them.
    let somebody = call.text("channel").and_then(|id| id.parse().ok()).filter(|id| model.users.contains_key(id));
    let channel = match somebody {
        Some(user) => model.direct(team, user),
        None => joined(model, call, "channel")?.id,
    };
    if model.channels[&channel].archived {
        return Err(refused("is_archived"));
    }
    if let Some(code) = model.channels[&channel].refuses {
        return Err(refused(code));
    }
    let problems = limits::message(&body).into_iter().chain(limits::manners(&body)).collect();
    checked(model, "chat.postMessage", problems, "invalid_blocks")?;
    let thread = match call.text("thread_ts") {
        Some(ts) => thread(model, channel, &ts)?,
        None => None,
    };
    let draft = draft(model, call, &body)?;
    if draft.text.is_empty() && draft.blocks.is_empty() {
        return Err(refused("no_text"));
    }
    let bot = install(model, call)?;
    let subtype = call.flag("reply_broadcast").then_some(BROADCAST);
    let spot = model.post(Place { channel, thread }, bot.bot, Draft { subtype, ..draft });
    let message = wire::message(model, &model.messages[&spot], true);
    ok(json!({"channel": channel.to_string(), "ts": spot.ts.to_string(), "message": message}))
}

/// The first message of a thread. A reply to a reply goes to the same thread, one to a message that is not there into the channel:
/// Slack says nothing about it.
fn thread(model: &Model, channel: Id, ts: &str) -> Result<Option<Ts>, Refusal> {
    let ts: Ts = ts.parse().map_err(|()| refused("invalid_thread_ts"))?;
    let Some(it) = model.messages.get(&Spot { channel, ts }) else { return Ok(None) };
    if it.only_for.is_some() {
        return Err(refused("cannot_reply_to_message"));
    }
    if it.locked {
        return Err(refused("restricted_action_thread_locked"));
    }
    Ok(Some(it.thread.unwrap_or(ts)))
}

fn draft(model: &Model, call: &Call, body: &Value) -> Result<Draft, Refusal> {
    let metadata = Some(body["metadata"].clone()).filter(|it| it.is_object() && *it != json!({}));
    Ok(Draft {
        text: call.text("text").unwrap_or_default(),
        blocks: body["blocks"].as_array().cloned().unwrap_or_default(),
        metadata,
        bot_id: Some(install(model, call)?.bot_id),
        finds_names: call.flag("link_names") || call.text("parse").is_some_and(|parse| parse == "full"),
        ..Draft::default()
    })
}

fn update_message(model: &mut Model, call: &Call) -> Outcome {
    let spot = spot(model, call, "ts")?;
    let body = call.message()?;
    let bot = install(model, call)?;
    let it = model.messages.get(&spot).filter(|it| it.only_for.is_none() && it.subtype != Some("tombstone"));
    let it = it.ok_or_else(|| refused("message_not_found"))?;
    if it.bot_id != Some(bot.bot_id) {
        return Err(refused("cant_update_message"));
    }
    if model.channels[&spot.channel].archived {
        return Err(refused("is_inactive"));
    }
    checked(model, "chat.update", limits::message(&body), "invalid_blocks")?;
    let Draft { text, blocks, .. } = draft(model, call, &body)?;
    if text.is_empty() && body["blocks"].is_null() {
        return Err(refused("no_text"));
    }
    let at = model.ts();
    let broadcast = call.flag("reply_broadcast");
    model.change_message(spot, |it| {
        it.text = text;
        // What is not mentioned stays.
        if !body["blocks"].is_null() {
            it.blocks = blocks;
        }
        if !body["metadata"].is_null() {
            it.metadata = Some(body["metadata"].clone()).filter(|it| *it != json!({}));
        }
        if broadcast && it.is_reply() {
            it.subtype = Some("thread_broadcast");
        }
        it.edited = Some((bot.bot, at));
    });
    let it = &model.messages[&spot];
    let (text, message) = (it.text.clone(), wire::message(model, it, true));
    ok(json!({"channel": spot.channel.to_string(), "ts": spot.ts.to_string(), "text": text, "message": message}))
}

fn delete_message(model: &mut Model, call: &Call) -> Outcome {
    let spot = spot(model, call, "ts")?;
    let it = model.messages.get(&spot).ok_or_else(|| refused("message_not_found"))?;
    if it.bot_id != Some(install(model, call)?.bot_id) {
        return Err(refused("cant_delete_message"));
    }
    model.remove_message(spot);
    ok(json!({"channel": spot.channel.to_string(), "ts": spot.ts.to_string()}))
}

fn post_ephemeral(model: &mut Model, call: &Call) -> Outcome {
    let body = call.message()?;
    let channel = joined(model, call, "channel")?;
    let user = call.text("user").and_then(|id| id.parse().ok()).filter(|id| channel.members.contains(id));
    let (channel, archived) = (channel.id, channel.archived);
    let user = user.ok_or_else(|| refused("user_not_in_channel"))?;
    if archived {
        return Err(refused("is_archived"));
    }
    checked(model, "chat.postEphemeral", limits::message(&body), "invalid_blocks")?;
    let thread = match call.text("thread_ts") {
        Some(ts) => thread(model, channel, &ts)?,
        None => None,
    };
    let draft = draft(model, call, &body)?;
    if draft.text.is_empty() && draft.blocks.is_empty() {
        return Err(refused("no_text"));
    }
    let bot = install(model, call)?.bot;
    let spot = model.post(Place { channel, thread }, bot, Draft { only_for: Some(user), metadata: None, ..draft });
    ok(json!({"message_ts": spot.ts.to_string()}))
}

fn permalink(model: &mut Model, call: &Call) -> Outcome {
    let spot = spot(model, call, "message_ts")?;
    let it = model.messages.get(&spot).ok_or_else(|| refused("message_not_found"))?;
    let domain = &model.teams[&call.team()?].domain;
    let mut link =
        format!("https://{domain}.slack.com/archives/{}/p{}", spot.channel, spot.ts.to_string().replace('.', ""));
    if let Some(thread) = it.thread.filter(|_| it.is_reply()) {
        link.push_str(&format!("?thread_ts={thread}&cid={}", spot.channel));
    }
    ok(json!({"channel": spot.channel.to_string(), "permalink": link}))
}

/// Which messages a request is about, by `oldest`, `latest` and `inclusive`.
fn in_time<'a>(call: &Call, all: impl Iterator<Item = &'a Message>) -> Result<Vec<&'a Message>, Refusal> {
    let bound = |name: &str, code: &str| match call.text(name) {
        Some(text) if text == "now" => Ok(None),
        Some(text) => text.parse::<Ts>().map(Some).map_err(|()| refused(code)),
        None => Ok(None),
    };
    let (oldest, latest) = (bound("oldest", "invalid_ts_oldest")?, bound("latest", "invalid_ts_latest")?);
    let inclusive = call.flag("inclusive");
    let fits = |it: &&Message| {
        let late = oldest.is_none_or(|oldest| it.ts > oldest || (inclusive && it.ts == oldest));
        late && latest.is_none_or(|latest| it.ts < latest || (inclusive && it.ts == latest))
    };
    Ok(all.filter(fits).collect())
}

/// Where a page begins.
fn cursor(call: &Call) -> Result<usize, Refusal> {
    let Some(text) = call.text("cursor") else { return Ok(0) };
    let bytes = data_encoding::BASE64.decode(text.as_bytes()).ok();
    let number = bytes.and_then(|bytes| String::from_utf8(bytes).ok()?.strip_prefix("next:")?.parse().ok());
    number.ok_or_else(|| refused("invalid_cursor"))
}

fn next_cursor(end: usize, all: usize) -> Value {
    let text = format!("next:{end}");
    json!({"next_cursor": if end < all { data_encoding::BASE64.encode(text.as_bytes()) } else { String::new() }})
}

fn history(model: &mut Model, call: &Call) -> Outcome {
    let channel = seen(model, call, "channel")?;
    scope_for(model, call, channel, "history")?;
    let channel = joined(model, call, "channel")?.id;
    let mut all = in_time(call, model.in_channel(channel))?;
    all.reverse();
    let (from, limit) = (cursor(call)?, call.limit(100));
    let end = all.len().min(from + limit);
    let with_metadata = call.flag("include_all_metadata");
    let page: Vec<Value> =
        all.iter().skip(from).take(limit).map(|it| wire::message(model, it, with_metadata)).collect();
    ok(json!({
        "messages": page, "has_more": end < all.len(), "pin_count": 0,
        "response_metadata": next_cursor(end, all.len()),
    }))
}

/// Every page begins with the first message of the thread.
fn replies(model: &mut Model, call: &Call) -> Outcome {
    let channel = seen(model, call, "channel")?;
    scope_for(model, call, channel, "history")?;
    let channel = joined(model, call, "channel")?.id;
    let asked = call.needed("ts", "thread_not_found")?.parse().map_err(|()| refused("thread_not_found"))?;
    let asked = Spot { channel, ts: asked };
    let orphans = || model.in_thread(asked).next();
    let it = model.messages.get(&asked).filter(|it| it.only_for.is_none()).or_else(orphans);
    let it = it.ok_or_else(|| refused("thread_not_found"))?;
    let of = Spot { channel, ts: it.thread.unwrap_or(it.ts) };
    let with_metadata = call.flag("include_all_metadata");
    let all = in_time(call, model.in_thread(of).filter(|it| it.is_reply()))?;
    let (from, limit) = (cursor(call)?, call.limit(1000).max(2) - 1);
    let end = all.len().min(from + limit);
    let first = model.messages.get(&of);
    let page: Vec<Value> = first
        .into_iter()
        .chain(all.iter().skip(from).take(limit).copied())
        .map(|it| wire::message(model, it, with_metadata))
        .collect();
    ok(json!({
        "messages": page, "has_more": end < all.len(), "response_metadata": next_cursor(end, all.len()),
    }))
}

fn channel_info(model: &mut Model, call: &Call) -> Outcome {
    let it = seen(model, call, "channel")?;
    scope_for(model, call, it, "read")?;
    let mut shown = wire::channel(model, it, install(model, call)?.bot);
    if !call.flag("include_num_members")
        && let Some(shown) = shown.as_object_mut()
    {
        shown.remove("num_members");
    }
    ok(json!({"channel": shown}))
}

fn members(model: &mut Model, call: &Call) -> Outcome {
    let it = seen(model, call, "channel")?;
    scope_for(model, call, it, "read")?;
    let (from, limit) = (cursor(call)?, call.limit(100));
    let all: Vec<String> = it.members.iter().map(Id::to_string).collect();
    let end = all.len().min(from + limit);
    let page: Vec<&String> = all.iter().skip(from).take(limit).collect();
    ok(json!({"members": page, "response_metadata": next_cursor(end, all.len())}))
}

fn join(model: &mut Model, call: &Call) -> Outcome {
    let it = seen(model, call, "channel")?;
    if it.archived {
        return Err(refused("is_archived"));
    }
    let (id, bot) = (it.id, install(model, call)?.bot);
    model.join(id, bot);
    ok(json!({"channel": wire::channel(model, &model.channels[&id], bot)}))
}

fn open_direct(model: &mut Model, call: &Call) -> Outcome {
    let team = call.team()?;
    let listed = call.body["users"].as_array().and_then(|all| all.first()?.as_str().map(str::to_owned));
    let id = listed.or_else(|| call.text("users")).and_then(|id| id.parse().ok());
    let user = id.and_then(|id| model.users.get(&id)).ok_or_else(|| refused("user_not_found"))?;
    if user.deactivated {
        return Err(refused("user_disabled"));
    }
    if user.bot {
        return Err(refused("cannot_dm_bot"));
    }
    let id = user.id;
    let channel = model.direct(team, id);
    let shown = if call.flag("return_im") {
        wire::channel(model, &model.channels[&channel], install(model, call)?.bot)
    } else {
        json!({"id": channel.to_string()})
    };
    ok(json!({"channel": shown, "no_op": false, "already_open": false}))
}

/// The message of a reaction, and the reaction.
fn reaction(model: &Model, call: &Call) -> Result<(Spot, String, Id), Refusal> {
    let name = call.needed("name", "invalid_name")?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '+');
    if !name.chars().all(plain) {
        return Err(refused("invalid_name"));
    }
    joined(model, call, "channel")?;
    let spot = spot(model, call, "timestamp")?;
    let it = model.messages.get(&spot).filter(|it| it.only_for.is_none() && it.subtype != Some("tombstone"));
    it.ok_or_else(|| refused("message_not_found"))?;
    if model.channels[&spot.channel].archived {
        return Err(refused("is_archived"));
    }
    Ok((spot, name, install(model, call)?.bot))
}

fn add_reaction(model: &mut Model, call: &Call) -> Outcome {
    let (spot, name, bot) = reaction(model, call)?;
    let it = model.messages.get_mut(&spot).ok_or_else(|| refused("message_not_found"))?;
    if it.reactions.contains(&(name.clone(), bot)) {
        return Err(refused("already_reacted"));
    }
    it.reactions.push((name, bot));
    ok(json!({}))
}

fn remove_reaction(model: &mut Model, call: &Call) -> Outcome {
    let (spot, name, bot) = reaction(model, call)?;
    let it = model.messages.get_mut(&spot).ok_or_else(|| refused("message_not_found"))?;
    let at = it.reactions.iter().position(|one| *one == (name.clone(), bot)).ok_or_else(|| refused("no_reaction"))?;
    it.reactions.remove(at);
    ok(json!({}))
}

fn user_info(model: &mut Model, call: &Call) -> Outcome {
    let team = call.team()?;
    let user = call.text("user").and_then(|id| id.parse().ok()).and_then(|id| model.users.get(&id));
    let meets = |user: &&super::model::User| {
        let shares =
            |it: &Channel| it.members.contains(&user.id) && (it.team == team || it.shared_with.contains(&team));
        user.team == team || model.channels.values().any(shares)
    };
    let user = user.filter(meets).ok_or_else(|| refused("user_not_found"))?;
    let mut shown = wire::user(user);
    if user.team != team {
        shown["is_stranger"] = json!(true);
    }
    ok(json!({"user": shown}))
}

fn team_info(model: &mut Model, call: &Call) -> Outcome {
    ok(json!({"team": wire::team(&model.teams[&call.team()?])}))
}

/// The view of a request, within its limits.
fn form(model: &mut Model, call: &Call, what: &str) -> Outcome {
    let form = call.structure("view").map_err(|()| refused("invalid_arguments"))?;
    if !form.is_object() {
        return Err(refused("invalid_arguments"));
    }
    checked(model, what, limits::view(&form), "invalid_arguments")?;
    Ok(form)
}

/// Uses a trigger up.
fn trigger(model: &mut Model, call: &Call) -> Result<(String, Id), Refusal> {
    let name = call.needed("trigger_id", "invalid_trigger_id")?;
    let expired = model.faults.expire_triggers;
    let lasts = model.timing.trigger;
    let it = model.triggers.get_mut(&name).filter(|it| Some(it.team) == call.team);
    let it = it.ok_or_else(|| refused("invalid_trigger_id"))?;
    if std::mem::replace(&mut it.used, true) {
        return Err(refused("exchanged_trigger_id"));
    }
    if expired || it.made.elapsed() > lasts {
        return Err(refused("expired_trigger_id"));
    }
    Ok((name, it.user))
}

fn open_view(model: &mut Model, call: &Call) -> Outcome {
    let form = form(model, call, "views.open")?;
    if form["type"] != "modal" {
        return Err(refused("invalid_arguments"));
    }
    let (trigger, user) = trigger(model, call)?;
    let id = model.open_view(call.team()?, user, form, None);
    model.happenings.push(Happening::Opened(id, trigger));
    ok(json!({"view": wire::view(model, &model.views[&id])}))
}

fn update_view(model: &mut Model, call: &Call) -> Outcome {
    let form = form(model, call, "views.update")?;
    let (view_id, external) = (call.text("view_id"), call.text("external_id"));
    let named = |view: &&super::model::View| match (&view_id, &external) {
        (Some(id), _) => view.id.to_string() == *id,
        (None, Some(external)) => view.form["external_id"] == **external,
        (None, None) => false,
    };
    let view = model.views.values().find(named).filter(|view| view.open && Some(view.team) == call.team);
    let view = view.ok_or_else(|| refused("not_found"))?;
    if call.text("hash").is_some_and(|hash| hash != view.hash) {
        return Err(refused("hash_conflict"));
    }
    let id = view.id;
    model.set_view(id, form);
    model.happenings.push(Happening::Updated(id));
    ok(json!({"view": wire::view(model, &model.views[&id])}))
}

fn publish_view(model: &mut Model, call: &Call) -> Outcome {
    let team = call.team()?;
    let form = form(model, call, "views.publish")?;
    let user = call.text("user_id").and_then(|id| id.parse().ok()).filter(|id| model.users.contains_key(id));
    let user = user.ok_or_else(|| refused("user_not_found"))?;
    if form["type"] != "home" {
        return Err(refused("invalid_arguments"));
    }
    let known = model.home(team, user).map(|view| (view.id, view.hash.clone()));
    if let (Some((_, hash)), Some(given)) = (&known, call.text("hash"))
        && *hash != given
    {
        return Err(refused("hash_conflict"));
    }
    let id = match known {
        Some((id, _)) => {
            model.set_view(id, form);
            id
        }
        None => model.open_view(team, user, form, None),
    };
    model.happenings.push(Happening::Published(id));
    ok(json!({"view": wire::view(model, &model.views[&id])}))
}

fn open_connection(model: &mut Model, _: &Call) -> Outcome {
    if model.app.events_url.is_some() || !model.app.socket_mode {
        return Err(refused("socket_mode_not_enabled"));
    }
    let ticket = model.unique();
    let app = model.app.id.to_string();
    let url =
        if model.faults.dead_links { "ws://127.0.0.1:1/link".to_owned() } else { model.sockets.link(ticket, &app) };
    ok(json!({"url": url}))
}

fn authorizations(model: &mut Model, call: &Call) -> Outcome {
    let context = call.needed("event_context", "invalid_event_context")?;
    let named = context.split('-').nth(1).and_then(|id| id.parse().ok());
    let team: Id = named.ok_or_else(|| refused("invalid_event_context"))?;
    let bot = model.bot(team).map(|bot| wire::authorization(team, bot));
    ok(json!({"authorizations": bot.into_iter().collect::<Vec<Value>>()}))
}

fn exchange_code(model: &mut Model, call: &Call) -> Outcome {
    let (id, secret) = match &call.client {
        Some(pair) => pair.clone(),
        None => (call.needed("client_id", "invalid_client_id")?, call.needed("client_secret", "bad_client_secret")?),
    };
    if id != model.app.client_id {
        return Err(refused("invalid_client_id"));
    }
    if secret != model.app.client_secret {
        return Err(refused("bad_client_secret"));
    }
    let lasts = model.timing.code;
    let code = model.codes.get_mut(&call.needed("code", "invalid_code")?).ok_or_else(|| refused("invalid_code"))?;
    if std::mem::replace(&mut code.used, true) {
        return Err(refused("code_already_used"));
    }
    if code.made.elapsed() > lasts {
        return Err(refused("invalid_code"));
    }
    if code.redirect != call.text("redirect_uri") {
        return Err(refused("bad_redirect_uri"));
    }
    let (team, user) = (code.team, code.user);
    let made = model.install(team);
    let scopes: Vec<&String> = made.scopes.iter().collect();
    let scope = scopes.iter().map(|one| one.as_str()).collect::<Vec<&str>>().join(",");
    ok(json!({
        "access_token": made.token, "token_type": "bot", "scope": scope, "bot_user_id": made.bot.to_string(),
        "app_id": model.app.id.to_string(), "team": {"id": team.to_string(), "name": model.teams[&team].name},
        "enterprise": null, "is_enterprise_install": false, "authed_user": {"id": user.to_string()},
    }))
}

/// A POST to a response url: an ephemeral message, one for all, or a change of the message that was pressed on.
pub fn respond(model: &mut Model, name: &str, call: &Call) -> Outcome {
    let lasts = model.timing.response_url;
    let it = model.response_urls.get_mut(name).ok_or_else(|| refused("invalid_url"))?;
    if it.made.elapsed() > lasts {
        return Err(refused("expired_url"));
    }
    if it.used >= 5 {
        model.violations.push("a response url used more than five times".into());
        return Err(refused("used_url"));
    }
    it.used += 1;
    let (team, channel, user, on) = (it.team, it.channel, it.user, it.on);
    let install = model.install_of(team).cloned().ok_or_else(|| refused("account_inactive"))?;
    let body = call.message()?;
    if let Some(on) = on.filter(|_| call.flag("delete_original")) {
        model.remove_message(on);
        model.happenings.push(Happening::Replaced(on));
        return ok(json!({}));
    }
    checked(model, "response_url", limits::message(&body), "invalid_blocks")?;
    let text = call.text("text").unwrap_or_default();
    let blocks = body["blocks"].as_array().cloned().unwrap_or_default();
    if let Some(on) = on.filter(|_| call.flag("replace_original")) {
        model.change_message(on, |it| {
            it.text = text;
            it.blocks = blocks;
        });
        model.happenings.push(Happening::Replaced(on));
        return ok(json!({}));
    }
    let public = call.text("response_type").is_some_and(|kind| kind == "in_channel");
    let thread = call.text("thread_ts").and_then(|ts| ts.parse().ok());
    let only_for = (!public).then_some(user);
    let (bot_id, answers) = (Some(install.bot_id), Some(name.to_owned()));
    let draft = Draft { text, blocks, bot_id, only_for, answers, ..Draft::default() };
    model.post(Place { channel, thread }, install.bot, draft);
    ok(json!({}))
}
