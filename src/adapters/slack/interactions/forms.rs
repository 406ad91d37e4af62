//! The form of a command, what is offered while somebody types in it, and what is wrong with a form that is sent.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::View;
use super::ticket::Sight;
use crate::adapters::slack::render::{self, CommandForm};
use crate::app::{App, Missing};
use crate::domain::bank::TopicMatch;
use crate::domain::command::{self, Command, Spec, Typed, Value as Kind, Values};

/// Before the command in what a submission carries: `form:drill`, `form:daily set`.
const FORM: &str = "form:";

/// The form of a command that lacks something, with what was typed; what is wrong with that stands above.
pub(super) fn of_command(app: &App, realm: &str, typed: &Typed, missing: Missing) -> Sight {
    let Typed { spec, sub, values } = typed;
    let mut known: Values = values.iter().filter(|(name, _)| *name != missing.option).cloned().collect();
    known.extend(missing.near.into_iter().next().map(|near| (missing.option, near)));
    for (name, value) in &mut known {
        // A select knows topics by their names only.
        let is_topic = command::options_of(spec, *sub)
            .is_some_and(|options| options.iter().any(|option| option.name == *name && option.value == Kind::Topic));
        if let (true, TopicMatch::Exact(topic)) = (is_topic, app.bank().find_topic(value)) {
            *value = topic;
        }
    }
    let callback = format!("{FORM}{}{}", spec.name, sub.map_or_else(String::new, |sub| format!(" {sub}")));
    let view = render::command_form(&CommandForm {
        spec,
        sub: *sub,
        callback: &callback,
        words: &missing.problem,
        values: &known,
        offers: &|kind| app.suggest(kind, "", render::OPTIONS, realm),
    });
    Sight::Form { view, otherwise: missing.help }
}

/// The command whose form this is.
fn command_of(callback: &str) -> Option<(&'static Spec, Option<&'static str>)> {
    let name = callback.strip_prefix(FORM)?;
    let (name, sub) = name.split_once(' ').map_or((name, None), |(name, sub)| (name, Some(sub)));
    let spec = command::find(name)?;
    match sub {
        None => Some((spec, None)),
        Some(sub) => Some((spec, Some(spec.subs.iter().find(|known| known.name == sub)?.name))),
    }
}

/// The command that a sent form stands for, or the option that is wrong and why; `None` for another form.
pub(super) fn read(
    app: &App,
    realm: &str,
    callback: &str,
    given: &HashMap<String, String>,
) -> Option<Result<Command, (&'static str, String)>> {
    let (spec, sub) = command_of(callback)?;
    let options = command::options_of(spec, sub)?;
    let mut values: Values = Vec::new();
    for option in options {
        let Some(value) = given.get(option.name).filter(|value| !value.trim().is_empty()) else { continue };
        match command::check(option, value) {
            Ok(value) => values.push((option.name, value)),
            Err(problem) => return Some(Err((option.name, problem))),
        }
    }
    let first = options.first().map_or("", |option| option.name);
    let command = match command::build(spec, sub, &values) {
        Ok(command) => command,
        Err(usage) => return Some(Err((first, usage.problem))),
    };
    Some(match app.missing(&command, realm) {
        Some(missing) => Err((missing.option, missing.problem.summary)),
        None => Ok(command),
    })
}

/// What the acknowledgement of a sent form says when something is wrong with it that is known at once.
pub(super) fn refuse(app: &App, realm: &str, view: &View) -> Option<Value> {
    let given = view.given();
    let (input, problem) = match read(app, realm, &view.callback_id, &given) {
        Some(Ok(_)) => return None,
        Some(Err(wrong)) => wrong,
        None => {
            let (input, problem) = App::refuse_form(&view.callback_id, &given)?;
            (input, problem.summary)
        }
    };
    // Slack wants the name of the block.
    let block = view.state.values.iter().find(|(_, inside)| inside.contains_key(input)).map(|(block, _)| block)?;
    Some(json!({ "response_action": "errors", "errors": { block: problem } }))
}

/// What can be meant by what somebody types in a select of a form.
pub(super) fn suggest(app: &App, realm: &str, view: &View, option: &str, typed: &str) -> Option<Value> {
    let (spec, sub) = command_of(&view.callback_id)?;
    let option = command::options_of(spec, sub)?.iter().find(|known| known.name == option)?;
    Some(render::suggestions(&app.suggest(option.value, typed, render::OPTIONS, realm)))
}
