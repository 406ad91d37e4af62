//! From a draft to a question of a bank, and from a question to its TOML. What the source does not say is guessed from few
//! words; an author looks at it anyway.

use std::fmt::Write;

use jiff::civil::Date;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use super::{Draft, labels, markdown};
use crate::domain::ids::{QuestionId, short_hash};
use crate::domain::question::{Choice, Exhibit, KeyPoint, Kind, Level, Mistake, Question, Status};

const POINTS: usize = 6;
const POINT_CHARS: usize = 120;
const NUDGE_CHARS: usize = 90;
const ID_CHARS: usize = 48;
/// Read soon: a draft is nobody's word yet.
const REVIEW_DAYS: u32 = 180;
/// Letters for options end somewhere.
const OPTIONS: usize = 10;
/// The topic of what names none.
const TOPIC: &str = "imported";
const TRACK: &str = "devops";

/// What holds for all questions of a file.
#[derive(Clone, Debug)]
pub struct About {
    /// The file, an address or a title.
    pub source: String,
    /// `line`, or `note` for a package.
    pub unit: &'static str,
    pub licence: String,
    pub topic: Option<String>,
    pub today: Date,
}

impl About {
    pub fn source_of(&self, draft: &Draft) -> String {
        format!("{}, {} {}", self.source, self.unit, draft.line)
    }

    /// Whether a question came from the same place.
    pub fn is_source(&self, source: &str) -> bool {
        source.strip_prefix(&self.source).is_some_and(|rest| rest.starts_with(", "))
    }
}

/// The question that a draft becomes. `known` finds a topic of the bank by any word for it.
pub fn question(draft: &Draft, id: QuestionId, about: &About, known: &dyn Fn(&str) -> Option<String>) -> Question {
    let (prompt, exhibit) = exhibit(&draft.prompt);
    let right = draft.options.iter().filter(|option| option.correct).count();
    let choice = ((2..=OPTIONS).contains(&draft.options.len()) && right > 0)
        .then(|| Choice { stem: prompt.clone(), options: draft.options.clone() });
    let track = draft.track.clone().or_else(|| track_in(&about.source).map(str::to_owned));
    Question {
        id,
        version: 1,
        kind: kind(&prompt),
        exhibit,
        level: draft.level.unwrap_or(Level::Intermediate),
        tracks: vec![track.unwrap_or_else(|| TRACK.to_owned())],
        topic: topic(draft, about, known),
        tags: tags(draft),
        nudge: draft.nudge.as_deref().map(|nudge| cut(&markdown::squeeze(nudge), NUDGE_CHARS)),
        model_answer: model_answer(draft, choice.is_some()),
        why: draft.why.clone(),
        framework: draft.framework.clone(),
        mistakes: mistakes(draft),
        follow_ups: Vec::new(),
        hints: Vec::new(),
        references: Vec::new(),
        last_reviewed: about.today,
        review_after_days: REVIEW_DAYS,
        status: Status::Draft,
        source: Some(about.source_of(draft)),
        licence: Some(about.licence.clone()),
        key_points: key_points(draft),
        choice,
        scenario: None,
        samples: Vec::new(),
        prompt,
    }
}

/// Code in a prompt is laid beside it.
fn exhibit(prompt: &str) -> (String, Option<Exhibit>) {
    let lines: Vec<&str> = prompt.lines().collect();
    let (code, _) = markdown::fences(&lines);
    let Some(first) = code.iter().position(|code| *code) else { return (markdown::squeeze(prompt), None) };
    let last = (first..code.len()).take_while(|at| code[*at]).last().unwrap_or(first);
    let text: Vec<&str> = lines[..first].iter().chain(&lines[last + 1..]).copied().collect();
    let language = lines[first].trim().trim_matches(['`', '~']).trim().split('{').next().unwrap_or_default().trim();
    let name = if language.is_empty() { "code".to_owned() } else { language.to_owned() };
    let shown = lines.get(first + 1..last).unwrap_or_default().join("\n");
    if shown.trim().is_empty() {
        return (markdown::squeeze(prompt), None);
    }
    let asked = markdown::squeeze(&text.join(" "));
    let asked = if asked.is_empty() { "What do you make of this?".to_owned() } else { asked };
    (asked, Some(Exhibit { name, text: shown }))
}

/// The answer as a bank has it, where lines of one paragraph are joined: so each item of a list stands alone.
fn model_answer(draft: &Draft, has_choice: bool) -> String {
    let lines: Vec<&str> = draft.answer.lines().collect();
    let (code, _) = markdown::fences(&lines);
    let mut out: Vec<String> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let item = !code[at] && (markdown::bullet(line).is_some() || markdown::numbered(line).is_some());
        let fence = code[at] && (at == 0 || !code[at - 1]);
        if (item || fence) && out.last().is_some_and(|last| !last.is_empty()) {
            out.push(String::new());
        }
        let text = match markdown::heading(line).filter(|_| !code[at]) {
            Some((_, text)) => format!("**{}**", text.trim_matches('*')),
            None => (*line).to_owned(),
        };
        out.push(text);
    }
    let mut text = out.join("\n").trim().to_owned();
    let mut add = |more: &str| {
        text = [text.as_str(), more].join("\n\n").trim().to_owned();
    };
    if !draft.options.is_empty() && !has_choice {
        let list: Vec<String> = draft.options.iter().map(|option| format!("- {}", option.text)).collect();
        add(&format!("The options were:\n\n{}", list.join("\n\n")));
    }
    for callout in &draft.callouts {
        if !draft.answer.contains(&callout.text) && !matches!(callout.label.as_str(), "Title" | "Accepted") {
            add(&format!("**{}:** {}", callout.label, callout.text));
        }
    }
    text
}

fn mistakes(draft: &Draft) -> Vec<Mistake> {
    let lines =
        draft.mistake.iter().flat_map(|text| text.lines()).map(|line| markdown::bullet(line).unwrap_or(line).trim());
    lines
        .filter(|line| !line.is_empty())
        .map(|line| match line.split_once(" → ") {
            Some((wrong, right)) => Mistake { wrong: wrong.trim().to_owned(), right: right.trim().to_owned() },
            None => Mistake { wrong: line.to_owned(), right: "Compare it with the model answer.".to_owned() },
        })
        .collect()
}

/// The first is what one must have said; terms are an author's work.
fn key_points(draft: &Draft) -> Vec<KeyPoint> {
    let mut texts: Vec<String> = Vec::new();
    let sentences = || {
        let paragraphs = markdown::paragraphs(&draft.answer);
        let found: Vec<String> =
            paragraphs.iter().flat_map(|text| text.unicode_sentences()).map(markdown::squeeze).collect();
        let long: Vec<String> = found.iter().filter(|text| text.split(' ').count() >= 3).cloned().collect();
        if long.is_empty() { found } else { long }
    };
    let points = if draft.points.is_empty() { sentences() } else { draft.points.clone() };
    for text in points {
        let text = cut(&markdown::squeeze(&text), POINT_CHARS);
        if !text.is_empty() && !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts.truncate(POINTS);
    let point = |(index, text)| KeyPoint {
        text,
        weight: if index == 0 { 3 } else { 2 },
        all_of: Vec::new(),
        alt: Vec::new(),
        need: None,
        about: Vec::new(),
        rivals: Vec::new(),
        required: false,
        contradicts: Vec::new(),
    };
    texts.into_iter().enumerate().map(point).collect()
}

/// At most that many characters, ending with a word.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let head: String = text.chars().take(most - 1).collect();
    let end = head.rfind(' ').filter(|end| *end > most / 2).unwrap_or(head.len());
    format!("{}…", head[..end].trim_end_matches([' ', ',', ';', ':', '.']))
}

fn kind(prompt: &str) -> Kind {
    let lower = prompt.to_lowercase();
    let first: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(12).collect();
    let begins = |words: &[&str]| words.iter().any(|word| first.first() == Some(word));
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| lower.contains(phrase));
    if says(&[
        "tell me about a time",
        "describe a time",
        "describe a situation",
        "give an example of a time",
        "a time when",
    ]) {
        Kind::Behavioural
    } else if begins(&["design", "architect", "sketch"]) || says(&["how would you design", "how would you architect"]) {
        Kind::Design
    } else if begins(&["compare", "contrast", "differentiate", "distinguish"])
        || says(&[
            "difference between",
            "differences between",
            " versus ",
            " vs ",
            " vs. ",
            "differ from",
            "which one, and when",
        ])
    {
        Kind::Compare
    } else if begins(&["imagine", "suppose", "your", "you", "scenario", "given", "nobody", "somebody", "users"])
        || says(&[
            "what do you do",
            "what would you do",
            "what now?",
            "where do you look",
            "how do you find",
            "troubleshoot",
            "debug",
        ])
    {
        Kind::Scenario
    } else {
        Kind::Concept
    }
}

/// The track that a heading names.
pub fn track_in(text: &str) -> Option<&'static str> {
    let plain: String = text.to_lowercase().chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '/').collect();
    ["devsecops", "mlops", "aiops", "cloudops", "devops"]
        .into_iter()
        .filter_map(|track| Some((plain.find(track)?, track)))
        .min_by_key(|(at, _)| *at)
        .map(|(_, track)| track)
}

fn topic(draft: &Draft, about: &About, known: &dyn Fn(&str) -> Option<String>) -> String {
    if let Some(topic) = &about.topic {
        return known(topic).unwrap_or_else(|| slug(topic, 40));
    }
    let section = draft.section.as_deref().unwrap_or_default();
    if let Some(name) = known(section).filter(|_| !section.is_empty()) {
        return name;
    }
    // What every collection calls itself says nothing.
    let empty = [
        "interview",
        "question",
        "questions",
        "answer",
        "answers",
        "faq",
        "common",
        "technical",
        "general",
        "top",
        "and",
        "the",
        "a",
        "of",
        "for",
        "sample",
        "with",
        "to",
    ];
    let words: Vec<String> =
        slug(section, 200).split('-').filter(|word| !empty.contains(word)).take(4).map(str::to_owned).collect();
    let name = slug(&words.join(" "), 40);
    if name.is_empty() { TOPIC.to_owned() } else { known(&name).unwrap_or(name) }
}

fn tags(draft: &Draft) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for tag in &draft.tags {
        let tag = slug(tag.rsplit("::").next().unwrap_or(tag), 30);
        if !tag.is_empty() && labels::level(&tag).is_none() && !tags.contains(&tag) && tags.len() < 8 {
            tags.push(tag);
        }
    }
    tags
}

/// Small letters, digits and single hyphens.
pub fn slug(text: &str, most: usize) -> String {
    let mut out = String::new();
    for c in text.nfkd().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !('\u{300}'..='\u{36f}').contains(&c)
            && !matches!(c, '\'' | '’')
            && !out.ends_with('-')
            && !out.is_empty()
        {
            out.push('-');
        }
        if out.len() > most * 2 {
            break;
        }
    }
    let out = out.trim_matches('-');
    if out.len() <= most {
        return out.to_owned();
    }
    let end = out[..most + 1].rfind('-').unwrap_or(most);
    out[..end].trim_matches('-').to_owned()
}

/// An id made of the words that matter in a prompt.
pub fn id_of(prompt: &str) -> String {
    let light = [
        "a", "an", "the", "is", "are", "do", "does", "did", "you", "your", "we", "i", "it", "its", "of", "to", "and",
        "or", "that", "this", "would", "should", "can", "could", "be", "s", "me", "us", "with", "for", "in", "on",
        "at", "by", "there", "what", "how", "explain", "describe",
    ];
    let all = slug(prompt, 400);
    let heavy: Vec<&str> = all.split('-').filter(|word| !light.contains(word)).take(7).collect();
    let words = if heavy.is_empty() { all.split('-').take(7).collect() } else { heavy };
    let id = slug(&words.join("-"), ID_CHARS);
    // Prompts in other scripts have an id too.
    if id.len() < 2 { format!("q-{}", short_hash(&[prompt])) } else { id }
}

/// A block `[[question]]`, as a person would write it.
pub fn to_toml(question: &Question) -> String {
    let mut out = String::from("[[question]]\n");
    let mut line = |key: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{key} = {value}");
    };
    line("id", string(question.id.as_str()));
    line("version", question.version.to_string());
    line("prompt", string(&question.prompt));
    line("level", string(question.level.as_str()));
    line("kind", string(question.kind.as_str()));
    line("tracks", strings(&question.tracks));
    line("topic", string(&question.topic));
    if !question.tags.is_empty() {
        line("tags", strings(&question.tags));
    }
    if let Some(nudge) = &question.nudge {
        line("nudge", string(nudge));
    }
    line("model_answer", text(&question.model_answer));
    if let Some(why) = &question.why {
        line("why", string(why));
    }
    if let Some(framework) = &question.framework {
        line("framework", string(framework));
    }
    if !question.mistakes.is_empty() {
        let mistake = |m: &Mistake| format!("  {{ wrong = {}, right = {} }},\n", string(&m.wrong), string(&m.right));
        line("mistakes", format!("[\n{}]", question.mistakes.iter().map(mistake).collect::<String>()));
    }
    line("last_reviewed", question.last_reviewed.to_string());
    line("review_after_days", question.review_after_days.to_string());
    line("status", string(question.status.as_str()));
    if let Some(source) = &question.source {
        line("source", string(source));
    }
    if let Some(licence) = &question.licence {
        line("licence", string(licence));
    }
    if question.key_points.is_empty() {
        line("key_points", "[]".to_owned());
    }
    if let Some(exhibit) = &question.exhibit {
        let _ = write!(out, "\n[question.exhibit]\nname = {}\ntext = {}\n", string(&exhibit.name), text(&exhibit.text));
    }
    for point in &question.key_points {
        let _ = write!(out, "\n[[question.key_points]]\ntext = {}\nweight = {}\n", string(&point.text), point.weight);
    }
    if let Some(choice) = &question.choice {
        let _ = write!(out, "\n[question.choice]\nstem = {}\noptions = [\n", string(&choice.stem));
        for option in &choice.options {
            let correct = if option.correct { ", correct = true" } else { "" };
            let _ = writeln!(
                out,
                "  {{ text = {}{correct}, because = {} }},",
                string(&option.text),
                string(&option.because)
            );
        }
        out.push_str("]\n");
    }
    out
}

fn strings(items: &[String]) -> String {
    format!("[{}]", items.iter().map(|item| string(item)).collect::<Vec<_>>().join(", "))
}

/// A basic string of TOML.
fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    text.chars().for_each(|c| escape(c, &mut out));
    out.push('"');
    out
}

fn escape(c: char, out: &mut String) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        '\r' => out.push_str("\\r"),
        c if c.is_control() => {
            let _ = write!(out, "\\u{:04X}", u32::from(c));
        }
        c => out.push(c),
    }
}

/// A string over several lines; one that is short and has one line stands on its own.
fn text(text: &str) -> String {
    if !text.contains('\n') && text.chars().count() <= 100 {
        return string(text);
    }
    let mut out = String::from("\"\"\"\n");
    for (at, line) in text.lines().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        let mut quotes = 0;
        for c in line.chars() {
            // Three in a row would end it.
            quotes = if c == '"' { quotes + 1 } else { 0 };
            if c == '"' && quotes < 3 {
                out.push('"');
            } else {
                quotes = 0;
                escape(c, &mut out);
            }
        }
    }
    out.push_str("\n\"\"\"");
    out
}
