//! What people do: they write, type commands, press buttons and fill forms, and see what comes of it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::Fake;
use super::chat::{Draft, elements, values_of};
use super::events::What;
use super::limits;
use super::model::{Channel, Happening, Id, Kind, Model, Place, Spot, View};
use super::text::{self, Screen, Shown};
use super::wire;

/// What somebody saw as the outcome of a command or an interaction.
#[derive(Clone, Debug)]
pub struct Seen {
    /// How long the acknowledgement took; `None` when there was none.
    pub ack_after: Option<Duration>,
    pub kind: SeenKind,
    pub message: Option<Spot>,
    pub view: Option<Id>,
    /// What was wrong with a form, by block id.
    pub errors: BTreeMap<String, String>,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeenKind {
    /// A message for this person alone, or for all.
    Message { ephemeral: bool },
    /// The message that was acted on was changed or taken away.
    Changed,
    /// A form opened.
    Modal,
    /// The form or Home that was acted on shows something else.
    Updated,
    /// The form said what was wrong.
    Errors,
    /// The form closed, and nothing came after it.
    Closed,
    /// Only the form itself remembers it; the app is not told yet.
    Filled,
    /// Acknowledged, but nothing came of it.
    Silent,
    /// Not acknowledged: "the app did not respond".
    Nothing,
    /// The client does not let it happen; the app never hears of it.
    Refused,
}

/// What people act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Message(Spot),
    View(Id),
}

impl From<Spot> for Target {
    fn from(spot: Spot) -> Target {
        Target::Message(spot)
    }
}

impl From<Id> for Target {
    fn from(view: Id) -> Target {
        Target::View(view)
    }
}

impl From<&Shown> for Target {
    fn from(shown: &Shown) -> Target {
        Target::Message(shown.spot)
    }
}

impl From<&Screen> for Target {
    fn from(screen: &Screen) -> Target {
        Target::View(screen.id)
    }
}

impl From<&Seen> for Target {
    #[track_caller]
    fn from(seen: &Seen) -> Target {
        let view = seen.view.map(Target::View);
        view.or(seen.message.map(Target::Message)).unwrap_or_else(|| panic!("nothing to act on: {seen:?}"))
    }
}

impl Seen {
    /// The message, the form, or why nothing happened.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The form that opened or shows something else.
    #[track_caller]
    pub fn modal(&self) -> Id {
        self.view.unwrap_or_else(|| panic!("no form but {:?}: {}", self.kind, self.text))
    }

    fn of(kind: SeenKind, ack_after: Option<Duration>, text: &str) -> Seen {
        Seen { ack_after, kind, message: None, view: None, errors: BTreeMap::new(), text: text.to_owned() }
    }
}

/// Why a client does not let something happen.
type Refused = String;

/// Something that is on its way to the app.
struct Act {
    what: What,
    payload: Value,
    /// A submission may be answered in its acknowledgement, and so may a command.
    accepts_payload: bool,
    user: Id,
    team: Id,
    channel: Option<Id>,
    trigger: String,
    on: Option<Target>,
}

/// Messages.
impl Fake {
    /// Somebody types words in a channel, or in the thread of a message.
    #[track_caller]
    pub fn write(&self, user: Id, place: impl Into<Place>, text: &str) -> Spot {
        self.try_write(user, place, text).unwrap_or_else(|why| panic!("{why}"))
    }

    /// As `write`, when it is not certain that the person may.
    pub fn try_write(&self, user: Id, place: impl Into<Place>, text: &str) -> Result<Spot, Refused> {
        self.written(user, place.into(), text, None)
    }

    /// In the thread of a message.
    #[track_caller]
    pub fn reply(&self, user: Id, to: Spot, text: &str) -> Spot {
        self.write(user, to, text)
    }

    /// In the thread of a message, "also to the channel".
    #[track_caller]
    pub fn broadcast(&self, user: Id, to: Spot, text: &str) -> Spot {
        self.write_as(user, to, text, "thread_broadcast")
    }

    /// As `write`, as another kind of message: `me_message`, `file_share`.
    #[track_caller]
    pub fn write_as(&self, user: Id, place: impl Into<Place>, text: &str, subtype: &'static str) -> Spot {
        self.written(user, place.into(), text, Some(subtype)).unwrap_or_else(|why| panic!("{why}"))
    }

    /// Another app writes, with a bot of its own.
    pub fn another_app_writes(&self, place: impl Into<Place>, text: &str) -> Spot {
        let place = place.into();
        self.with(|model| {
            let team = model.channels[&place.channel].team;
            let (user, bot_id) = (model.user(team, "Reminders"), Some(model.id('B')));
            model.users.get_mut(&user).expect("the user just made").bot = true;
            model.post(place, user, Draft { text: text.to_owned(), bot_id, ..Draft::default() })
        })
    }

    fn written(&self, user: Id, place: Place, text: &str, subtype: Option<&'static str>) -> Result<Spot, Refused> {
        self.with(|model| {
            let it = model.channels.get(&place.channel).filter(|it| !it.deleted).ok_or("the channel is gone")?;
            if it.archived {
                return Err(format!("{} is archived", text::place(model, it)));
            }
            if !it.members.contains(&user) {
                return Err(format!("{} is not in {}", model.name_of(user), text::place(model, it)));
            }
            let first = place.thread.and_then(|ts| model.messages.get(&Spot { channel: place.channel, ts }));
            let thread = first.and_then(|first| first.thread).or(place.thread);
            let sent = text::typed(model, it.team, text);
            let element = json!({"type": "rich_text_section", "elements": [{"type": "text", "text": text}]});
            let blocks = vec![json!({"type": "rich_text", "elements": [element]})];
            let draft = Draft { text: sent, blocks, subtype, ..Draft::default() };
            Ok(model.post(Place { channel: place.channel, thread }, user, draft))
        })
    }

    /// The author changes a message.
    pub fn edit(&self, message: Spot, text: &str) {
        self.with(|model| {
            let Some(by) = model.messages.get(&message).map(|it| it.user) else { return };
            let team = model.channels[&message.channel].team;
            let (at, sent) = (model.ts(), text::typed(model, team, text));
            let element = json!({"type": "rich_text_section", "elements": [{"type": "text", "text": text}]});
            model.change_message(message, |it| {
                it.text = sent;
                it.blocks = vec![json!({"type": "rich_text", "elements": [element]})];
                it.edited = Some((by, at));
            });
        });
    }

    pub fn delete(&self, message: Spot) {
        self.with(|model| model.remove_message(message));
    }

    /// What the channel itself shows, oldest first.
    pub fn messages(&self, channel: Id) -> Vec<Shown> {
        self.with(|model| model.in_channel(channel).map(|it| text::shown(model, it)).collect())
    }

    /// What is in the thread below a message, oldest first.
    pub fn replies(&self, of: Spot) -> Vec<Shown> {
        self.with(|model| {
            let below = model.in_thread(of).filter(|it| it.is_reply());
            below.map(|it| text::shown(model, it)).collect()
        })
    }

    /// What only this person sees, oldest first.
    pub fn ephemeral_of(&self, user: Id) -> Vec<Shown> {
        let mut all = self.everything();
        all.retain(|message| message.only_for == Some(user));
        all
    }

    /// Every message there is, oldest first.
    pub fn everything(&self) -> Vec<Shown> {
        self.with(|model| {
            let mut all: Vec<Shown> = model.messages.values().map(|it| text::shown(model, it)).collect();
            all.sort_by_key(|it| it.spot.ts);
            all
        })
    }

    pub fn all_text(&self) -> String {
        let all = self.everything();
        let lines = all.iter().map(|one| {
            let only = if one.only_for.is_some() { " (only for one)" } else { "" };
            format!("{} | {}{only}: {}", one.place, one.author, one.text())
        });
        lines.collect::<Vec<String>>().join("\n")
    }

    /// A message as it is now.
    pub fn shown(&self, message: Spot) -> Option<Shown> {
        self.with(|model| model.messages.get(&message).map(|it| text::shown(model, it)))
    }

    /// The emoji on a message, one for each that put it there.
    pub fn reactions(&self, message: Spot) -> Vec<String> {
        let names = |it: &super::model::Message| it.reactions.iter().map(|(name, _)| name.clone()).collect();
        self.with(|model| model.messages.get(&message).map(names).unwrap_or_default())
    }

    /// The direct messages between the bot and somebody.
    pub fn direct(&self, user: Id) -> Id {
        self.with(|model| {
            let team = model.users[&user].team;
            model.direct(team, user)
        })
    }

    /// Waits until something in a channel or one of its threads has this text.
    pub async fn until(&self, channel: Id, part: &str) -> Shown {
        let there = |model: &Model| {
            let mut all = model.messages.values().filter(|it| it.channel == channel && it.only_for.is_none());
            all.find_map(|it| Some(text::shown(model, it)).filter(|it| it.text().contains(part)))
        };
        self.wait_for(&format!("a message with {part:?}"), there).await
    }

    /// Waits until this person alone sees something with this text.
    pub async fn until_ephemeral(&self, user: Id, part: &str) -> Shown {
        let there = |model: &Model| {
            let mut all = model.messages.values().filter(|it| it.only_for == Some(user));
            all.find_map(|it| Some(text::shown(model, it)).filter(|it| it.text().contains(part)))
        };
        self.wait_for(&format!("a message for one with {part:?}"), there).await
    }

    /// Waits until a form or the Home that this person has open shows this text.
    pub async fn until_screen(&self, user: Id, part: &str) -> Screen {
        let there = |model: &Model| {
            let open = model.views.values().filter(|view| view.user == user && view.open);
            open.map(|view| text::screen(model, view)).find(|screen| screen.text().contains(part))
        };
        self.wait_for(&format!("a form with {part:?}"), there).await
    }

    /// Waits until a message has this emoji.
    pub async fn until_reaction(&self, message: Spot, name: &str) {
        let there = |model: &Model| {
            let it = model.messages.get(&message)?;
            it.reactions.iter().any(|(one, _)| one == name).then_some(())
        };
        self.wait_for(&format!("the reaction {name}"), there).await;
    }
}

/// Commands and interactions.
impl Fake {
    /// Somebody types a command: `/daily set 09:00`. There are none in threads.
    pub async fn command(&self, user: Id, channel: Id, line: &str) -> Seen {
        let act = self.with(|model| {
            let it = open_channel(model, user, channel)?;
            let (channel_shown, team) = (wire::named_channel(it), here(model, channel, user)?);
            let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
            if !model.app.commands.is_empty() && !model.app.commands.contains(command) {
                return Err(format!("{command} is not a valid command"));
            }
            let (command, rest) = (command.to_owned(), rest.trim().to_owned());
            let trigger = model.trigger(team, user);
            let response_url = model.response_url(team, channel, user, None);
            let payload = json!({
                "token": model.app.verification_token, "team_id": team.to_string(),
                "team_domain": model.teams[&team].domain, "channel_id": channel.to_string(),
                "channel_name": channel_shown["name"], "user_id": user.to_string(),
                "user_name": model.users[&user].name, "command": command, "text": rest,
                "api_app_id": model.app.id.to_string(), "is_enterprise_install": "false",
                "response_url": response_url, "trigger_id": trigger,
            });
            let (what, channel) = (What::Command, Some(channel));
            Ok(Act { what, payload, accepts_payload: true, user, team, channel, trigger, on: None })
        });
        self.interact(act).await
    }

    /// Somebody presses a button, by what is on it or by its action id.
    pub async fn press(&self, user: Id, on: impl Into<Target>, button: &str) -> Seen {
        let on = on.into();
        let act = self.with(|model| {
            let (block, element) = find(model, user, on, |it| {
                let names = [&it["text"]["text"], &it["action_id"]];
                it["type"] == "button" && names.iter().any(|name| **name == button)
            })
            .ok_or_else(|| format!("there is no button {button:?}"))?;
            let action = json!({
                "type": "button", "action_id": element["action_id"], "block_id": block["block_id"],
                "text": element["text"], "value": element["value"], "action_ts": model.ts().to_string(),
            });
            block_action(model, user, on, without_nulls(action))
        });
        self.interact(act).await
    }

    /// Somebody chooses an option of a select, radio buttons or check boxes, by its text or value.
    pub async fn choose(&self, user: Id, on: impl Into<Target>, option: &str) -> Seen {
        let on = on.into();
        let chosen = self.with(|model| {
            let (block, element) = find(model, user, on, |it| option_named(it, option).is_some())
                .ok_or_else(|| format!("nothing has an option {option:?}"))?;
            let picked = option_named(&element, option).ok_or("no such option")?;
            let value = set_option(&element, &picked);
            if let Target::View(view) = on
                && let Some(view) = model.views.get_mut(&view)
            {
                let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
                let values = view.values.entry(text(&block["block_id"])).or_default();
                values.insert(text(&element["action_id"]), value.clone());
            }
            if block["type"] == "input" && block["dispatch_action"] != true {
                return Ok(None);
            }
            let mut action = value;
            let more = json!({
                "action_id": element["action_id"], "block_id": block["block_id"], "action_ts": model.ts().to_string(),
            });
            wire::merge(&mut action, more);
            block_action(model, user, on, action).map(Some)
        });
        match chosen {
            Ok(Some(act)) => self.interact(Ok(act)).await,
            Ok(None) => {
                let Target::View(view) = on else { return Seen::of(SeenKind::Filled, None, "") };
                self.with(|model| seen_view(model, SeenKind::Filled, None, view))
            }
            Err(why) => self.interact(Err(why)).await,
        }
    }

    /// Somebody fills inputs (by action id, block id or label) and sends the form. Options go by their text or value; several are
    /// parted by commas.
    pub async fn submit(&self, user: Id, view: impl Into<Target>, values: &[(&str, &str)]) -> Seen {
        let on = view.into();
        let act = self.with(|model| {
            let Target::View(id) = on else { return Err("this is no form".to_owned()) };
            let view = open_view(model, user, id)?.clone();
            if view.form["submit"].is_null() {
                return Err("this form has nothing to send".into());
            }
            let filled = fill(&view, values)?;
            if let Some(view) = model.views.get_mut(&id) {
                view.values = filled;
            }
            let trigger = model.trigger(view.team, user);
            let mut payload = wire::interaction(model, "view_submission", view.team, user);
            let more = json!({
                "trigger_id": trigger, "view": wire::view(model, &model.views[&id]), "response_urls": [],
            });
            wire::merge(&mut payload, more);
            let (what, team) = (What::Interaction, view.team);
            Ok(Act { what, payload, accepts_payload: true, user, team, channel: None, trigger, on: Some(on) })
        });
        self.interact(act).await
    }

    /// Somebody types in a select whose options the app knows, by action id, block id or label. What they are offered: (text, value).
    pub async fn suggest(&self, user: Id, view: impl Into<Target>, input: &str, typed: &str) -> Vec<(String, String)> {
        let on = view.into();
        let asked = self.with(|model| {
            let Target::View(id) = on else { return Err("this is no form".to_owned()) };
            let view = open_view(model, user, id)?.clone();
            let blocks = view.form["blocks"].as_array().cloned().unwrap_or_default();
            let named = |block: &&Value| {
                let names = [&block["element"]["action_id"], &block["block_id"], &block["label"]["text"]];
                block["element"]["type"] == "external_select" && names.iter().any(|name| **name == input)
            };
            let block = blocks.iter().find(named).ok_or_else(|| format!("there is no select {input:?}"))?;
            let action = block["element"]["action_id"].as_str().unwrap_or_default().to_owned();
            let mut payload = wire::interaction(model, "block_suggestion", view.team, user);
            let more = json!({
                "container": {"type": "view", "view_id": id.to_string()}, "action_id": action, "value": typed,
                "block_id": block["block_id"], "view": wire::view(model, &view),
            });
            wire::merge(&mut payload, more);
            Ok((model.ask(What::Interaction, payload, true), id, action))
        });
        let (delivery, view, action) = asked.unwrap_or_else(|why| panic!("{why}"));
        let over =
            |model: &Model| model.deliveries.all.get(&delivery).filter(|it| it.ack.is_some() || it.over).map(|_| ());
        let patience = self.with(|model| model.timing.patience);
        self.shared.wait(patience, over).await;
        self.with(|model| {
            let payload = model.deliveries.all.get(&delivery).and_then(|it| it.ack.as_ref()?.payload.clone());
            let payload = payload.unwrap_or_default();
            for problem in limits::suggestions(&payload) {
                model.violations.push(format!("suggestions: {}: {}", problem.at, problem.why));
            }
            let offered = payload["options"].as_array().cloned().unwrap_or_default();
            let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
            let shown = offered.iter().map(|one| (text(&one["text"]["text"]), text(&one["value"]))).collect();
            if let Some(view) = model.views.get_mut(&view) {
                view.offered.insert(action, offered);
            }
            shown
        })
    }

    /// Somebody closes a form without sending it.
    pub fn close(&self, user: Id, view: Id) {
        self.with(|model| {
            let Ok(view) = open_view(model, user, view).cloned() else { return };
            model.close_view(view.id, false);
            if view.form["notify_on_close"] == true {
                let mut payload = wire::interaction(model, "view_closed", view.team, user);
                wire::merge(&mut payload, json!({"view": wire::view(model, &view), "is_cleared": false}));
                model.ask(What::Interaction, payload, false);
            }
        });
    }

    /// Somebody uses a message shortcut, by its name or callback id.
    pub async fn shortcut(&self, user: Id, on: impl Into<Target>, name: &str) -> Seen {
        let on = on.into();
        let act = self.with(|model| {
            let Target::Message(spot) = on else { return Err("shortcuts are for messages".to_owned()) };
            let it = open_channel(model, user, spot.channel)?;
            let shown = wire::named_channel(it);
            let team = here(model, spot.channel, user)?;
            let message = model.messages.get(&spot).filter(|it| it.only_for.is_none()).ok_or("the message is gone")?;
            let message = wire::message(model, message, false);
            let known = model.app.shortcuts.iter().find(|(one, id)| one == name || id == name);
            if known.is_none() && !model.app.shortcuts.is_empty() {
                return Err(format!("there is no shortcut {name:?}"));
            }
            let callback = known.map_or_else(|| name.to_owned(), |(_, id)| id.clone());
            let trigger = model.trigger(team, user);
            let response_url = model.response_url(team, spot.channel, user, None);
            let mut payload = wire::interaction(model, "message_action", team, user);
            let more = json!({
                "callback_id": callback, "trigger_id": trigger, "response_url": response_url, "message": message,
                "message_ts": spot.ts.to_string(), "channel": shown, "action_ts": model.ts().to_string(),
            });
            wire::merge(&mut payload, more);
            // A shortcut says less of who chose it, and nothing of the app.
            payload.as_object_mut().and_then(|all| all.remove("api_app_id"));
            payload["user"].as_object_mut().and_then(|all| all.remove("username"));
            let (what, channel) = (What::Interaction, Some(spot.channel));
            Ok(Act { what, payload, accepts_payload: false, user, team, channel, trigger, on: Some(on) })
        });
        self.interact(act).await
    }

    /// Somebody looks at a tab of the app, `home` or `messages`; nobody waits for what comes of it.
    pub fn opens_tab(&self, user: Id, tab: &str) {
        self.with(|model| {
            let team = model.users[&user].team;
            let channel = model.direct(team, user);
            let view = model.home(team, user).filter(|_| tab == "home").map(|view| wire::view(model, view));
            let event = json!({
                "type": "app_home_opened", "user": user.to_string(), "channel": channel.to_string(), "tab": tab,
                "view": view,
            });
            model.tell(team, "app_home_opened", without_nulls(event), false);
        });
    }

    /// Somebody opens the app's Home. What it shows when the app has published it anew, or still shows.
    pub async fn open_home(&self, user: Id) -> Screen {
        let (team, since) = self.with(|model| (model.users[&user].team, model.happenings.len()));
        self.opens_tab(user, "home");
        let patience = self.with(|model| model.timing.patience);
        let published = |model: &Model| {
            let home = model.home(team, user)?.id;
            model.happenings[since..].contains(&Happening::Published(home)).then_some(())
        };
        self.shared.wait(patience, published).await;
        self.home(user).unwrap_or_else(|| panic!("the app shows no Home"))
    }

    /// The Home as it is now.
    pub fn home(&self, user: Id) -> Option<Screen> {
        self.with(|model| {
            let team = model.users.get(&user)?.team;
            model.home(team, user).map(|view| text::screen(model, view))
        })
    }

    /// The form that somebody has open, on top.
    pub fn form_of(&self, user: Id) -> Option<Screen> {
        self.with(|model| {
            let mut open = model.views.values().filter(|view| view.user == user && view.open && !view.home);
            open.next_back().map(|view| text::screen(model, view))
        })
    }

    async fn interact(&self, act: Result<Act, Refused>) -> Seen {
        let act = match act {
            Ok(act) => act,
            Err(why) => return Seen::of(SeenKind::Refused, None, &why),
        };
        let (since, id, patience) = self.with(|model| {
            let since = model.happenings.len();
            (since, model.ask(act.what, act.payload.clone(), act.accepts_payload), model.timing.patience)
        });
        let over = |model: &Model| model.deliveries.all.get(&id).filter(|it| it.ack.is_some() || it.over).map(|_| ());
        // However impatient people are, the app has its time.
        let within = self.with(|model| model.timing.ack);
        self.shared.wait(within + patience, over).await;
        let ack = self.with(|model| model.deliveries.all.get(&id).and_then(|it| it.ack.clone()));
        let Some(ack) = ack else {
            return Seen::of(SeenKind::Nothing, None, "the app did not respond");
        };
        let after = Some(ack.after);
        let payload = ack.payload.unwrap_or_default();
        let (at_once, patience) = match act.what {
            What::Command => (self.with(|model| command_answer(model, &act, after, &payload)), patience),
            What::Interaction if act.payload["type"] == "view_submission" => {
                let glance = self.with(|model| model.timing.glance);
                (self.with(|model| submission_answer(model, &id, after)), glance)
            }
            _ => (None, patience),
        };
        if let Some(seen) = at_once {
            return seen;
        }
        let came = |model: &Model| model.happenings[since..].iter().find_map(|one| concerns(model, &act, after, one));
        let closed = matches!(act.on, Some(Target::View(_))) && act.accepts_payload;
        let nothing = if closed { SeenKind::Closed } else { SeenKind::Silent };
        self.shared.wait(patience, came).await.unwrap_or_else(|| Seen::of(nothing, after, ""))
    }
}

/// What an acknowledgement of a command says at once.
fn command_answer(model: &mut Model, act: &Act, after: Option<Duration>, payload: &Value) -> Option<Seen> {
    let words = payload["text"].as_str().unwrap_or_default();
    let blocks = payload["blocks"].as_array().cloned().unwrap_or_default();
    if words.is_empty() && blocks.is_empty() {
        return None;
    }
    for problem in limits::message(payload) {
        model.violations.push(format!("answer to a command: {}: {}", problem.at, problem.why));
    }
    let install = model.install_of(act.team)?.clone();
    let only_for = (payload["response_type"] != "in_channel").then_some(act.user);
    let draft = Draft { text: words.to_owned(), blocks, bot_id: Some(install.bot_id), only_for, ..Draft::default() };
    let spot = model.post(act.channel?.into(), install.bot, draft);
    Some(seen_message(model, SeenKind::Message { ephemeral: only_for.is_some() }, after, spot))
}

/// What became of a form when it was sent.
#[derive(Clone, Debug)]
pub struct Answered {
    kind: SeenKind,
    view: Id,
    errors: BTreeMap<String, String>,
}

fn submission_answer(model: &Model, delivery: &str, after: Option<Duration>) -> Option<Seen> {
    let Answered { kind, view, errors } = model.deliveries.all.get(delivery)?.answered.clone()?;
    Some(Seen { errors, ..seen_view(model, kind, after, view) })
}

impl Model {
    /// What an acknowledgement of a submission does to the form; nothing when the form closes.
    pub fn answer_form(&mut self, id: Id, payload: &Value) -> Option<Answered> {
        let (team, user) = self.views.get(&id).filter(|view| view.open).map(|view| (view.team, view.user))?;
        let form = payload["view"].clone();
        if !form.is_null() {
            for problem in limits::view(&form) {
                self.violations.push(format!("answer to a form: {}: {}", problem.at, problem.why));
            }
        }
        let answered = |kind, view| Some(Answered { kind, view, errors: BTreeMap::new() });
        match payload["response_action"].as_str() {
            Some("update") => {
                self.set_view(id, form);
                answered(SeenKind::Updated, id)
            }
            Some("push") => {
                let above = self.open_view(team, user, form, Some(id));
                answered(SeenKind::Modal, above)
            }
            Some("errors") => {
                let told = payload["errors"].as_object().cloned().unwrap_or_default();
                let blocks = self.views.get(&id).map(|view| view.form["blocks"].clone()).unwrap_or_default();
                let is_input = |name: &str| {
                    blocks
                        .as_array()
                        .is_some_and(|all| all.iter().any(|it| it["block_id"] == name && it["type"] == "input"))
                };
                let strange: Vec<&String> = told.keys().filter(|name| !is_input(name)).collect();
                if !strange.is_empty() || told.is_empty() {
                    self.violations.push(format!("answer to a form: errors for {strange:?}, which are no inputs"));
                }
                let errors: BTreeMap<String, String> =
                    told.into_iter().map(|(name, why)| (name, why.as_str().unwrap_or_default().to_owned())).collect();
                self.views.get_mut(&id)?.errors = errors.clone();
                Some(Answered { kind: SeenKind::Errors, view: id, errors })
            }
            Some("clear") => {
                self.close_view(id, true);
                None
            }
            None => {
                self.close_view(id, false);
                None
            }
            Some(other) => {
                self.violations.push(format!("answer to a form: response_action {other:?}"));
                None
            }
        }
    }
}

/// Whether a happening is what somebody waits for.
fn concerns(model: &Model, act: &Act, after: Option<Duration>, one: &Happening) -> Option<Seen> {
    match one {
        Happening::Opened(view, trigger) if *trigger == act.trigger => {
            Some(seen_view(model, SeenKind::Modal, after, *view))
        }
        Happening::Posted(spot) => {
            let it = model.messages.get(spot)?;
            let direct = model.channels.get(&spot.channel)?.with == Some(act.user) && it.bot_id.is_some();
            let ephemeral = it.only_for == Some(act.user);
            // Where the app was told how to answer, what else it says to somebody meanwhile is no answer.
            let other = act.payload["response_url"]
                .as_str()
                .is_some_and(|url| it.answers.as_ref().is_none_or(|name| !url.ends_with(&format!("/{name}"))));
            (!other && (direct || ephemeral))
                .then(|| seen_message(model, SeenKind::Message { ephemeral }, after, *spot))
        }
        Happening::Replaced(spot) if act.on == Some(Target::Message(*spot)) => {
            Some(seen_message(model, SeenKind::Changed, after, *spot))
        }
        Happening::Updated(view) | Happening::Published(view) => {
            let Some(Target::View(on)) = act.on else { return None };
            let root = |id: &Id| model.views.get(id).map(|view| view.root);
            let same = root(view) == root(&on);
            (same && model.views.get(view)?.open).then(|| seen_view(model, SeenKind::Updated, after, *view))
        }
        _ => None,
    }
}

fn seen_message(model: &Model, kind: SeenKind, after: Option<Duration>, spot: Spot) -> Seen {
    let words = model.messages.get(&spot).map(|it| text::shown(model, it));
    let words = words.as_ref().map_or("", Shown::text);
    Seen { message: Some(spot), ..Seen::of(kind, after, words) }
}

fn seen_view(model: &Model, kind: SeenKind, after: Option<Duration>, view: Id) -> Seen {
    let words = model.views.get(&view).map(|it| text::screen(model, it));
    let words = words.as_ref().map_or("", Screen::text);
    Seen { view: Some(view), ..Seen::of(kind, after, words) }
}

fn without_nulls(mut it: Value) -> Value {
    if let Some(fields) = it.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    it
}

/// A channel that somebody can do something in.
fn open_channel(model: &Model, user: Id, channel: Id) -> Result<&Channel, Refused> {
    let it = model.channels.get(&channel).filter(|it| !it.deleted).ok_or("the channel is gone")?;
    if it.archived {
        return Err(format!("{} is archived", text::place(model, it)));
    }
    let person = model.users.get(&user).filter(|user| !user.deactivated).ok_or("this person is gone")?;
    let sees = it.members.contains(&user) || (it.kind == Kind::Public && person.team == it.team && !person.guest);
    if sees { Ok(it) } else { Err(format!("{} does not see {}", model.name_of(user), text::place(model, it))) }
}

fn here(model: &Model, channel: Id, user: Id) -> Result<Id, Refused> {
    model.team_here(channel, user).ok_or_else(|| "the app is not installed here".to_owned())
}

fn open_view(model: &Model, user: Id, view: Id) -> Result<&View, Refused> {
    let it = model.views.get(&view).filter(|it| it.user == user).ok_or("this person has no such form")?;
    if it.open { Ok(it) } else { Err("the form is closed".into()) }
}

/// The block and the element that a person can see and that fits.
fn find(model: &Model, user: Id, on: Target, fits: impl Fn(&Value) -> bool) -> Option<(Value, Value)> {
    let blocks: &[Value] = match on {
        Target::Message(spot) => {
            let it = model.messages.get(&spot).filter(|it| it.only_for.is_none_or(|only| only == user))?;
            open_channel(model, user, spot.channel).ok()?;
            &it.blocks
        }
        Target::View(view) => open_view(model, user, view).ok()?.form["blocks"].as_array()?,
    };
    let all = blocks.iter().flat_map(|block| elements(block).into_iter().map(move |one| (block, one)));
    all.into_iter().find(|(_, one)| fits(one)).map(|(block, one)| (block.clone(), one.clone()))
}

/// Every option of a select, in groups or not.
pub fn options_of(element: &Value) -> Vec<&Value> {
    let groups = element["option_groups"].as_array().into_iter().flatten();
    let grouped = groups.flat_map(|group| group["options"].as_array().into_iter().flatten());
    element["options"].as_array().into_iter().flatten().chain(grouped).collect()
}

fn option_named(element: &Value, name: &str) -> Option<Value> {
    let named = |one: &&&Value| one["text"]["text"] == name || one["value"] == name;
    options_of(element).iter().find(named).map(|one| (*one).clone())
}

/// The state of check boxes or of a select of many with exactly these options chosen, parted by commas.
fn set_options(element: &Value, names: &str) -> Result<Value, Refused> {
    let mut chosen = Vec::new();
    for name in names.split(',').filter(|name| !name.is_empty()) {
        chosen.push(option_named(element, name).ok_or_else(|| format!("{name:?} is no option"))?);
    }
    // A client sends them in the order in which they stand.
    let order = options_of(element);
    chosen.sort_by_key(|one| order.iter().position(|other| *other == one));
    Ok(json!({"type": element["type"], "selected_options": chosen}))
}

/// The state of an element with this option chosen.
fn set_option(element: &Value, option: &Value) -> Value {
    let kind = element["type"].as_str().unwrap_or_default();
    if matches!(kind, "checkboxes" | "multi_static_select") {
        return json!({"type": kind, "selected_options": [option]});
    }
    json!({"type": kind, "selected_option": option})
}

/// `block_actions` on a message, a form or the Home.
fn block_action(model: &mut Model, user: Id, on: Target, action: Value) -> Result<Act, Refused> {
    let (team, channel, more) = match on {
        Target::Message(spot) => {
            let shown = wire::named_channel(open_channel(model, user, spot.channel)?);
            let team = here(model, spot.channel, user)?;
            let it = model.messages.get(&spot).ok_or("the message is gone")?;
            let mut container = json!({
                "type": "message", "message_ts": spot.ts.to_string(), "channel_id": spot.channel.to_string(),
                "is_ephemeral": it.only_for.is_some(),
            });
            if let Some(thread) = it.thread {
                container["thread_ts"] = json!(thread.to_string());
            }
            let mut values = values_of(&it.blocks, &BTreeMap::new());
            let text = |name: &str| action[name].as_str().unwrap_or_default().to_owned();
            if let Some(value) = values.get_mut(&text("block_id")).and_then(|all| all.get_mut(&text("action_id"))) {
                wire::merge(value, json!({"selected_option": action["selected_option"]}));
            }
            let mut more = json!({"container": container, "channel": shown, "state": {"values": values}});
            // Of an ephemeral message the app is not shown what it says.
            if it.only_for.is_none() {
                more["message"] = wire::message(model, it, false);
            }
            more["response_url"] = json!(model.response_url(team, spot.channel, user, Some(spot)));
            (team, Some(spot.channel), more)
        }
        Target::View(id) => {
            let view = open_view(model, user, id)?;
            let container = json!({"type": "view", "view_id": id.to_string()});
            (view.team, None, json!({"container": container, "view": wire::view(model, view)}))
        }
    };
    let trigger = model.trigger(team, user);
    let mut payload = wire::interaction(model, "block_actions", team, user);
    wire::merge(&mut payload, more);
    wire::merge(&mut payload, json!({"trigger_id": trigger, "actions": [action]}));
    Ok(Act { what: What::Interaction, payload, accepts_payload: false, user, team, channel, trigger, on: Some(on) })
}

/// The state of a form when the values fit, as the client checks it.
fn fill(view: &View, values: &[(&str, &str)]) -> Result<super::chat::Values, Refused> {
    let blocks = view.form["blocks"].as_array().cloned().unwrap_or_default();
    let mut state = view.values.clone();
    let mut unknown: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
    for block in blocks.iter().filter(|block| block["type"] == "input") {
        let element = &block["element"];
        let names = [&element["action_id"], &block["block_id"], &block["label"]["text"]];
        let label = block["label"]["text"].as_str().unwrap_or_default();
        let given = values.iter().find(|(name, _)| names.iter().any(|one| *one == name));
        let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
        let slot = state.entry(text(&block["block_id"])).or_default().entry(text(&element["action_id"])).or_default();
        if let Some((name, value)) = given {
            unknown.retain(|one| one != name);
            let offered = view.offered.get(element["action_id"].as_str().unwrap_or_default());
            *slot = if element["type"] == "external_select" {
                let named = |one: &&Value| one["text"]["text"] == *value || one["value"] == *value;
                let option = offered.and_then(|all| all.iter().find(named));
                let option = option.ok_or_else(|| format!("{value:?} was not offered for {label:?}"))?;
                json!({"type": "external_select", "selected_option": option})
            } else if options_of(element).is_empty() {
                let written = if value.is_empty() { Value::Null } else { json!(value) };
                json!({"type": element["type"], "value": written})
            } else if matches!(element["type"].as_str(), Some("checkboxes" | "multi_static_select")) {
                set_options(element, value)?
            } else {
                let option =
                    option_named(element, value).ok_or_else(|| format!("{value:?} is no option of {label:?}"))?;
                set_option(element, &option)
            };
        }
        let chosen = slot["selected_options"].as_array().is_some_and(|all| !all.is_empty());
        let others = ["value", "selected_option", "selected_time", "selected_conversation", "selected_channel"];
        let filled = chosen || others.iter().any(|name| !slot[*name].is_null());
        if !filled && block["optional"] != true {
            return Err(format!("{label:?} is required"));
        }
        let length = u64::try_from(slot["value"].as_str().unwrap_or_default().chars().count()).unwrap_or(u64::MAX);
        let (least, most) =
            (element["min_length"].as_u64().unwrap_or(0), element["max_length"].as_u64().unwrap_or(3000));
        if filled && !slot["value"].is_null() && !(least..=most).contains(&length) {
            return Err(format!("{label:?} takes {least} to {most} characters, not {length}"));
        }
    }
    match unknown.first() {
        Some(name) => Err(format!("the form has no input {name:?}")),
        None => Ok(state),
    }
}
