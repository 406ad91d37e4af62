//! Forms: what somebody is asked for at once, and what they picked, however they said it.

use serde::{Deserialize, Serialize};

use super::message::Block;

/// One input of a form. A sent form gives one string for each: what was typed, or the picked values joined by commas.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    pub id: String,
    pub label: String,
    /// What stands in it when it opens; of a pick the values, joined by commas.
    pub value: String,
    pub required: bool,
    #[serde(flatten)]
    pub kind: InputKind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum InputKind {
    Text {
        placeholder: String,
        multiline: bool,
        /// In characters.
        max_length: usize,
    },
    /// One of the options, or with `many` any number of them. Platforms without such inputs let people type what they pick: whoever
    /// uses the value reads it with [`picked`].
    Pick { options: Vec<Choosable>, many: bool },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choosable {
    /// A word without commas or blanks, or a whole number; at most 100 characters, and no other option has it.
    pub value: String,
    pub label: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Form {
    /// An encoded `command::Action` that a submission carries.
    pub action: String,
    /// At most 24 characters, Slack's limit for a modal's title.
    pub title: String,
    /// Lines shown above the inputs.
    pub blocks: Vec<Block>,
    pub inputs: Vec<Input>,
    /// At most 24 characters.
    pub submit: String,
}

/// The value that says "none of them", for platforms on which a choice cannot be taken back.
pub const NOTHING_PICKED: &str = "-";

impl Choosable {
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Choosable {
        Choosable { value: value.into(), label: label.into() }
    }
}

/// What people type to mean an option, where they type: its number in the list. Values that are numbers themselves are shown as they
/// are, so that no number means two things.
pub fn handles(options: &[Choosable]) -> Vec<String> {
    let numbered = options.iter().any(|option| option.value.parse::<u64>().is_ok());
    let handle = |(at, option): (usize, &Choosable)| if numbered { option.value.clone() } else { (at + 1).to_string() };
    options.iter().enumerate().map(handle).collect()
}

/// The options that stand in an input, as [`Input::value`] has them.
pub fn chosen<'a>(options: &'a [Choosable], value: &str) -> Vec<&'a Choosable> {
    options.iter().filter(|option| value.split(',').any(|value| value == option.value)).collect()
}

/// What was picked, by value and in the order of the options. People may have typed it: numbers, values, or beginnings of labels, parted
/// by commas or blanks.
///
/// # Errors
/// The words that are none of the options, or more than one where only one can be picked.
pub fn picked(options: &[Choosable], many: bool, given: &str) -> Result<Vec<String>, String> {
    let given = given.trim();
    if given.is_empty() || given == NOTHING_PICKED {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    if let Some(at) = meant(options, given) {
        found.push(at);
    } else {
        for piece in given.split([',', ';', '\n']).map(str::trim).filter(|piece| !piece.is_empty()) {
            if let Some(at) = meant(options, piece) {
                found.push(at);
                continue;
            }
            for word in piece.split_whitespace().filter(|word| !word.eq_ignore_ascii_case("and")) {
                found.push(meant(options, word).ok_or(if many { word } else { given })?);
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    if found.is_empty() || (!many && found.len() > 1) {
        return Err(given.to_owned());
    }
    Ok(found.into_iter().map(|at| options[at].value.clone()).collect())
}

/// The one option that is meant by a value, a number, a label or the beginning of one.
fn meant(options: &[Choosable], typed: &str) -> Option<usize> {
    let bare = |c: char| c.is_whitespace() || ".:;,!()[]\"'".contains(c);
    let typed = typed.trim_matches(bare).to_lowercase();
    if typed.is_empty() {
        return None;
    }
    let position = |is: &dyn Fn(&Choosable) -> bool| options.iter().position(is);
    let exact = position(&|option| option.value.to_lowercase() == typed)
        .or_else(|| handles(options).iter().position(|handle| *handle == typed))
        .or_else(|| position(&|option| option.label.trim_matches(bare).to_lowercase() == typed));
    if exact.is_some() || typed.chars().all(|c| c.is_ascii_digit()) {
        return exact;
    }
    let begins = |option: &Choosable| option.label.trim_matches(bare).to_lowercase().starts_with(&typed);
    let mut beginning = options.iter().enumerate().filter(|(_, option)| begins(option));
    let first = beginning.next();
    first.filter(|_| beginning.next().is_none()).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Vec<Choosable> {
        vec![
            Choosable::new("sure", "Sure"),
            Choosable::new("fairly", "Fairly sure"),
            Choosable::new("guess", "A guess, no more"),
        ]
    }

    fn numbers() -> Vec<Choosable> {
        vec![
            Choosable::new("0", "Nobody needs the root user."),
            Choosable::new("1", "Root has a second factor"),
            Choosable::new("2", "Root keys are deleted"),
            Choosable::new("10", "nobody shares it"),
        ]
    }

    #[track_caller]
    fn check(options: &[Choosable], many: bool, given: &str, expect: Result<&[&str], &str>) {
        let expect = expect.map(|values| values.iter().map(|&value| value.to_owned()).collect::<Vec<_>>());
        assert_eq!(picked(options, many, given), expect.map_err(str::to_owned), "{given:?}");
    }

    #[test]
    fn one_is_picked_by_value_number_or_the_beginning_of_its_label() {
        for (given, expect) in [
            ("sure", "sure"),
            (" SURE! ", "sure"),
            ("1", "sure"),
            ("2.", "fairly"),
            ("(3)", "guess"),
            ("fair", "fairly"),
            ("Fairly sure", "fairly"),
            ("a guess, no more", "guess"),
            ("a guess", "guess"),
            ("1 sure", "sure"),
            ("3, guess", "guess"),
        ] {
            check(&words(), false, given, Ok(&[expect]));
        }
        for nothing in ["", "  ", "-"] {
            check(&words(), false, nothing, Ok(&[]));
        }
    }

    #[test]
    fn what_is_no_option_is_told() {
        for (given, wrong) in [
            ("very", "very"),
            ("4", "4"),
            ("0", "0"),
            ("not sure", "not sure"),
            ("sure, guess", "sure, guess"),
            ("!", "!"),
            ("and", "and"),
        ] {
            check(&words(), false, given, Err(wrong));
        }
        check(&numbers(), true, "root", Err("root"));
        check(&numbers(), true, "1, 3", Err("3"));
        check(&[], true, "1", Err("1"));
    }

    #[test]
    fn several_are_picked_in_the_order_of_the_options() {
        for (given, expect) in [
            ("2,0", &["0", "2"][..]),
            ("10 2  2", &["2", "10"]),
            ("0; 1 and 2", &["0", "1", "2"]),
            ("root keys, 10", &["2", "10"]),
            ("nobody needs", &["0"]),
            ("Nobody", &[]),
        ] {
            if expect.is_empty() {
                check(&numbers(), true, given, Err(given));
            } else {
                check(&numbers(), true, given, Ok(expect));
            }
        }
    }

    #[test]
    fn a_number_means_one_thing() {
        assert_eq!(handles(&words()), ["1", "2", "3"]);
        assert_eq!(handles(&numbers()), ["0", "1", "2", "10"]);
        check(&numbers(), false, "1", Ok(&["1"]));
        let mixed = [Choosable::new("none", "None"), Choosable::new("1", "One")];
        assert_eq!(handles(&mixed), ["none", "1"]);
        check(&mixed, false, "1", Ok(&["1"]));
        assert_eq!(chosen(&numbers(), "10,1").iter().map(|one| one.value.as_str()).collect::<Vec<_>>(), ["1", "10"]);
    }

    #[test]
    fn a_page_reads_an_input_with_its_kind() {
        let input = Input {
            id: "sure".into(),
            label: "How sure?".into(),
            value: String::new(),
            required: false,
            kind: InputKind::Pick { options: words(), many: false },
        };
        let json = serde_json::to_value(&input).expect("JSON");
        assert_eq!((&json["kind"], &json["many"]), (&"pick".into(), &false.into()));
        assert_eq!(json["options"][1]["value"], "fairly");
        assert_eq!(serde_json::from_value::<Input>(json).expect("an input"), input);
    }
}
