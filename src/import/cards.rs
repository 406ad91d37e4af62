//! Anki's notes: its text export, and what a package's notes become.

use super::sheet::{Sheet, Use};
use super::{Callout, Draft, Format, Reading, Skipped, Trouble, Warning, html, labels, markdown, table};

/// A note of a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// (name of the field, its HTML).
    pub fields: Vec<(String, String)>,
    pub tags: Vec<String>,
    pub deck: Option<String>,
}

pub fn read(text: &str) -> Result<Reading, Trouble> {
    let mut sheet = Sheet::new(text);
    let mut settings: Vec<(&str, &str)> = Vec::new();
    let mut body = 0;
    for (at, line) in sheet.lines.clone().into_iter().enumerate() {
        let Some(setting) = line.strip_prefix('#') else { break };
        match setting.split_once(':') {
            Some((key, value)) => {
                settings.push((key.trim(), value));
                sheet.claim(at..at + 1, Use::Structure);
            }
            None => sheet.claim(at..at + 1, Use::Comment),
        }
        body = at + 1;
    }
    let setting = |key: &str| settings.iter().find(|(known, _)| *known == key).map(|(_, value)| *value);
    let delimiter = match setting("separator").map(str::trim) {
        None | Some("tab" | "Tab" | "\\t" | "") => b'\t',
        Some("comma" | "Comma" | ",") => b',',
        Some("semicolon" | "Semicolon" | ";") => b';',
        Some("colon" | "Colon" | ":") => b':',
        Some("pipe" | "Pipe" | "|") => b'|',
        Some("space" | "Space") => b' ',
        Some(other) => {
            return Err(Trouble::new(
                1,
                format!("#separator:{other} is none that Anki writes; use tab, comma, semicolon, colon, pipe or space"),
            ));
        }
    };
    let column =
        |key: &str| setting(key).and_then(|value| value.trim().parse::<usize>().ok()).filter(|column| *column > 0);
    let special = [column("tags column"), column("deck column"), column("notetype column"), column("guid column")];
    let names: Vec<String> = setting("columns")
        .map(|value| value.trim_end().split(char::from(delimiter)).map(str::to_owned).collect())
        .unwrap_or_default();
    let is_html = setting("html").map(|value| value.trim() == "true");
    let common: Vec<String> =
        setting("tags").map(|tags| tags.split_whitespace().map(str::to_owned).collect()).unwrap_or_default();
    let rows = table::rows(&sheet, body, delimiter)?;
    for row in rows {
        let end = row.end;
        let mut note =
            Note { tags: common.clone(), deck: setting("deck").map(|deck| deck.trim().to_owned()), ..Note::default() };
        for (index, value) in row.fields.iter().enumerate() {
            let at = Some(index + 1);
            if at == special[0] {
                note.tags.extend(value.split_whitespace().map(str::to_owned));
            } else if at == special[1] {
                note.deck = Some(value.clone());
            } else if at != special[2] && at != special[3] {
                let name = names.get(index).cloned().unwrap_or_default();
                // Fields of Anki are HTML unless the file says otherwise.
                let value = if is_html.unwrap_or(true) { value.clone() } else { escaped(value) };
                note.fields.push((name, value));
            }
        }
        if row.unclosed {
            sheet.warn(row.line, "unclosed-quote", "");
        }
        match draft(&note, row.line + 1, &mut sheet.warnings) {
            Some(found) => {
                sheet.claim(row.line..end, Use::Question);
                sheet.ask(None, found);
            }
            None => sheet.claim(row.line..end, Use::Skipped("no-question")),
        }
    }
    Ok(sheet.finish(Format::AnkiText, "outside-question"))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\n', "<br>")
}

/// What the notes of a package become. Their number takes the place of a line.
pub fn read_notes(notes: &[Note]) -> Reading {
    let mut sheet = Sheet::new("");
    let mut skipped = Vec::new();
    for (index, note) in notes.iter().enumerate() {
        match draft(note, index + 1, &mut sheet.warnings) {
            Some(found) => {
                if found.answer.is_empty() {
                    sheet.warnings.push(Warning::new(index + 1, "empty-answer", found.prompt.clone()));
                }
                sheet.ask(None, found);
            }
            None => {
                let text: String =
                    note.fields.iter().map(|(_, value)| html::to_markdown(value).0).collect::<Vec<_>>().join(" ");
                skipped.push(Skipped {
                    line: index + 1,
                    reason: "no-question",
                    text: markdown::squeeze(&text).chars().take(60).collect(),
                });
            }
        }
    }
    let mut reading = sheet.finish(Format::AnkiPackage, "outside-question");
    reading.skipped = skipped;
    reading
}

/// The first field asks, the second answers; others are kept under their names.
fn draft(note: &Note, line: usize, warnings: &mut Vec<Warning>) -> Option<Draft> {
    let mut media = 0;
    let mut fields = Vec::new();
    for (name, value) in &note.fields {
        let (text, lost) = html::to_markdown(value);
        media += lost;
        fields.push((name.trim(), text));
    }
    let mut draft = Draft {
        line,
        section: note
            .deck
            .as_deref()
            .map(|deck| deck.rsplit("::").next().unwrap_or(deck).trim().to_owned())
            .filter(|deck| !deck.is_empty() && deck != "Default"),
        tags: note.tags.clone(),
        ..Draft::default()
    };
    draft.level = note.tags.iter().find_map(|tag| labels::level(tag.rsplit("::").next().unwrap_or(tag)));
    let mut rest = fields.into_iter();
    let (_, front) = rest.next()?;
    if front.contains("{{c") {
        let (asked, told) = cloze(&front);
        draft.prompt = markdown::squeeze(&asked);
        draft.answer = told;
    } else {
        draft.prompt = if front.contains("```") { front } else { markdown::squeeze(&front) };
        draft.answer = rest.next().map(|(_, text)| text).unwrap_or_default();
    }
    if draft.prompt.is_empty() {
        return None;
    }
    for (index, (name, text)) in rest.enumerate().filter(|(_, (_, text))| !text.is_empty()) {
        let label = if name.is_empty() { format!("Field {}", index + 3) } else { name.to_owned() };
        draft.callouts.push(Callout { label, text });
    }
    draft.points = markdown::items(&draft.answer);
    if media > 0 {
        warnings.push(Warning::new(
            line,
            "media-left-out",
            if media == 1 { "1 picture or sound".to_owned() } else { format!("{media} pictures or sounds") },
        ));
    }
    Some(draft)
}

/// `{{c1::word::hint}}` asked with a gap, or with its hint, and told with the word.
fn cloze(text: &str) -> (String, String) {
    let (mut asked, mut told) = (String::new(), String::new());
    let mut rest = text;
    // Behind the last end nothing is looked for again.
    let mut closes = true;
    while let Some(start) = rest.find("{{c").filter(|_| closes) {
        let after = &rest[start + 3..];
        let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let inner = after[digits..].strip_prefix("::").filter(|_| digits > 0);
        let found = inner.map(|inner| inner.split_once("}}"));
        closes = found != Some(None);
        let Some((inner, behind)) = found.flatten() else {
            asked.push_str(&rest[..start + 3]);
            told.push_str(&rest[..start + 3]);
            rest = after;
            continue;
        };
        let (word, hint) = inner.split_once("::").unwrap_or((inner, "..."));
        asked.push_str(&rest[..start]);
        asked.push_str(&format!("[{hint}]"));
        told.push_str(&rest[..start]);
        told.push_str(word);
        rest = behind;
    }
    asked.push_str(rest);
    told.push_str(rest);
    (asked, told)
}
