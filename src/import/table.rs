//! CSV and TSV with a header, in the spellings of many spreadsheets.

use super::sheet::{Sheet, Use};
use super::{Callout, Draft, Format, Reading, Trouble, choice, labels, markdown};
use crate::domain::question::ChoiceOption;

/// A row, and the lines that it stands on, from 0.
pub struct Row {
    pub fields: Vec<String>,
    pub line: usize,
    pub end: usize,
    /// A quotation mark that opens and never closes.
    pub unclosed: bool,
}

/// The rows from line `begin` on.
pub fn rows(sheet: &Sheet<'_>, begin: usize, delimiter: u8) -> Result<Vec<Row>, Trouble> {
    let text = sheet.lines[begin.min(sheet.lines.len())..].join("\n");
    let mut starts: Vec<usize> = vec![0];
    starts.extend(text.match_indices('\n').map(|(at, _)| at + 1));
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    let mut rows: Vec<Row> = Vec::new();
    let mut record = csv::StringRecord::new();
    loop {
        let from = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX).min(text.len());
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                let line = error.position().and_then(|at| usize::try_from(at.line()).ok()).unwrap_or(1);
                return Err(Trouble::new(begin + line, format!("this row cannot be read: {error}")));
            }
        }
        let to = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX).clamp(from, text.len());
        let raw = &text.as_bytes()[from..to];
        let blank = raw.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let line = starts.partition_point(|start| *start <= from + blank) - 1;
        let end = starts.partition_point(|start| *start < to.max(from + 1));
        let unclosed = to == text.len() && raw.iter().filter(|byte| **byte == b'"').count() % 2 == 1;
        if record.iter().all(|field| field.trim().is_empty()) && !raw.iter().any(|byte| !byte.is_ascii_whitespace()) {
            continue;
        }
        let fields = record.iter().map(str::to_owned).collect();
        rows.push(Row { fields, line: begin + line, end: begin + end, unclosed });
    }
    Ok(rows)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Prompt,
    Answer,
    Level,
    Section,
    Track,
    Tags,
    Nudge,
    Why,
    Framework,
    Mistake,
    Explanation,
    Points,
    Number,
    Option(usize),
    Wrong,
    Right,
}

fn column(name: &str) -> Option<Column> {
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(40).collect();
    Some(match plain.as_str() {
        "question" | "questions" | "prompt" | "front" | "q" | "questiontext" | "term" | "stem"
        | "interviewquestion" => Column::Prompt,
        "answer" | "answers" | "response" | "back" | "a" | "modelanswer" | "definition" | "answertext"
        | "sampleanswer" | "exampleanswer" | "solution" => Column::Answer,
        "level" | "difficulty" | "difficultylevel" | "seniority" => Column::Level,
        "topic" | "category" | "section" | "subject" | "deck" | "area" | "domain" => Column::Section,
        "track" | "role" => Column::Track,
        "tags" | "tag" | "labels" | "keywords" => Column::Tags,
        "nudge" | "hint" | "clue" => Column::Nudge,
        "why" | "whytheyask" | "whytheyaskit" => Column::Why,
        "framework" | "answerframework" => Column::Framework,
        "mistake" | "mistakes" | "commonmistake" | "commonmistakes" | "pitfall" => Column::Mistake,
        "explanation" | "rationale" | "feedback" | "comment" | "notes" => Column::Explanation,
        "keypoints" | "points" | "keytakeaways" => Column::Points,
        "id" | "no" | "nr" | "number" | "n" | "qno" => Column::Number,
        "wrong" | "wronganswers" | "incorrect" | "incorrectanswers" | "distractors" | "wronganswer"
        | "incorrectanswer" => Column::Wrong,
        "correct" | "correctanswer" | "correctanswers" | "correctoption" | "correctchoice" | "rightanswer"
        | "rightoption" | "key" | "answerkey" => Column::Right,
        other => {
            let rest = ["option", "choice", "answer", "opt", "incorrectanswer", "wronganswer"]
                .iter()
                .find_map(|word| other.strip_prefix(word))?;
            if other.starts_with("incorrect") || other.starts_with("wrong") {
                return Some(Column::Wrong);
            }
            match rest {
                letter if letter.len() == 1 && letter.as_bytes()[0].is_ascii_lowercase() => {
                    Column::Option(usize::from(letter.as_bytes()[0] - b'a'))
                }
                number => Column::Option(number.parse::<usize>().ok()?.checked_sub(1)?),
            }
        }
    })
}

fn columns(header: &[String]) -> Vec<Option<Column>> {
    let mut found: Vec<Option<Column>> =
        header.iter().map(|name| column(name.trim_start_matches('\u{feff}'))).collect();
    // Columns a, b, c, d are options; a alone is the answer.
    let single = |letter: &str| header.iter().position(|name| name.trim().eq_ignore_ascii_case(letter));
    if let (Some(a), Some(b)) = (single("a"), single("b")) {
        found[a] = Some(Column::Option(0));
        found[b] = Some(Column::Option(1));
        for (index, letter) in ["c", "d", "e", "f"].iter().enumerate() {
            if let Some(at) = single(letter) {
                found[at] = Some(Column::Option(index + 2));
            }
        }
    }
    found
}

/// The delimiter of a header: the one that parts it into known names.
fn delimiter(line: &str) -> Option<u8> {
    let split = |delimiter: u8| {
        line.split(char::from(delimiter)).map(|name| name.trim().trim_matches('"').to_owned()).collect::<Vec<_>>()
    };
    [b'\t', b',', b';', b'|']
        .into_iter()
        .filter(|delimiter| {
            let found = columns(&split(*delimiter));
            found.contains(&Some(Column::Prompt)) && found.len() > 1
        })
        .max_by_key(|delimiter| columns(&split(*delimiter)).iter().flatten().count())
}

pub fn has_header(line: &str) -> bool {
    delimiter(line).is_some_and(|delimiter| {
        let names: Vec<String> =
            line.split(char::from(delimiter)).map(|name| name.trim().trim_matches('"').to_owned()).collect();
        let found = columns(&names);
        found.iter().flatten().count() * 2 >= found.len() && found.iter().flatten().count() >= 2
    })
}

pub fn read(text: &str) -> Result<Reading, Trouble> {
    let mut sheet = Sheet::new(text);
    let mut begin = sheet.next_text(0, usize::MAX).unwrap_or(0);
    let mut forced = None;
    // Excel's own line.
    if let Some(mark) = sheet.lines[begin].strip_prefix("sep=") {
        forced = mark.bytes().next();
        sheet.claim(begin..begin + 1, Use::Structure);
        begin += 1;
    }
    let header_line = sheet.lines.get(begin).copied().unwrap_or_default();
    let Some(delimiter) = forced.filter(u8::is_ascii).or_else(|| delimiter(header_line)) else {
        return Err(Trouble::new(
            begin + 1,
            "the first line names no column \"question\"; write a header such as question,answer,level,topic",
        ));
    };
    let mut rows = rows(&sheet, begin, delimiter)?.into_iter();
    let Some(header) = rows.next() else { return Err(Trouble::new(begin + 1, "there is no header")) };
    sheet.claim(header.line..header.end, Use::Structure);
    let columns = columns(&header.fields);
    if !columns.contains(&Some(Column::Prompt)) {
        return Err(Trouble::new(
            begin + 1,
            "no column is called \"question\"; write a header such as question,answer,level,topic",
        ));
    }
    for (name, _) in header.fields.iter().zip(&columns).filter(|(_, column)| column.is_none()) {
        sheet.warn(header.line, "unknown-column", name.trim());
    }
    for row in rows {
        let (line, end) = (row.line, row.end);
        if row.unclosed {
            sheet.warn(line, "unclosed-quote", "");
        }
        let (printed, draft) = draft(&mut sheet, &header.fields, &columns, row);
        match draft {
            Some(draft) => {
                sheet.claim(line..end, Use::Question);
                sheet.ask(printed, draft);
            }
            None => sheet.claim(line..end, Use::Skipped("no-question")),
        }
    }
    Ok(sheet.finish(Format::Csv, "outside-question"))
}

fn draft(
    sheet: &mut Sheet<'_>,
    names: &[String],
    columns: &[Option<Column>],
    row: Row,
) -> (Option<usize>, Option<Draft>) {
    let mut draft = Draft { line: row.line + 1, ..Draft::default() };
    let (mut printed, mut right, mut explanation) = (None, None, None);
    let mut wrong: Vec<String> = Vec::new();
    let mut options: Vec<(usize, String)> = Vec::new();
    if row.fields.len() > names.len() {
        let more = row.fields.len() - names.len();
        sheet.warn(row.line, "more-fields-than-columns", more.to_string());
    }
    for (index, value) in row.fields.iter().enumerate() {
        let value = value.trim();
        // The apostrophe that keeps a spreadsheet from computing.
        let value = value.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@'])).unwrap_or(value);
        if value.is_empty() {
            continue;
        }
        let text = || Some(value.to_owned());
        match columns.get(index).copied().flatten() {
            Some(Column::Prompt) if draft.prompt.is_empty() => draft.prompt = value.to_owned(),
            Some(Column::Answer) if draft.answer.is_empty() => draft.answer = value.to_owned(),
            Some(Column::Level) if labels::level(value).is_some() => draft.level = labels::level(value),
            Some(Column::Section) if draft.section.is_none() => draft.section = text(),
            Some(Column::Track) if draft.track.is_none() => {
                draft.track = Some(super::draft::slug(value, 40)).filter(|track| !track.is_empty())
            }
            Some(Column::Tags) => {
                draft.tags.extend(value.split([',', ';', '|']).flat_map(str::split_whitespace).map(str::to_owned))
            }
            Some(Column::Nudge) if draft.nudge.is_none() => draft.nudge = text(),
            Some(Column::Why) if draft.why.is_none() => draft.why = text(),
            Some(Column::Framework) if draft.framework.is_none() => draft.framework = text(),
            Some(Column::Mistake) if draft.mistake.is_none() => draft.mistake = text(),
            Some(Column::Explanation) if explanation.is_none() => explanation = text(),
            Some(Column::Points) => draft.points.extend(
                value
                    .split(if value.contains('\n') { &['\n'][..] } else { &[';', '|'] })
                    .map(|point| markdown::plain(markdown::bullet(point).unwrap_or(point)))
                    .filter(|point| !point.is_empty()),
            ),
            Some(Column::Number) if value.parse::<usize>().is_ok() && printed.is_none() => printed = value.parse().ok(),
            Some(Column::Option(at)) => options.push((at, value.to_owned())),
            Some(Column::Wrong) => wrong.extend(
                value.split(['|', ';', '\n']).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()),
            ),
            Some(Column::Right) if right.is_none() => right = text(),
            // Nothing is lost because we have no place for it.
            _ => {
                let name = names.get(index).map(|name| name.trim()).filter(|name| !name.is_empty());
                let label = name.map_or_else(|| format!("Column {}", index + 1), str::to_owned);
                draft.callouts.push(Callout { label, text: value.to_owned() });
            }
        }
    }
    if draft.prompt.is_empty() {
        return (printed, None);
    }
    options.sort_by_key(|(at, _)| *at);
    if !options.is_empty() {
        // With options, an answer may name one of them.
        let named = right.clone().or_else(|| Some(draft.answer.clone()).filter(|answer| !answer.is_empty()));
        let picked = named.as_deref().map(|named| picked(&options, named)).unwrap_or_default();
        if right.is_none() && !picked.is_empty() {
            draft.answer.clear();
        }
        draft.options = options
            .iter()
            .map(|(at, text)| ChoiceOption { text: text.clone(), correct: picked.contains(at), because: String::new() })
            .collect();
    } else if let Some(right) = &right {
        if wrong.is_empty() {
            if draft.answer.is_empty() {
                draft.answer.clone_from(right);
            } else {
                draft.callouts.push(Callout { label: "Correct".to_owned(), text: right.clone() });
            }
        } else {
            let option = |text: &String, correct| ChoiceOption { text: text.clone(), correct, because: String::new() };
            draft.options =
                std::iter::once(option(right, true)).chain(wrong.drain(..).map(|text| option(&text, false))).collect();
        }
    } else if !wrong.is_empty() && !draft.answer.is_empty() {
        let option = |text: &String, correct| ChoiceOption { text: text.clone(), correct, because: String::new() };
        draft.options =
            std::iter::once(option(&draft.answer, true)).chain(wrong.iter().map(|text| option(text, false))).collect();
    }
    if draft.answer.is_empty() {
        draft.answer = choice::right_text(&draft.options);
    }
    if let Some(explanation) = explanation {
        draft.answer = [draft.answer.as_str(), &explanation].join("\n\n").trim().to_owned();
    }
    draft.answer = super::answer::tidy(&draft.answer.lines().collect::<Vec<_>>());
    if draft.points.is_empty() {
        draft.points = markdown::items(&draft.answer);
    }
    (printed, Some(draft))
}

/// The options that a cell names: by text, by letter, or by number.
fn picked(options: &[(usize, String)], named: &str) -> Vec<usize> {
    let equal = |text: &str| {
        options.iter().find(|(_, option)| option.trim().eq_ignore_ascii_case(text.trim())).map(|(at, _)| *at)
    };
    if let Some(at) = equal(named) {
        return vec![at];
    }
    let letters = choice::letters(named);
    if !letters.is_empty() {
        return letters;
    }
    let parts: Vec<&str> = named.split([',', ';', '|', '&']).map(str::trim).filter(|part| !part.is_empty()).collect();
    let numbers: Option<Vec<usize>> = parts
        .iter()
        .map(|part| {
            let digits = part.to_lowercase().replace("option", "").trim().to_owned();
            digits.parse::<usize>().ok()?.checked_sub(1)
        })
        .collect();
    let by_text: Option<Vec<usize>> = parts.iter().map(|part| equal(part)).collect();
    by_text.or(numbers).unwrap_or_default()
}
