//! `[grading.llm]`: the optional judge.

use std::time::Duration;

use super::settings::{Plain, Values};
use super::{Problem, Secret};
use crate::adapters::address::{has_credentials, is_near, is_safe};

/// A language model that is asked about answers too.
#[derive(Clone, Debug)]
pub struct Llm {
    /// Without a slash at its end.
    pub url: String,
    pub model: String,
    pub api_key: Option<Secret>,
    /// How long one call may take.
    pub timeout: Duration,
}

const SECTION: &str = "grading.llm";

/// The section as it stands, None without a url.
pub(super) fn build(values: &Values, problems: &mut Vec<Problem>) -> Option<Llm> {
    let given = |key: &'static str| values.get(&(SECTION, key));
    let text = |key| match given(key).map(|given| &given.value) {
        Some(Plain::Text(text)) => text.trim().to_owned(),
        _ => String::new(),
    };
    let mut wrong = |key, message: String| {
        let place = given(key).map_or_else(|| SECTION.to_owned(), |given| given.place.clone());
        problems.push(Problem { place, message });
    };
    let (url, model, api_key) = (text("url"), text("model"), text("api_key"));
    if url.is_empty() {
        for (key, value) in [("model", &model), ("api_key", &api_key)] {
            if !value.is_empty() {
                let message =
                    "without an address it is of no use: set grading.llm.url, for example http://127.0.0.1:11434/v1";
                wrong(key, message.to_owned());
            }
        }
        return None;
    }
    if has_credentials(&url) {
        // The address itself is not repeated: it holds a secret.
        let message = "the url has a user or a password in it; a key goes into DRILLBOT_GRADING_LLM_API_KEY or a file that \
                       grading.llm.api_key_file names";
        wrong("url", message.to_owned());
    } else if !(url.starts_with("http") && (is_safe(&url) || is_near(&url))) || url.contains(['?', '#']) {
        let message = format!(
            "url is \"{url}\"; what members write goes there, so it begins with https://, or with http:// and a machine of your own network \
             (http://127.0.0.1:11434/v1); /chat/completions is put behind it"
        );
        wrong("url", message);
    }
    if model.is_empty() {
        wrong("url", "which model shall be asked? Set grading.llm.model to its name there".to_owned());
    }
    if api_key.contains(|c: char| c.is_whitespace() || c.is_control()) {
        wrong("api_key", "a key has no blanks: copy the key alone, without \"Bearer\" before it".to_owned());
    }
    let timeout = match given("timeout_seconds").map(|given| &given.value) {
        Some(Plain::Number(seconds)) => Duration::from_secs(seconds.unsigned_abs()),
        _ => Duration::from_secs(20),
    };
    Some(Llm {
        url: url.trim_end_matches('/').to_owned(),
        model,
        api_key: (!api_key.is_empty()).then(|| Secret::new(api_key)),
        timeout,
    })
}
