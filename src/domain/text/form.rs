//! Words around the inputs of forms.

use super::names;
use crate::domain::form::{Choosable, handles};
use crate::domain::markup;

/// Above this the labels are too long to be repeated in a sentence.
const REPEATED: usize = 120;

/// Beside the options of which one may be picked, where what is picked cannot be taken back.
pub fn no_pick() -> &'static str {
    "No answer"
}

/// What stands in the input of a pick where people type.
pub fn pick_placeholder(options: &[Choosable], many: bool) -> String {
    let handles = handles(options);
    let options: Vec<String> =
        options.iter().zip(handles).map(|(option, handle)| format!("{handle} {}", option.label)).collect();
    format!("{}{}", if many { "Numbers: " } else { "" }, options.join(", "))
}

/// The same, where the options stand above the input.
pub fn pick_by_number(options: &[Choosable], many: bool) -> String {
    match handles(options).as_slice() {
        [first, second, ..] if many => format!("Numbers from the list above, such as: {first}, {second}"),
        _ => "A number from the list above".to_owned(),
    }
}

/// What was typed is none of the options.
pub fn not_an_option(typed: &str, options: &[Choosable]) -> String {
    let labels: Vec<String> = options.iter().map(|option| format!("\"{}\"", option.label)).collect();
    let short = labels.iter().map(|label| label.chars().count()).sum::<usize>() <= REPEATED;
    let known = if short { labels } else { handles(options) };
    format!("I do not understand \"{}\"; there is {}.", markup::shorten(typed.trim(), 40), names(&known, known.len()))
}
