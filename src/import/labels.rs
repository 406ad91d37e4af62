//! What authors write before a colon, in their spellings.

use crate::domain::question::Level;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    Question,
    Answer,
    Why,
    Framework,
    Example,
    Mistake,
    Level,
    Nudge,
    KeyPoints,
    Options,
    RightOptions,
    Explanation,
    Exhibit,
}

/// In letters of one case without punctuation.
const SPELLINGS: [(&str, Label); 56] = [
    ("q", Label::Question),
    ("question", Label::Question),
    ("a", Label::Answer),
    ("ans", Label::Answer),
    ("answer", Label::Answer),
    ("why they ask", Label::Why),
    ("why they ask it", Label::Why),
    ("why they ask this", Label::Why),
    ("why its asked", Label::Why),
    ("why interviewers ask", Label::Why),
    ("why interviewers ask this", Label::Why),
    ("why it matters", Label::Why),
    ("what they want to hear", Label::Why),
    ("answer framework", Label::Framework),
    ("framework", Label::Framework),
    ("answer structure", Label::Framework),
    ("structure", Label::Framework),
    ("how to answer", Label::Framework),
    ("example answer", Label::Example),
    ("example", Label::Example),
    ("sample answer", Label::Example),
    ("model answer", Label::Example),
    ("strong answer", Label::Example),
    ("common mistake", Label::Mistake),
    ("common mistakes", Label::Mistake),
    ("common pitfall", Label::Mistake),
    ("common pitfalls", Label::Mistake),
    ("mistake", Label::Mistake),
    ("mistakes", Label::Mistake),
    ("pitfall", Label::Mistake),
    ("pitfalls", Label::Mistake),
    ("level", Label::Level),
    ("difficulty", Label::Level),
    ("nudge", Label::Nudge),
    ("hint", Label::Nudge),
    ("key points", Label::KeyPoints),
    ("key point", Label::KeyPoints),
    ("key takeaways", Label::KeyPoints),
    ("options", Label::Options),
    ("choices", Label::Options),
    ("answer options", Label::Options),
    ("correct answer", Label::RightOptions),
    ("correct answers", Label::RightOptions),
    ("correct option", Label::RightOptions),
    ("correct options", Label::RightOptions),
    ("right answer", Label::RightOptions),
    ("right answers", Label::RightOptions),
    ("correct choice", Label::RightOptions),
    ("answers", Label::RightOptions),
    ("correct", Label::RightOptions),
    ("exhibit", Label::Exhibit),
    ("explanation", Label::Explanation),
    ("rationale", Label::Explanation),
    ("reason", Label::Explanation),
    ("why", Label::Explanation),
    ("answer explanation", Label::Explanation),
];

/// The label at the beginning of a line, as it is printed, and what follows it: `**Why they ask it:** text`.
pub fn label(line: &str) -> Option<(Label, &str, &str)> {
    let bare = line.trim_start().trim_start_matches(['*', '_']);
    let (name, rest) = bare.split_once([':', '：'])?;
    let printed = name.trim_end_matches(['*', '_', ' ']).trim();
    let found = named(printed)?;
    Some((found, printed, rest.trim_start_matches(['*', '_']).trim()))
}

/// The label that a text spells, whatever its punctuation.
pub fn named(printed: &str) -> Option<Label> {
    if printed.len() > 40 {
        return None;
    }
    let spelled: String =
        printed.chars().filter(|c| c.is_alphabetic() || *c == ' ').flat_map(char::to_lowercase).collect();
    let spelled = spelled.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    SPELLINGS.iter().find(|(spelling, _)| *spelling == spelled).map(|(_, label)| *label)
}

/// A level in the words of other people.
pub fn level(text: &str) -> Option<Level> {
    let word: String = text.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).take(20).collect();
    match word.as_str() {
        "beginner" | "easy" | "basic" | "basics" | "junior" | "entry" | "entrylevel" | "fresher" | "novice" => {
            Some(Level::Beginner)
        }
        "intermediate" | "medium" | "mid" | "midlevel" | "middle" | "moderate" => Some(Level::Intermediate),
        "advanced" | "expert" | "hard" | "senior" | "difficult" | "seniorlevel" => Some(Level::Advanced),
        _ => None,
    }
}

/// The text without the quotation marks around its beginning.
pub fn unquoted(text: &str) -> String {
    let text = text.trim();
    for (open, close) in [('“', '”'), ('"', '"'), ('„', '“'), ('«', '»')] {
        let Some(rest) = text.strip_prefix(open) else { continue };
        let Some(end) = rest.find(close) else { continue };
        let (inner, after) = (&rest[..end], &rest[end + close.len_utf8()..]);
        // Two sayings, each in its own marks, keep them.
        if after.contains(open) {
            break;
        }
        return format!("{inner}{after}").trim().to_owned();
    }
    text.to_owned()
}
