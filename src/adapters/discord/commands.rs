//! The commands as Discord knows them, and what people gave them.

use serde_json::{Map, Value as Json, json};
use serenity::model::application::{CommandData, CommandDataOption, CommandDataOptionValue};

use crate::domain::command::{self, Command, Opt, Spec, TABLE, Usage, Value, Values};
use crate::domain::ids::short_hash;
use crate::domain::question::Level;
use crate::domain::text::{Local, SAVE_AS_ANSWER, everyone_not_called, localized};

/// The permission that organisers have unless a server says otherwise: Manage Guild, `1 << 5`.
const ORGANISERS: &str = "32";

// Types of commands and options, places of use and ways of installation, by Discord's numbers.
const CHAT: u8 = 1;
const MESSAGE: u8 = 3;
const SUBCOMMAND: u8 = 1;
const STRING: u8 = 3;
const INTEGER: u8 = 4;
const ROLE: u8 = 8;
const IN_SERVER: u8 = 0;
const WITH_BOT: u8 = 1;
const ON_SERVER: u8 = 0;

/// Longer than any list of dates or topics that is of use.
const LONGEST_TEXT: usize = 500;

/// The array for `PUT /applications/{id}/commands`.
pub fn registration() -> Json {
    let mut out: Vec<Json> = TABLE.iter().map(one).collect();
    let mut save = Map::new();
    save.insert("type".into(), json!(MESSAGE));
    save.insert("name".into(), json!(SAVE_AS_ANSWER));
    save.insert("contexts".into(), json!([IN_SERVER]));
    save.insert("integration_types".into(), json!([ON_SERVER]));
    out.push(Json::Object(save));
    Json::Array(out)
}

/// Changes when the registration or the application does: then the commands have to be registered anew.
pub fn hash(registration: &Json, application: &str) -> String {
    short_hash(&[application, &registration.to_string()])
}

fn one(spec: &Spec) -> Json {
    let mut out = named(spec.name, spec.help);
    let translated = |of: fn(&Local) -> &'static str| -> Json {
        localized(spec.name).map(|local| (local.locale.to_owned(), json!(of(local)))).collect::<Map<_, _>>().into()
    };
    out.insert("name_localizations".into(), translated(|local| local.name));
    out.insert("description_localizations".into(), translated(|local| local.description));
    out.insert("type".into(), json!(CHAT));
    out.insert("integration_types".into(), json!([ON_SERVER]));
    if spec.organisers_only {
        out.insert("default_member_permissions".into(), json!(ORGANISERS));
        out.insert("contexts".into(), json!([IN_SERVER]));
    } else {
        out.insert("contexts".into(), json!([IN_SERVER, WITH_BOT]));
    }
    let options = |options: &[Opt]| options.iter().map(|o| option(spec, o)).collect::<Vec<Json>>();
    let mut all = options(spec.options);
    all.extend(spec.subs.iter().map(|sub| {
        let mut out = named(sub.name, sub.help);
        out.insert("type".into(), json!(SUBCOMMAND));
        out.insert("options".into(), json!(options(sub.options)));
        Json::Object(out)
    }));
    out.insert("options".into(), json!(all));
    Json::Object(out)
}

/// Options are never required, since every one of them may be left out.
fn option(spec: &Spec, option: &Opt) -> Json {
    let mut out = named(option.name, option.help);
    let mut typed = |kind: u8, more: Json| {
        out.insert("type".into(), json!(kind));
        if let Json::Object(more) = more {
            out.extend(more);
        }
    };
    match option.value {
        // Another command's name, of which there are few.
        Value::Text if spec.name == "help" => typed(STRING, choices(TABLE.iter().map(|spec| spec.name))),
        Value::Topic | Value::Question | Value::Scenario | Value::Card => {
            typed(STRING, json!({ "autocomplete": true }))
        }
        Value::Level => typed(STRING, choices(Level::ALL.iter().map(|level| level.as_str()))),
        Value::Word(words) => typed(STRING, choices(words.iter().copied())),
        Value::Number { min, max } => typed(INTEGER, json!({ "min_value": min, "max_value": max })),
        Value::Mention => typed(ROLE, json!({})),
        Value::Time => typed(STRING, json!({ "min_length": 4, "max_length": 5 })),
        Value::Text => typed(STRING, json!({ "max_length": LONGEST_TEXT })),
    }
    Json::Object(out)
}

fn choices<'a>(words: impl Iterator<Item = &'a str>) -> Json {
    json!({ "choices": words.map(|word| json!({ "name": word, "value": word })).collect::<Vec<_>>() })
}

fn named(name: &str, description: &str) -> Map<String, Json> {
    let mut out = Map::new();
    out.insert("name".into(), json!(name));
    out.insert("description".into(), json!(description));
    out
}

/// What somebody sent by a slash command, or the same usage reply that a typed line gets.
pub fn read(data: &CommandData) -> Result<Command, Usage> {
    // An older registration may know what this version does not; a typed line says so in the right words.
    let Some(spec) = command::find(&data.name) else { return command::parse(&data.name) };
    let (sub, options) = parts(&data.options);
    let Some(known) = command::options_of(spec, sub) else {
        return command::parse(&format!("{} {}", data.name, sub.unwrap_or_default()));
    };
    let sub = spec.subs.iter().map(|known| known.name).find(|name| Some(*name) == sub);
    let mut values: Values = Vec::new();
    for given in options {
        let option = known.iter().find(|option| option.name == given.name);
        let (Some(option), Some(text)) = (option, as_text(&given.value)) else {
            let problem = format!("There is no setting \"{}\".", given.name);
            return Err(command::refuse(spec, sub, problem));
        };
        if let CommandDataOptionValue::Role(role) = &given.value
            && data.resolved.roles.get(role).is_some_and(|role| role.name == "@everyone")
        {
            return Err(command::refuse(spec, sub, everyone_not_called()));
        }
        let value = command::check(option, &text).map_err(|problem| command::refuse(spec, sub, problem))?;
        values.push((option.name, value));
    }
    command::build(spec, sub, &values)
}

/// The option somebody is typing in, and what stands there so far.
pub fn focused(data: &CommandData) -> Option<(Value, String)> {
    let typing = data.autocomplete()?;
    let known = command::options_of(command::find(&data.name)?, parts(&data.options).0)?;
    let option = known.iter().find(|option| option.name == typing.name)?;
    Some((option.value, typing.value.to_owned()))
}

/// The subcommand, and the options beside or below it.
fn parts(options: &[CommandDataOption]) -> (Option<&str>, &[CommandDataOption]) {
    match options {
        [CommandDataOption { name, value: CommandDataOptionValue::SubCommand(below), .. }] => (Some(name), below),
        options => (None, options),
    }
}

fn as_text(value: &CommandDataOptionValue) -> Option<String> {
    Some(match value {
        CommandDataOptionValue::String(text) | CommandDataOptionValue::Autocomplete { value: text, .. } => text.clone(),
        CommandDataOptionValue::Integer(number) => number.to_string(),
        CommandDataOptionValue::Role(role) => role.to_string(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::domain::command::{Daily, Mode};

    fn every_option(commands: &Json) -> Vec<Json> {
        let below = |value: &Json| value["options"].as_array().cloned().unwrap_or_default();
        let first: Vec<Json> = commands.as_array().unwrap().iter().flat_map(below).collect();
        let second: Vec<Json> = first.iter().flat_map(below).collect();
        first.into_iter().chain(second).collect()
    }

    #[test]
    fn the_registration_keeps_discords_limits() {
        let commands = registration();
        let all = commands.as_array().unwrap();
        let names: HashSet<&str> = all.iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names.len(), all.len());
        let chat = all.iter().filter(|one| one["type"] == CHAT).cloned();
        for one in chat.chain(every_option(&commands)) {
            let (name, description) = (one["name"].as_str().unwrap(), one["description"].as_str().unwrap());
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
            assert!((1..=32).contains(&name.len()) && name.chars().all(fits), "{name}");
            assert!((1..=100).contains(&description.chars().count()), "{name}: {description}");
            let options = one["options"].as_array().cloned().unwrap_or_default();
            assert!(options.len() <= 25, "{name}");
            let required: Vec<bool> = options.iter().map(|o| o["required"] == true).collect();
            assert!(required.is_sorted_by(|a, b| a >= b), "{name}: required ones come first");
            assert!(one["choices"].as_array().is_none_or(|choices| (1..=25).contains(&choices.len())), "{name}");
            assert!(one["choices"].is_null() || one["autocomplete"].is_null(), "{name}");
        }
        for one in all {
            let mut one = one.clone();
            one["version"] = json!("1");
            one["description"] = json!(one["description"].as_str().unwrap_or_default());
            let valid = twilight_validate::command::command(&serde_json::from_value(one).unwrap());
            assert!(valid.is_ok(), "{valid:?}");
        }
    }

    #[test]
    fn organisers_commands_are_for_servers_and_their_managers() {
        let commands = registration();
        let one = |name: &str| commands.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
        assert_eq!(one("daily")["default_member_permissions"], "32");
        assert_eq!(one("daily")["contexts"], json!([0]));
        assert_eq!(one("drill")["default_member_permissions"], Json::Null);
        assert_eq!(one("drill")["contexts"], json!([0, 1]));
        assert_eq!(one(SAVE_AS_ANSWER)["type"], 3);
        assert_eq!(one(SAVE_AS_ANSWER)["description"], Json::Null);
        assert_eq!(one("help")["options"][0]["choices"][0]["value"], "drill");
        assert_eq!(one("drill")["options"][2]["max_value"], 20);
    }

    #[test]
    fn the_hash_changes_with_the_commands_and_the_application() {
        let commands = registration();
        assert_eq!(hash(&commands, "1"), hash(&registration(), "1"));
        assert_ne!(hash(&commands, "1"), hash(&commands, "2"));
        assert_ne!(hash(&commands, "1"), hash(&json!([]), "1"));
    }

    #[expect(clippy::disallowed_methods, reason = "where the specification lies is no setting of the bot")]
    fn specification() -> Option<Json> {
        let given = std::env::var_os("DRILLBOT_SPECS").map(PathBuf::from);
        let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
        let file = given
            .into_iter()
            .chain(above.map(|folder| folder.join("shared/specs")))
            .map(|folder| folder.join("discord-openapi.json"))
            .find(|file| file.is_file())?;
        Some(serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap())
    }

    #[test]
    fn the_registration_fits_discords_own_description() {
        let Some(spec) = specification() else { return };
        let put = &spec["paths"]["/applications/{application_id}/commands"]["put"];
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "components": spec["components"],
            "allOf": [put["requestBody"]["content"]["application/json"]["schema"]],
        });
        let validator = jsonschema::validator_for(&schema).unwrap();
        let mut commands = registration();
        for one in commands.as_array_mut().unwrap() {
            // The reference and every library say text, this description a number; the service takes both.
            if let Some(permissions) = one["default_member_permissions"].as_str() {
                one["default_member_permissions"] = json!(permissions.parse::<u64>().unwrap());
            }
        }
        let problems: Vec<String> = validator.iter_errors(&commands).map(|problem| problem.to_string()).collect();
        assert!(problems.is_empty(), "{problems:#?}");
        assert!(!validator.is_valid(&json!([{ "name": "drill", "options": [{ "type": 99, "name": "x" }] }])));
    }

    fn given(name: &str, options: Json) -> CommandData {
        let data = json!({ "id": "1", "name": name, "type": 1, "options": options });
        serde_json::from_value(data).unwrap()
    }

    #[test]
    fn given_values_become_commands() {
        let read = |name: &str, options: Json| read(&given(name, options));
        assert_eq!(
            read(
                "drill",
                json!([
                    { "name": "topic", "type": 3, "value": "identity and access" },
                    { "name": "level", "type": 3, "value": "advanced" },
                    { "name": "count", "type": 4, "value": 3 },
                    { "name": "mode", "type": 3, "value": "choice" },
                ])
            ),
            Ok(Command::Drill {
                topic: Some("identity and access".into()),
                level: Some(Level::Advanced),
                count: 3,
                mode: Mode::Choice,
                question: None,
            })
        );
        let pause = json!([{ "name": "pause", "type": 1, "options": [
            { "name": "schedule", "type": 3, "value": "evening" },
        ]}]);
        let expect = Command::Daily { action: Daily::Pause, schedule: Some("evening".into()) };
        assert_eq!(read("daily", pause), Ok(expect));
        let set = json!([{ "name": "set", "type": 1, "options": [{ "name": "time", "type": 3, "value": "9:30" }] }]);
        let Ok(Command::Daily { action: Daily::Set(change), .. }) = read("daily", set) else { panic!() };
        assert_eq!(change.time.as_deref(), Some("09:30"));
        assert_eq!(read("topics", json!([])), Ok(Command::Topics));
    }

    #[test]
    fn a_wrong_value_gets_the_reply_that_a_typed_line_gets() {
        let sub = |name: &str, options: Json| json!([{ "name": name, "type": 1, "options": options }]);
        for (name, options, line) in [
            ("drill", json!([{ "name": "count", "type": 4, "value": 99 }]), "/drill count=99"),
            ("drill", json!([{ "name": "level", "type": 3, "value": "hard" }]), "/drill level=hard"),
            ("me", json!([{ "name": "action", "type": 3, "value": "remove" }]), "/me action=remove"),
            ("daily", sub("set", json!([])), "/daily set"),
            ("daily", sub("set", json!([{ "name": "time", "type": 3, "value": "25:00" }])), "/daily set time=25:00"),
            ("daily", sub("stop", json!([])), "/daily stop"),
            ("vote", json!([]), "/vote"),
        ] {
            assert_eq!(read(&given(name, options)).unwrap_err(), command::parse(line).unwrap_err(), "{line}");
        }
        let old = read(&given("drill", json!([{ "name": "speed", "type": 3, "value": "1" }]))).unwrap_err();
        assert_eq!(old.problem, command::parse("/drill speed=1").unwrap_err().problem);
    }

    #[test]
    fn the_option_somebody_types_in_is_found() {
        let typing = json!([{ "name": "topic", "type": 3, "value": "ia", "focused": true }]);
        assert_eq!(focused(&given("drill", typing)), Some((Value::Topic, "ia".into())));
        let done = json!([{ "name": "topic", "type": 3, "value": "iam" }]);
        assert_eq!(focused(&given("drill", done)), None);
    }
}
