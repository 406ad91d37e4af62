//! What the fake tells, against samples of what Slack tells, when they are at hand: every field is one of Slack's, of the same kind.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::Value;

use super::super::specs;
use super::events::What;

const FOLDER: &str = "slack-samples";
/// Events whose sample has another name than theirs.
const MESSAGES: [(&str, &str); 5] = [
    ("", "MessagePayload"),
    ("bot_message", "MessageBotPayload"),
    ("message_changed", "MessageChangedPayload"),
    ("message_deleted", "MessageDeletedPayload"),
    ("thread_broadcast", "MessageThreadBroadcastPayload"),
];
/// What has as many shapes as there are uses: the checks of blocks look at it, and a sample shows one of them.
const SHAPELESS: [&str; 6] = ["blocks", "metadata", "state", "attachments", "actions", "root"];
/// On the pages of docs.slack.dev, and left out of some samples.
const ELSEWHERE: [&str; 12] = [
    "context_team_id",
    "context_enterprise_id",
    "app_id",
    "bot_id",
    "bot_profile",
    "parent_user_id",
    "reactions",
    "reply_users",
    "response_urls",
    "subtype",
    "team",
    "users",
];

/// Envelopes of Socket Mode as Slack's own libraries are tried with them; none when they are not at hand.
pub fn frames() -> Vec<Value> {
    const FILE: &str = "slack-socket-mode-envelopes.json";
    let Some(folder) = specs::folder_with(FILE) else { return Vec::new() };
    let text = std::fs::read_to_string(folder.join(FILE)).expect("the frames can be read");
    let all: Value = serde_json::from_str(&text).expect("the frames are JSON");
    all["socket_mode_envelopes"].as_array().cloned().expect("a list of frames")
}

/// What is wrong with something that the app is to hear.
pub fn told(what: What, payload: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = match what {
        What::Command => "SlashCommandPayload",
        What::Interaction => match payload["type"].as_str().unwrap_or_default() {
            "block_actions" => "BlockActionPayload",
            "view_submission" => "ViewSubmissionPayload",
            "message_action" => "MessageShortcutPayload",
            _ => return Vec::new(),
        },
        What::Event => match text(&payload["event"]["type"]).as_str() {
            "message" => {
                let subtype = text(&payload["event"]["subtype"]);
                MESSAGES.iter().find(|(kind, _)| *kind == subtype).map_or("MessagePayload", |(_, name)| name)
            }
            "app_home_opened" => "AppHomeOpenedPayload",
            "member_joined_channel" => "MemberJoinedChannelPayload",
            _ => return Vec::new(),
        },
    };
    compare(name, payload)
}

/// What is wrong with the answer to a request.
pub fn answered(method: &str, answer: &Value) -> Vec<String> {
    compare(&format!("api.{method}"), answer)
}

fn compare(name: &str, ours: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(theirs) = sample(name) {
        walk("", ours, theirs, &mut wrong);
    }
    wrong.into_iter().map(|why| format!("not as in Slack's {name}: {why}")).collect()
}

fn walk(path: &str, ours: &Value, theirs: &Value, wrong: &mut Vec<String>) {
    match (ours, theirs) {
        // A form knows texts only.
        (Value::String(said), Value::Bool(_)) if ["true", "false"].contains(&said.as_str()) => {}
        // What may be missing is null here and there.
        (Value::Null, _) | (_, Value::Null) => {}
        (Value::Object(ours), Value::Object(theirs)) => {
            for (key, value) in ours {
                let path = format!("{path}.{key}");
                match theirs.get(key) {
                    _ if SHAPELESS.contains(&key.as_str()) => {}
                    Some(theirs) => walk(&path, value, theirs, wrong),
                    None if ELSEWHERE.contains(&key.as_str()) => {}
                    None => wrong.push(format!("{path} is none of its fields")),
                }
            }
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            for (ours, theirs) in ours.iter().zip(theirs.iter().cycle()) {
                walk(&format!("{path}[]"), ours, theirs, wrong);
            }
        }
        (Value::Bool(_), Value::Bool(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_)) => {}
        _ => wrong.push(format!("{path} is {ours}, and {theirs} there")),
    }
}

fn sample(name: &str) -> Option<&'static Value> {
    static ALL: OnceLock<BTreeMap<String, Value>> = OnceLock::new();
    ALL.get_or_init(|| load().unwrap_or_default()).get(name)
}

fn load() -> Option<BTreeMap<String, Value>> {
    let folder = specs::folder_with(&format!("{FOLDER}/MessagePayload.json"))?.join(FOLDER);
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).ok()? {
        let path = entry.ok()?.path();
        let text = std::fs::read_to_string(&path).ok()?;
        let name = path.file_stem()?.to_str()?.to_owned();
        all.insert(name, serde_json::from_str(&text).expect("a sample is JSON"));
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_slacks_is_seen() {
        let (mut wrong, theirs) = (Vec::new(), json!({"user": {"id": "", "admin": false}, "ts": ["" ], "when": null}));
        walk(
            "",
            &json!({"user": {"id": "U1", "admin": "true"}, "ts": ["1.2"], "when": 3, "metadata": 1}),
            &theirs,
            &mut wrong,
        );
        assert!(wrong.is_empty(), "{wrong:?}");
        let ours = json!({"user": {"id": 7, "alias": "", "admin": "yes"}, "ts": [1], "never": true});
        walk("", &ours, &theirs, &mut wrong);
        let told = ["never is none", "ts[] is 1", "admin is \"yes\"", "alias is none", "id is 7"];
        assert_eq!(wrong.len(), told.len(), "{wrong:?}");
        assert!(told.iter().all(|words| wrong.iter().any(|why| why.contains(words))), "{wrong:?}");
    }
}
