//! The REST interface: a table of routes, and what each of them does to the model.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::limits::{AUTO_ARCHIVE, Form};
use super::model::{
    Command, DM, Draft, EPHEMERAL, FORUM, First, FirstKind, HAS_THREAD, Id, Interaction, LOADING, Message, Model,
    Nonce, PLAIN, Permissions, REPLY, THREAD_STARTER, now_ms,
};
use super::wire::{self, Event};

/// A request that has found its route.
pub struct Call {
    /// The variable pieces of the path, in order.
    pub pieces: Vec<String>,
    pub query: BTreeMap<String, String>,
    pub body: Value,
}

/// Status and body.
pub type Answer = (u16, Option<Value>);

/// Discord's way to say no.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub status: u16,
    pub code: u32,
    pub message: String,
    pub errors: Option<Value>,
}

type Outcome = Result<Answer, Refusal>;

pub struct Route {
    pub method: &'static str,
    /// As in the OpenAPI document.
    pub path: &'static str,
    /// Whether the token of the bot is asked for; the routes of interactions carry one in their path.
    pub with_token: bool,
    pub form: Form,
    pub carry_out: fn(&mut Model, &Call) -> Outcome,
}

const fn route(
    method: &'static str,
    path: &'static str,
    form: Form,
    carry_out: fn(&mut Model, &Call) -> Outcome,
) -> Route {
    Route { method, path, with_token: true, form, carry_out }
}

const fn open(
    method: &'static str,
    path: &'static str,
    form: Form,
    carry_out: fn(&mut Model, &Call) -> Outcome,
) -> Route {
    Route { method, path, with_token: false, form, carry_out }
}

const WEBHOOK: &str = "/webhooks/{webhook_id}/{webhook_token}";
const ORIGINAL: &str = "/webhooks/{webhook_id}/{webhook_token}/messages/@original";
const FOLLOWUP: &str = "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}";
const COMMANDS: &str = "/applications/{application_id}/commands";
const MESSAGES: &str = "/channels/{channel_id}/messages";
const MESSAGE: &str = "/channels/{channel_id}/messages/{message_id}";

/// Fixed pieces come before variable ones.
static ROUTES: [Route; 36] = [
    open("GET", "/gateway", Form::Nothing, gateway),
    route("GET", "/gateway/bot", Form::Nothing, gateway_bot),
    route("GET", "/users/@me", Form::Nothing, |model, _| ok(wire::own_user(model))),
    route("GET", "/users/@me/guilds", Form::Nothing, own_guilds),
    route("POST", "/users/@me/channels", Form::Other, open_dm),
    route("GET", "/applications/@me", Form::Nothing, |model, _| ok(wire::application(model))),
    route("GET", "/oauth2/applications/@me", Form::Nothing, |model, _| ok(wire::application(model))),
    route("GET", COMMANDS, Form::Nothing, commands),
    route("PUT", COMMANDS, Form::Commands, set_commands),
    route("GET", "/guilds/{guild_id}", Form::Nothing, |model, call| ok(wire::guild(joined(model, call)?))),
    route("GET", "/guilds/{guild_id}/roles", Form::Nothing, roles),
    route("GET", "/guilds/{guild_id}/channels", Form::Nothing, guild_channels),
    route("GET", "/guilds/{guild_id}/members/{user_id}", Form::Nothing, member),
    route("GET", "/guilds/{guild_id}/threads/active", Form::Nothing, active_threads),
    route("GET", "/channels/{channel_id}", Form::Nothing, channel),
    route("PATCH", "/channels/{channel_id}", Form::Channel, change_channel),
    route("GET", MESSAGES, Form::Nothing, messages),
    route("POST", MESSAGES, Form::Message, post_message),
    route("GET", MESSAGE, Form::Nothing, message),
    route("PATCH", MESSAGE, Form::Edit, edit_message),
    route("DELETE", MESSAGE, Form::Nothing, delete_message),
    route("POST", "/channels/{channel_id}/messages/{message_id}/threads", Form::Thread, thread_of_message),
    route("POST", "/channels/{channel_id}/threads", Form::ThreadOrPost, thread_of_channel),
    route("GET", "/channels/{channel_id}/threads/archived/public", Form::Nothing, archived_threads),
    route("PUT", "/channels/{channel_id}/messages/{message_id}/reactions/{emoji_name}/@me", Form::Nothing, react),
    route("DELETE", "/channels/{channel_id}/messages/{message_id}/reactions/{emoji_name}/@me", Form::Nothing, unreact),
    open("POST", "/interactions/{interaction_id}/{interaction_token}/callback", Form::Callback, callback),
    open("GET", ORIGINAL, Form::Nothing, |model, call| show_response(model, call, original)),
    open("PATCH", ORIGINAL, Form::Edit, |model, call| edit_response(model, call, original)),
    open("DELETE", ORIGINAL, Form::Nothing, |model, call| delete_response(model, call, original)),
    open("POST", WEBHOOK, Form::Followup, follow_up),
    open("GET", FOLLOWUP, Form::Nothing, |model, call| show_response(model, call, followup)),
    open("PATCH", FOLLOWUP, Form::Edit, |model, call| edit_response(model, call, followup)),
    open("DELETE", FOLLOWUP, Form::Nothing, |model, call| delete_response(model, call, followup)),
    route("DELETE", "/channels/{channel_id}", Form::Nothing, delete_channel),
    route("POST", "/channels/{channel_id}/typing", Form::Nothing, |model, call| {
        seen_channel(model, call)?;
        Ok((204, None))
    }),
];

/// The route of a path without its `/api/v10`, and the variable pieces.
pub fn find(method: &str, path: &str) -> Option<(&'static Route, Vec<String>)> {
    ROUTES.iter().filter(|route| route.method == method).find_map(|route| {
        let (mut wanted, mut given) = (route.path.split('/'), path.split('/'));
        let mut pieces = Vec::new();
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return Some((route, pieces)),
                (Some(piece), Some(text)) if piece.starts_with('{') => pieces.push(decoded(text)),
                (Some(piece), Some(text)) if piece == decoded(text) => {}
                _ => return None,
            }
        }
    })
}

/// A piece of a path without percent signs.
fn decoded(piece: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = piece.as_bytes();
    while let [first, after @ ..] = rest {
        let code = after.get(..2).filter(|_| *first == b'%');
        match code.and_then(|code| data_encoding::HEXUPPER_PERMISSIVE.decode(code).ok()) {
            Some(byte) => {
                bytes.extend(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Refusal {
    pub fn new(status: u16, code: u32, message: &str) -> Refusal {
        Refusal { status, code, message: message.to_owned(), errors: None }
    }

    /// 50035 with where and why.
    pub fn invalid(at: &str, why: &str) -> Refusal {
        let inner = json!({"_errors": [{"code": "INVALID", "message": why}]});
        let path = at.split(['.', '[', ']']).filter(|piece| !piece.is_empty()).rev();
        let errors = path.fold(inner, |inside, piece| json!({piece: inside}));
        Refusal { errors: Some(errors), ..Refusal::new(400, 50035, "Invalid Form Body") }
    }

    pub fn body(&self) -> Value {
        let mut body = json!({"message": self.message, "code": self.code});
        if let Some(errors) = &self.errors {
            body["errors"] = errors.clone();
        }
        body
    }
}

fn missing_permissions() -> Refusal {
    Refusal::new(403, 50013, "Missing Permissions")
}

fn missing_access() -> Refusal {
    Refusal::new(403, 50001, "Missing Access")
}

fn unknown_channel() -> Refusal {
    Refusal::new(404, 10003, "Unknown Channel")
}

fn unknown_message() -> Refusal {
    Refusal::new(404, 10008, "Unknown Message")
}

fn ok(body: Value) -> Outcome {
    Ok((200, Some(body)))
}

fn nothing() -> Outcome {
    Ok((204, None))
}

impl Call {
    fn id(&self, at: usize) -> Result<Id, Refusal> {
        let text = self.pieces.get(at).map(String::as_str).unwrap_or_default();
        text.parse().map_err(|_| Refusal::invalid("id", &format!("Value \"{text}\" is not snowflake.")))
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.query.get(name)?.parse().ok()
    }

    fn list(&self, name: &str) -> Vec<Value> {
        self.body[name].as_array().cloned().unwrap_or_default()
    }
}

fn gateway(model: &mut Model, _: &Call) -> Outcome {
    ok(json!({"url": model.sessions.url}))
}

fn gateway_bot(model: &mut Model, _: &Call) -> Outcome {
    let sessions = &model.sessions;
    ok(json!({
        "url": sessions.url, "shards": sessions.recommended_shards,
        "session_start_limit": {
            "total": 1000, "remaining": 1000_u32.saturating_sub(sessions.identified), "reset_after": u64::try_from(sessions.reset_after.as_millis()).unwrap_or(u64::MAX),
            "max_concurrency": sessions.max_concurrency,
        },
    }))
}

fn own_guilds(model: &mut Model, call: &Call) -> Outcome {
    let bot = model.application.bot;
    let after = call.number("after").unwrap_or_default();
    let limit = usize::try_from(call.number("limit").unwrap_or(200)).unwrap_or(200);
    let mine = model.guilds.values().filter(|guild| guild.id > after && guild.members.contains_key(&bot)).take(limit);
    let show = |guild: &super::model::Guild| {
        json!({
            "id": guild.id.to_string(), "name": guild.name, "icon": null, "banner": null, "owner": false,
            "permissions": model.guild_permissions(guild.id, bot).bits().to_string(), "features": [],
        })
    };
    ok(mine.map(show).collect())
}

fn open_dm(model: &mut Model, call: &Call) -> Outcome {
    let user = call.body["recipient_id"].as_str().and_then(|id| id.parse().ok());
    let Some(user) = user.filter(|user| model.users.contains_key(user)) else {
        return Err(Refusal::new(400, 50033, "Invalid Recipient(s)"));
    };
    let id = model.dm(user);
    ok(wire::channel(model, &model.channels[&id]))
}

fn own_application(model: &Model, call: &Call) -> Result<(), Refusal> {
    if call.id(0)? == model.application.id { Ok(()) } else { Err(Refusal::new(404, 10002, "Unknown Application")) }
}

fn shown_commands(model: &Model) -> Value {
    let show = |one: &Command| wire::command(model.application.id, one.id, &one.form);
    model.application.commands.iter().map(show).collect()
}

fn commands(model: &mut Model, call: &Call) -> Outcome {
    own_application(model, call)?;
    ok(shown_commands(model))
}

fn set_commands(model: &mut Model, call: &Call) -> Outcome {
    own_application(model, call)?;
    let known = std::mem::take(&mut model.application.commands);
    let key = |form: &Value| (form["name"].clone(), form["type"].as_u64().unwrap_or(1));
    for mut form in call.body.as_array().cloned().unwrap_or_default() {
        if let Some(bits) = form["default_member_permissions"].as_u64() {
            form["default_member_permissions"] = json!(bits.to_string());
        }
        let same = known.iter().find(|one| key(&one.form) == key(&form)).map(|one| one.id);
        let id = same.unwrap_or_else(|| model.id());
        model.application.commands.push(Command { id, form });
    }
    ok(shown_commands(model))
}

fn joined<'a>(model: &'a Model, call: &Call) -> Result<&'a super::model::Guild, Refusal> {
    let id = call.id(0)?;
    let guild = model.guilds.get(&id).filter(|_| model.bot_is_in(id));
    guild.ok_or_else(|| Refusal::new(404, 10004, "Unknown Guild"))
}

fn roles(model: &mut Model, call: &Call) -> Outcome {
    ok(Value::Array(wire::roles(joined(model, call)?)))
}

fn guild_channels(model: &mut Model, call: &Call) -> Outcome {
    let guild = joined(model, call)?.id;
    let of_guild = model.channels.values().filter(|one| one.guild == Some(guild) && !one.is_thread());
    ok(of_guild.map(|one| wire::channel(model, one)).collect())
}

fn member(model: &mut Model, call: &Call) -> Outcome {
    let guild = joined(model, call)?.id;
    let user = call.id(1)?;
    if !model.users.contains_key(&user) {
        return Err(Refusal::new(404, 10013, "Unknown User"));
    }
    wire::member(model, guild, user).map_or_else(|| Err(Refusal::new(404, 10007, "Unknown Member")), ok)
}

/// Threads the bot may see, newest first.
fn shown_threads<'a>(model: &'a Model, fits: impl Fn(&super::model::Channel) -> bool + 'a) -> Value {
    let threads = model.channels.values().rev().filter(|one| one.is_thread() && fits(one));
    let visible =
        threads.filter(|one| model.permissions(one.id, model.application.bot).contains(Permissions::VIEW_CHANNEL));
    let visible: Vec<_> = visible.collect();
    let members: Vec<Value> = visible.iter().filter_map(|one| wire::own_thread_member(model, one.id)).collect();
    let shown: Vec<Value> = visible.into_iter().map(|one| wire::channel(model, one)).collect();
    json!({"threads": shown, "members": members, "has_more": false})
}

fn active_threads(model: &mut Model, call: &Call) -> Outcome {
    let guild = joined(model, call)?.id;
    let alive = move |one: &super::model::Channel| {
        one.guild == Some(guild) && one.thread.as_ref().is_some_and(|thread| !thread.archived)
    };
    ok(shown_threads(model, alive))
}

/// All of them at once: the fake's channels are small, so `has_more` is always false.
fn archived_threads(model: &mut Model, call: &Call) -> Outcome {
    let parent = readable_channel(model, call)?;
    let archived = move |one: &super::model::Channel| {
        one.parent == Some(parent) && one.thread.as_ref().is_some_and(|thread| thread.archived)
    };
    ok(shown_threads(model, archived))
}

/// The channel of the path, when the bot can see it.
fn seen_channel(model: &Model, call: &Call) -> Result<Id, Refusal> {
    let id = call.id(0)?;
    if !model.channels.contains_key(&id) {
        return Err(unknown_channel());
    }
    if model.permissions(id, model.application.bot).contains(Permissions::VIEW_CHANNEL) {
        Ok(id)
    } else {
        Err(missing_access())
    }
}

fn needs(model: &Model, channel: Id, permissions: Permissions) -> Result<(), Refusal> {
    let has = model.permissions(channel, model.application.bot);
    if has.contains(permissions) { Ok(()) } else { Err(missing_permissions()) }
}

fn readable_channel(model: &Model, call: &Call) -> Result<Id, Refusal> {
    let id = seen_channel(model, call)?;
    needs(model, id, Permissions::READ_MESSAGE_HISTORY)?;
    Ok(id)
}

fn channel(model: &mut Model, call: &Call) -> Outcome {
    let id = seen_channel(model, call)?;
    ok(wire::channel(model, &model.channels[&id]))
}

fn delete_channel(model: &mut Model, call: &Call) -> Outcome {
    let id = seen_channel(model, call)?;
    let it = &model.channels[&id];
    let shown = wire::channel(model, it);
    if it.kind == DM {
        return ok(shown);
    }
    needs(model, id, if it.is_thread() { Permissions::MANAGE_THREADS } else { Permissions::MANAGE_CHANNELS })?;
    model.remove_channel(id);
    ok(shown)
}

fn change_channel(model: &mut Model, call: &Call) -> Outcome {
    let id = seen_channel(model, call)?;
    let bot = model.application.bot;
    let may = model.permissions(id, bot);
    let name = call.body["name"].as_str().map(str::to_owned);
    let it = model.channels.get_mut(&id).ok_or_else(unknown_channel)?;
    let Some(thread) = &mut it.thread else {
        if !may.contains(Permissions::MANAGE_CHANNELS) {
            return Err(missing_permissions());
        }
        it.name = name.unwrap_or_else(|| it.name.clone());
        model.tell(&Event::ChannelUpdate(id));
        return ok(wire::channel(model, &model.channels[&id]));
    };
    let manages = may.contains(Permissions::MANAGE_THREADS);
    let (archived, locked) = (call.body["archived"].as_bool(), call.body["locked"].as_bool());
    let only_opens = archived == Some(false) && thread.archived;
    if thread.archived && !only_opens {
        return Err(Refusal::new(400, 50083, "Thread is archived"));
    }
    // An author may lock an own thread; opening a locked one takes a moderator.
    let opens_as_writer = only_opens && may.contains(Permissions::SEND_MESSAGES_IN_THREADS);
    let unlocks = thread.locked && (only_opens || locked == Some(false));
    let as_member = (thread.owner == bot && !only_opens) || (opens_as_writer && locked.is_none());
    if !manages && (unlocks || !as_member) {
        return Err(missing_permissions());
    }
    if let Some(archived) = archived.filter(|archived| *archived != thread.archived) {
        thread.archived = archived;
        thread.archive_changed_ms = now_ms();
    }
    thread.locked = locked.unwrap_or(thread.locked);
    thread.auto_archive_minutes = call.body["auto_archive_duration"].as_u64().unwrap_or(thread.auto_archive_minutes);
    if call.body["applied_tags"].is_array() {
        thread.applied_tags = tags(call);
    }
    it.name = name.unwrap_or_else(|| it.name.clone());
    model.tell(&Event::ThreadUpdate(id));
    ok(wire::channel(model, &model.channels[&id]))
}

/// For the bot, by REST.
fn shown(model: &Model, it: &Message) -> Value {
    wire::message(model, it, model.application.message_content)
}

fn messages(model: &mut Model, call: &Call) -> Outcome {
    let id = seen_channel(model, call)?;
    if !model.permissions(id, model.application.bot).contains(Permissions::READ_MESSAGE_HISTORY) {
        return ok(json!([]));
    }
    let given = ["after", "before", "around"].iter().filter(|name| call.query.contains_key(**name)).count();
    if given > 1 {
        return Err(Refusal::invalid("after", "Only one of after, before and around may be given"));
    }
    let limit = usize::try_from(call.number("limit").unwrap_or(50)).unwrap_or(50);
    let all: Vec<&Message> = model.public_messages(id).collect();
    let index_of = |id: u64| all.partition_point(|message| message.id < id);
    let range = if let Some(after) = call.number("after") {
        let from = index_of(after + 1);
        from..(from + limit).min(all.len())
    } else if let Some(around) = call.number("around") {
        let from = index_of(around).saturating_sub(limit / 2);
        from..(from + limit).min(all.len())
    } else {
        let to = call.number("before").map_or(all.len(), index_of);
        to.saturating_sub(limit)..to
    };
    ok(all[range].iter().rev().map(|one| shown(model, one)).collect())
}

/// The message of the path, when everybody sees it.
fn public_message<'a>(model: &'a Model, call: &Call, channel: Id) -> Result<&'a Message, Refusal> {
    let id = call.id(1)?;
    let it = model.messages.get(&id).filter(|it| it.channel == channel && it.only_for.is_none());
    it.ok_or_else(unknown_message)
}

fn message(model: &mut Model, call: &Call) -> Outcome {
    let channel = readable_channel(model, call)?;
    ok(shown(model, public_message(model, call, channel)?))
}

/// Refuses what cannot be changed any more because its thread is archived.
fn not_archived(model: &Model, channel: Id) -> Result<(), Refusal> {
    let archived = model.channels.get(&channel).and_then(|it| it.thread.as_ref()).is_some_and(|it| it.archived);
    if archived { Err(Refusal::new(400, 50083, "Thread is archived")) } else { Ok(()) }
}

fn tags(call: &Call) -> Vec<Id> {
    call.list("applied_tags").iter().filter_map(|tag| tag.as_str()?.parse().ok()).collect()
}

fn draft(model: &Model, channel: Id, body: &Value) -> Draft {
    let bot = model.application.bot;
    let content = body["content"].as_str().unwrap_or_default().trim().to_owned();
    let reference = body["message_reference"]["message_id"].as_str().and_then(|id| id.parse().ok());
    let pinged = model.pinged(channel, bot, &content, body.get("allowed_mentions"));
    Draft {
        kind: if reference.is_some() { REPLY } else { PLAIN },
        embeds: embeds(body),
        components: components(body),
        flags: body["flags"].as_u64().unwrap_or_default() & !LOADING,
        nonce: body.get("nonce").filter(|nonce| !nonce.is_null()).cloned(),
        pinged,
        reference,
        content,
        ..Draft::default()
    }
}

fn embeds(body: &Value) -> Vec<Value> {
    let mut all = body["embeds"].as_array().cloned().unwrap_or_default();
    for embed in &mut all {
        embed["type"] = json!("rich");
        for field in embed.get_mut("fields").and_then(Value::as_array_mut).into_iter().flatten() {
            if field["inline"].is_null() {
                field["inline"] = json!(false);
            }
        }
    }
    all
}

/// Discord numbers components that have no number.
fn components(body: &Value) -> Vec<Value> {
    let mut rows = body["components"].as_array().cloned().unwrap_or_default();
    let mut next = 0;
    let mut number = |one: &mut Value| {
        next += 1;
        if one["id"].is_null() {
            one["id"] = json!(next);
        }
        if one["type"] == 3 {
            for (name, usual) in [("min_values", 1), ("max_values", 1)] {
                if one[name].is_null() {
                    one[name] = json!(usual);
                }
            }
        }
    };
    for row in &mut rows {
        number(row);
        row["components"].as_array_mut().into_iter().flatten().for_each(&mut number);
    }
    rows
}

/// Takes the embeds away when the bot may not post them; what then says nothing is refused.
fn without_forbidden_embeds(model: &Model, channel: Id, mut draft: Draft) -> Result<Draft, Refusal> {
    if needs(model, channel, Permissions::EMBED_LINKS).is_err() {
        draft.embeds.clear();
        if draft.content.is_empty() && draft.components.is_empty() {
            return Err(missing_permissions());
        }
    }
    Ok(draft)
}

fn may_post(model: &Model, channel: Id) -> Result<(), Refusal> {
    let it = model.channels.get(&channel).ok_or_else(unknown_channel)?;
    if let Some(user) = it.recipient {
        let shares = |guild: &super::model::Guild| {
            guild.members.contains_key(&user) && guild.members.contains_key(&model.application.bot)
        };
        let closed = model.users.get(&user).is_none_or(|user| user.closed) || !model.guilds.values().any(shares);
        return if closed { Err(Refusal::new(403, 50007, "Cannot send messages to this user")) } else { Ok(()) };
    }
    if it.kind == FORUM {
        return Err(Refusal::new(400, 50008, "Cannot send messages in a non-text channel"));
    }
    match &it.thread {
        Some(thread) => {
            needs(model, channel, Permissions::SEND_MESSAGES_IN_THREADS)?;
            let manages = needs(model, channel, Permissions::MANAGE_THREADS).is_ok();
            if thread.locked && !manages {
                return Err(Refusal::new(400, 160_005, "This thread is locked"));
            }
            Ok(())
        }
        None => needs(model, channel, Permissions::SEND_MESSAGES),
    }
}

fn post_message(model: &mut Model, call: &Call) -> Outcome {
    let channel = seen_channel(model, call)?;
    may_post(model, channel)?;
    if let Some(known) = remembered(model, &call.body) {
        return ok(with_nonce(model, known));
    }
    let draft = without_forbidden_embeds(model, channel, draft(model, channel, &call.body))?;
    let id = model.post(channel, model.application.bot, draft);
    remember(model, &call.body, id);
    ok(with_nonce(model, id))
}

fn with_nonce(model: &Model, id: Id) -> Value {
    let it = &model.messages[&id];
    let mut whole = shown(model, it);
    if let Some(nonce) = &it.nonce {
        whole["nonce"] = nonce.clone();
    }
    whole
}

/// The message that was posted with this nonce a short time ago.
fn remembered(model: &mut Model, body: &Value) -> Option<Id> {
    if body["enforce_nonce"] != true {
        return None;
    }
    let keep = model.timing.nonce;
    model.nonces.retain(|nonce| nonce.at.elapsed() < keep);
    let (bot, text) = (model.application.bot, body["nonce"].to_string());
    let known = model.nonces.iter().find(|nonce| nonce.author == bot && nonce.text == text)?;
    model.messages.contains_key(&known.message).then_some(known.message)
}

fn remember(model: &mut Model, body: &Value, message: Id) {
    if body["nonce"].is_null() {
        return;
    }
    let (author, text) = (model.application.bot, body["nonce"].to_string());
    model.nonces.push(Nonce { author, text, at: std::time::Instant::now(), message });
}

fn edit_message(model: &mut Model, call: &Call) -> Outcome {
    let channel = seen_channel(model, call)?;
    let it = public_message(model, call, channel)?;
    let id = it.id;
    if it.author != model.application.bot {
        return Err(Refusal::new(403, 50005, "Cannot edit a message authored by another user"));
    }
    not_archived(model, channel)?;
    let mut body = call.body.clone();
    // Without the permission an edit takes no embeds and says nothing about it (discord-api-docs issue 2601).
    if body.get("embeds").is_some() && needs(model, channel, Permissions::EMBED_LINKS).is_err() {
        body["embeds"] = json!([]);
    }
    model.edit_message(id, &body);
    ok(shown(model, &model.messages[&id]))
}

fn delete_message(model: &mut Model, call: &Call) -> Outcome {
    let channel = seen_channel(model, call)?;
    let it = public_message(model, call, channel)?;
    let id = it.id;
    if it.author != model.application.bot {
        needs(model, channel, Permissions::MANAGE_MESSAGES)?;
    }
    not_archived(model, channel)?;
    model.remove_message(id);
    nothing()
}

fn thread_of_message(model: &mut Model, call: &Call) -> Outcome {
    let channel = seen_channel(model, call)?;
    needs(model, channel, Permissions::CREATE_PUBLIC_THREADS | Permissions::READ_MESSAGE_HISTORY)?;
    let message = public_message(model, call, channel)?.id;
    if !wire::takes_threads_from_messages(&model.channels[&channel]) {
        return Err(Refusal::new(400, 50024, "Cannot execute action on this channel type"));
    }
    if model.channels.contains_key(&message) {
        return Err(Refusal::new(400, 160_004, "A thread has already been created for this message"));
    }
    let id = open_thread(model, call, channel, Some(message));
    let bot = model.application.bot;
    let author = model.messages[&message].author;
    if let Some(it) = model.messages.get_mut(&message) {
        it.flags |= HAS_THREAD;
    }
    model.tell(&Event::ThreadCreate(id));
    let starter = Draft { kind: THREAD_STARTER, reference: Some(message), ..Draft::default() };
    model.post(id, author, starter);
    model.tell(&Event::MessageUpdate(message));
    if let Some(thread) = model.channels.get_mut(&id).and_then(|it| it.thread.as_mut()) {
        thread.members.insert(bot);
    }
    Ok((201, Some(wire::channel(model, &model.channels[&id]))))
}

fn open_thread(model: &mut Model, call: &Call, parent: Id, of: Option<Id>) -> Id {
    let name = call.body["name"].as_str().unwrap_or_default().to_owned();
    let id = model.thread(parent, of, &name, model.application.bot);
    if let Some(thread) = model.channels.get_mut(&id).and_then(|it| it.thread.as_mut()) {
        thread.auto_archive_minutes = call.body["auto_archive_duration"].as_u64().unwrap_or(AUTO_ARCHIVE[1]);
        thread.applied_tags = tags(call);
    }
    id
}

fn thread_of_channel(model: &mut Model, call: &Call) -> Outcome {
    let channel = seen_channel(model, call)?;
    let it = &model.channels[&channel];
    if it.kind != FORUM {
        needs(model, channel, Permissions::CREATE_PUBLIC_THREADS)?;
        let id = open_thread(model, call, channel, None);
        model.tell(&Event::ThreadCreate(id));
        return Ok((201, Some(wire::channel(model, &model.channels[&id]))));
    }
    // In a forum, Send Messages is the permission to create posts.
    needs(model, channel, Permissions::SEND_MESSAGES)?;
    if let Some(wrong) = tags(call).iter().find(|tag| !it.tags.iter().any(|known| known.0 == **tag)) {
        return Err(Refusal::invalid("applied_tags", &format!("Unknown tag {wrong}")));
    }
    let body = &call.body["message"];
    if body.is_null() {
        return Err(Refusal::invalid("message", "This field is required"));
    }
    if let Some(known) = remembered(model, body) {
        return Ok((201, Some(post_with_message(model, known))));
    }
    let draft = without_forbidden_embeds(model, channel, draft(model, channel, body))?;
    let id = open_thread(model, call, channel, None);
    model.tell(&Event::ThreadCreate(id));
    let bot = model.application.bot;
    model.add_message_as(id, id, bot, draft);
    model.tell(&Event::MessageCreate(id));
    remember(model, body, id);
    Ok((201, Some(post_with_message(model, id))))
}

fn post_with_message(model: &Model, id: Id) -> Value {
    let mut whole = wire::channel(model, &model.channels[&id]);
    whole["message"] = with_nonce(model, id);
    whole
}

fn react(model: &mut Model, call: &Call) -> Outcome {
    let channel = seen_channel(model, call)?;
    let id = public_message(model, call, channel)?.id;
    not_archived(model, channel)?;
    needs(model, channel, Permissions::READ_MESSAGE_HISTORY)?;
    let bot = model.application.bot;
    let emoji = call.pieces.get(2).cloned().unwrap_or_default();
    if emoji.is_ascii() {
        return Err(Refusal::new(400, 10014, "Unknown Emoji"));
    }
    let already = model.messages[&id].reactions.iter().any(|(one, _)| *one == emoji);
    if !already {
        needs(model, channel, Permissions::ADD_REACTIONS)?;
    }
    if let Some(it) = model.messages.get_mut(&id)
        && !it.reactions.contains(&(emoji.clone(), bot))
    {
        it.reactions.push((emoji, bot));
    }
    nothing()
}

fn unreact(model: &mut Model, call: &Call) -> Outcome {
    let channel = seen_channel(model, call)?;
    let id = public_message(model, call, channel)?.id;
    not_archived(model, channel)?;
    let one = (call.pieces.get(2).cloned().unwrap_or_default(), model.application.bot);
    if let Some(it) = model.messages.get_mut(&id) {
        it.reactions.retain(|reaction| *reaction != one);
    }
    nothing()
}

fn callback(model: &mut Model, call: &Call) -> Outcome {
    let id = call.id(0)?;
    let unknown = || Refusal::new(404, 10062, "Unknown interaction");
    let limit = model.timing.first_response;
    let it = model.interactions.get(&id).filter(|it| call.pieces.get(1) == Some(&it.token)).ok_or_else(unknown)?;
    if it.first.is_some() {
        return Err(Refusal::new(400, 40060, "Interaction has already been acknowledged."));
    }
    let after = it.begun.elapsed();
    if after > limit {
        return Err(unknown());
    }
    let (kind, channel, on) = (it.kind, it.channel, it.on_message);
    let answer = call.body["type"].as_u64().unwrap_or_default();
    let fits = match kind {
        2 => matches!(answer, 4 | 5 | 9),
        3 => matches!(answer, 4..=7 | 9),
        4 => answer == 8,
        _ => matches!(answer, 4 | 5) || (matches!(answer, 6 | 7) && on.is_some()),
    };
    if !fits {
        model.violations.push(format!("an interaction of kind {kind} was answered with a response of type {answer}"));
        return Err(Refusal::invalid("type", "This response does not fit the interaction"));
    }
    let data = &call.body["data"];
    let (what, original) = match answer {
        4 => (FirstKind::Message, Some(respond(model, id, data, 0))),
        5 => (FirstKind::Deferred, Some(respond(model, id, data, LOADING))),
        6 => (FirstKind::DeferredUpdate, on),
        7 => {
            if let Some(on) = on {
                model.edit_message(on, data);
            }
            (FirstKind::Update, on)
        }
        8 => (FirstKind::Choices(data["choices"].as_array().cloned().unwrap_or_default()), None),
        _ => (FirstKind::Modal(data.clone()), None),
    };
    if let Some(it) = model.interactions.get_mut(&id) {
        it.filled = !matches!(what, FirstKind::Deferred | FirstKind::DeferredUpdate);
        it.original = original;
        it.first = Some(First { after, what });
    }
    if call.query.get("with_response").is_none_or(|value| value != "true") {
        return nothing();
    }
    let mut shown_interaction = json!({
        "id": id.to_string(), "type": kind, "channel_id": channel.to_string(),
        "response_message_loading": answer == 5,
    });
    let mut body = json!({});
    if let Some(message) = original.and_then(|original| model.messages.get(&original)) {
        shown_interaction["response_message_id"] = json!(message.id.to_string());
        shown_interaction["response_message_ephemeral"] = json!(message.only_for.is_some());
        body["resource"] = json!({"type": answer, "message": shown(model, message)});
    }
    body["interaction"] = shown_interaction;
    ok(body)
}

/// Adds a response to the channel, for everybody or for the one who asked.
fn respond(model: &mut Model, interaction: Id, data: &Value, more_flags: u64) -> Id {
    let it = &model.interactions[&interaction];
    let (channel, user) = (it.channel, it.user);
    let kind = match it.kind {
        2 if it.data["type"] == 1 => super::model::COMMAND_RESPONSE,
        2 => super::model::MENU_RESPONSE,
        _ if it.on_message.is_some() => REPLY,
        _ => PLAIN,
    };
    let reference = it.on_message.filter(|_| kind == REPLY);
    let mut draft = Draft { kind, reference, interaction: Some(interaction), ..draft(model, channel, data) };
    draft.flags |= more_flags;
    draft.only_for = (draft.flags & EPHEMERAL != 0).then_some(user);
    model.post(channel, model.application.bot, draft)
}

/// The interaction behind the token of a path.
fn by_token<'a>(model: &'a Model, call: &Call) -> Result<&'a Interaction, Refusal> {
    let unknown = || Refusal::new(404, 10015, "Unknown Webhook");
    if call.id(0)? != model.application.id {
        return Err(unknown());
    }
    let it = model.interactions.values().find(|it| call.pieces.get(1) == Some(&it.token)).ok_or_else(unknown)?;
    if it.begun.elapsed() > model.timing.token {
        return Err(Refusal::new(401, 50027, "Invalid Webhook Token"));
    }
    if it.first.is_none() { Err(unknown()) } else { Ok(it) }
}

type Which = fn(&Model, &Call) -> Result<(Id, Id), Refusal>;

/// (interaction, message) of `@original`.
fn original(model: &Model, call: &Call) -> Result<(Id, Id), Refusal> {
    let it = by_token(model, call)?;
    let message = it.original.filter(|id| model.messages.contains_key(id)).ok_or_else(unknown_message)?;
    Ok((it.id, message))
}

/// (interaction, message) of a followup, or of the original by its id.
fn followup(model: &Model, call: &Call) -> Result<(Id, Id), Refusal> {
    let it = by_token(model, call)?;
    let id = call.id(2)?;
    let own = it.original == Some(id) || it.followups.contains(&id);
    if own && model.messages.contains_key(&id) { Ok((it.id, id)) } else { Err(unknown_message()) }
}

fn show_response(model: &Model, call: &Call, which: Which) -> Outcome {
    let (_, message) = which(model, call)?;
    ok(shown(model, &model.messages[&message]))
}

fn edit_response(model: &mut Model, call: &Call, which: Which) -> Outcome {
    let (interaction, message) = which(model, call)?;
    not_archived(model, model.messages[&message].channel)?;
    model.edit_message(message, &call.body);
    if let Some(it) = model.interactions.get_mut(&interaction) {
        it.filled |= it.original == Some(message);
    }
    ok(shown(model, &model.messages[&message]))
}

fn delete_response(model: &mut Model, call: &Call, which: Which) -> Outcome {
    let (_, message) = which(model, call)?;
    model.remove_message(message);
    nothing()
}

/// The first followup of a deferred response takes its place.
fn follow_up(model: &mut Model, call: &Call) -> Outcome {
    let it = by_token(model, call)?;
    let id = it.id;
    let waits = !it.filled && matches!(it.first.as_ref().map(|first| &first.what), Some(FirstKind::Deferred));
    if let Some(original) = it.original.filter(|original| waits && model.messages.contains_key(original)) {
        model.edit_message(original, &call.body);
        if let Some(it) = model.interactions.get_mut(&id) {
            it.filled = true;
        }
        return ok(shown(model, &model.messages[&original]));
    }
    let message = respond(model, id, &call.body, 0);
    if let Some(it) = model.interactions.get_mut(&id) {
        it.followups.push(message);
    }
    ok(shown(model, &model.messages[&message]))
}

impl Model {
    /// Adds a message and tells of it; an archived thread wakes up.
    pub fn post(&mut self, channel: Id, author: Id, draft: Draft) -> Id {
        let thread = self.channels.get_mut(&channel).and_then(|it| it.thread.as_mut());
        if let Some(thread) = thread.filter(|thread| thread.archived && draft.only_for.is_none()) {
            thread.archived = false;
            thread.archive_changed_ms = now_ms();
            self.tell(&Event::ThreadUpdate(channel));
        }
        let private = draft.only_for.is_some();
        let id = self.add_message(channel, author, draft);
        if !private {
            self.tell(&Event::MessageCreate(id));
        }
        id
    }

    /// Changes what the body names and leaves the rest. Edits call nobody.
    pub fn edit_message(&mut self, id: Id, body: &Value) {
        let (new_embeds, new_components) = (embeds(body), components(body));
        let Some(it) = self.messages.get_mut(&id) else { return };
        if let Some(content) = body.get("content") {
            it.content = content.as_str().unwrap_or_default().trim().to_owned();
        }
        if body.get("embeds").is_some() {
            it.embeds = new_embeds;
        }
        if body.get("components").is_some() {
            it.components = new_components;
        }
        // A deferred response that gets its content was not edited.
        it.edited_ms = if it.flags & LOADING == 0 { Some(now_ms()) } else { None };
        it.flags &= !LOADING;
        if it.only_for.is_none() {
            self.tell(&Event::MessageUpdate(id));
        }
    }

    pub fn remove_message(&mut self, id: Id) {
        let Some(it) = self.messages.remove(&id) else { return };
        if it.only_for.is_none() {
            self.tell(&Event::MessageDelete(id, it.channel));
        }
    }

    /// A channel goes with its threads; all of their messages go too.
    pub fn remove_channel(&mut self, id: Id) {
        let Some(it) = self.channels.get(&id) else { return };
        let below: Vec<Id> = self.channels.values().filter(|one| one.parent == Some(id)).map(|one| one.id).collect();
        let event = match (it.parent, it.guild) {
            (Some(parent), Some(guild)) => Event::ThreadDelete { id, parent, guild, kind: it.kind },
            (None, Some(guild)) => Event::ChannelDelete { guild, shown: wire::channel(self, it) },
            _ => return,
        };
        self.channels.remove(&id);
        self.messages.retain(|_, message| message.channel != id && !below.contains(&message.channel));
        self.channels.retain(|_, one| one.parent != Some(id));
        self.tell(&event);
    }
}
