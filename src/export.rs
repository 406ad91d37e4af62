//! Questions on their way out: as cards for Anki, as a table, as JSON, as Markdown that the importer reads again.

use std::fmt::Write;
use std::sync::Arc;

use crate::domain::bank::Bank;
use crate::domain::question::Question;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Anki,
    Csv,
    Json,
    Markdown,
}

impl Target {
    pub const ALL: [Target; 4] = [Target::Anki, Target::Csv, Target::Json, Target::Markdown];

    pub fn as_str(self) -> &'static str {
        match self {
            Target::Anki => "anki",
            Target::Csv => "csv",
            Target::Json => "json",
            Target::Markdown => "markdown",
        }
    }

    pub fn parse(text: &str) -> Option<Target> {
        Target::ALL.into_iter().find(|target| target.as_str().eq_ignore_ascii_case(text.trim()))
    }
}

/// Writes questions of a bank, which knows what their topics are called.
pub fn export(target: Target, bank: &Bank, questions: &[Arc<Question>]) -> String {
    match target {
        Target::Anki => anki(bank, questions),
        Target::Csv => csv(questions),
        Target::Json => json(questions),
        Target::Markdown => markdown(bank, questions),
    }
}

fn json(questions: &[Arc<Question>]) -> String {
    let questions: Vec<&Question> = questions.iter().map(AsRef::as_ref).collect();
    // No field of a question is something that JSON cannot write.
    serde_json::to_string_pretty(&questions).unwrap_or_default() + "\n"
}

fn anki(bank: &Bank, questions: &[Arc<Question>]) -> String {
    let mut out = String::from(
        "#separator:tab\n#html:true\n#notetype:Basic\n#columns:Front\tBack\tDeck\tTags\n#deck column:3\n#tags column:4\n",
    );
    for question in questions {
        let mut front = inline(&question.prompt);
        if let Some(exhibit) = &question.exhibit {
            let _ = write!(front, "<br><i>{}</i><pre>{}</pre>", escape(&exhibit.name), escape(&exhibit.text));
        }
        let mut back = html(&question.model_answer);
        if !question.key_points.is_empty() {
            let points: String =
                question.key_points.iter().map(|point| format!("<li>{}</li>", inline(&point.text))).collect();
            let _ = write!(back, "<p><b>Key points</b></p><ul>{points}</ul>");
        }
        let deck = format!("drillbot::{}", bank.topic_title(&question.topic).replace("::", ": "));
        let mut tags: Vec<&str> = vec![question.level.as_str(), question.kind.as_str()];
        tags.extend(question.tracks.iter().chain(&question.tags).map(String::as_str));
        tags.dedup();
        let fields = [front, back, deck, tags.join(" ")].map(|field| card_field(&field));
        let _ = writeln!(out, "{}", fields.join("\t"));
    }
    out
}

/// A field of Anki's text: one line, in quotation marks where one is in it.
fn card_field(text: &str) -> String {
    let text = text.trim().replace('\t', "    ").replace("\r\n", "\n").replace(['\n', '\r'], "<br>");
    // A line that begins with it would be a comment.
    let text = if text.starts_with('#') { text.replacen('#', "&#35;", 1) } else { text };
    if text.contains('"') { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// `code` and **bold** of one paragraph.
fn inline(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in escape(text).split('`').enumerate() {
        if index % 2 == 1 {
            let _ = write!(out, "<code>{part}</code>");
            continue;
        }
        for (index, part) in part.split("**").enumerate() {
            let _ = if index % 2 == 1 { write!(out, "<b>{part}</b>") } else { write!(out, "{part}") };
        }
    }
    out
}

/// The paragraphs, lists and code of an answer.
fn html(text: &str) -> String {
    let mut out = String::new();
    let mut paragraph: Vec<&str> = Vec::new();
    let mut items: Vec<&str> = Vec::new();
    let mut code: Option<Vec<&str>> = None;
    let flush = |paragraph: &mut Vec<&str>, out: &mut String| {
        if !paragraph.is_empty() {
            let _ = write!(out, "<p>{}</p>", inline(&paragraph.join(" ")));
            paragraph.clear();
        }
    };
    let list = |items: &mut Vec<&str>, out: &mut String| {
        if !items.is_empty() {
            let lines: String = items.iter().map(|item| format!("<li>{}</li>", inline(item))).collect();
            let _ = write!(out, "<ul>{lines}</ul>");
            items.clear();
        }
    };
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            match code.take() {
                Some(lines) => {
                    let _ = write!(out, "<pre>{}</pre>", escape(&lines.join("\n")));
                }
                None => {
                    flush(&mut paragraph, &mut out);
                    list(&mut items, &mut out);
                    code = Some(Vec::new());
                }
            }
        } else if let Some(lines) = &mut code {
            lines.push(line);
        } else if let Some(item) = line.trim_start().strip_prefix("- ") {
            flush(&mut paragraph, &mut out);
            items.push(item);
        } else if line.trim().is_empty() {
            flush(&mut paragraph, &mut out);
        } else {
            list(&mut items, &mut out);
            paragraph.push(line.trim());
        }
    }
    flush(&mut paragraph, &mut out);
    list(&mut items, &mut out);
    if let Some(lines) = code {
        let _ = write!(out, "<pre>{}</pre>", escape(&lines.join("\n")));
    }
    out
}

fn csv(questions: &[Arc<Question>]) -> String {
    let most = questions.iter().filter_map(|question| Some(question.choice.as_ref()?.options.len())).max().unwrap_or(0);
    let letters: Vec<String> = (b'a'..=b'z').take(most).map(|letter| char::from(letter).to_string()).collect();
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    let mut row = |cells: Vec<String>| {
        // Writing to memory cannot fail, and all rows have as many cells.
        let _ = writer.write_record(cells.iter().map(|cell| guarded(cell)));
    };
    let fixed = [
        "id",
        "question",
        "answer",
        "level",
        "topic",
        "kind",
        "tracks",
        "tags",
        "hint",
        "key points",
        "why",
        "framework",
        "mistakes",
    ];
    let mut header: Vec<String> = fixed.map(str::to_owned).to_vec();
    header.extend(letters.iter().map(|letter| format!("option {letter}")));
    if most > 0 {
        header.push("correct option".to_owned());
    }
    row(header);
    for question in questions {
        let mut prompt = question.prompt.clone();
        if let Some(exhibit) = &question.exhibit {
            let _ = write!(prompt, "\n\n{}:\n{}", exhibit.name, exhibit.text.trim_end());
        }
        let points: Vec<&str> = question.key_points.iter().map(|point| point.text.as_str()).collect();
        let mistakes: Vec<String> =
            question.mistakes.iter().map(|mistake| format!("{} → {}", mistake.wrong, mistake.right)).collect();
        let mut cells = vec![
            question.id.to_string(),
            prompt,
            question.model_answer.trim().to_owned(),
            question.level.as_str().to_owned(),
            question.topic.clone(),
            question.kind.as_str().to_owned(),
            question.tracks.join(", "),
            question.tags.join(", "),
            question.nudge.clone().unwrap_or_default(),
            points.join("\n"),
            question.why.clone().unwrap_or_default(),
            question.framework.clone().unwrap_or_default(),
            mistakes.join("\n"),
        ];
        let options = question.choice.as_ref().map(|choice| choice.options.as_slice()).unwrap_or_default();
        cells.extend((0..most).map(|at| options.get(at).map(|option| option.text.clone()).unwrap_or_default()));
        if most > 0 {
            let right = options.iter().zip(&letters).filter(|(option, _)| option.correct);
            cells.push(right.map(|(_, letter)| letter.to_uppercase()).collect::<Vec<_>>().join(", "));
        }
        row(cells);
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

/// A cell that a spreadsheet would compute is text, by an apostrophe before it.
fn guarded(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

fn markdown(bank: &Bank, questions: &[Arc<Question>]) -> String {
    let mut out = String::from("# Questions\n");
    let mut topics: Vec<&str> = questions.iter().map(|question| question.topic.as_str()).collect();
    topics.sort_unstable();
    topics.dedup();
    for topic in topics {
        let _ = writeln!(out, "\n## {}", bank.topic_title(topic));
        for question in questions.iter().filter(|question| question.topic == topic) {
            one(question, &mut out);
        }
    }
    out
}

fn one(question: &Question, out: &mut String) {
    let _ = write!(out, "\n<details>\n<summary>{}</summary>\n", escape(&question.prompt));
    let mut part = |label: &str, text: &str| {
        let _ = write!(out, "\n**{label}:** {}\n", outside_code(text.trim()).replace('\n', " "));
    };
    part("Level", question.level.as_str());
    if let Some(nudge) = &question.nudge {
        part("Hint", nudge);
    }
    if let Some(exhibit) = &question.exhibit {
        // A fence longer than any in the text.
        let mut fence = "```".to_owned();
        while exhibit.text.contains(&fence) {
            fence.push('`');
        }
        let name = exhibit.name.replace('`', "");
        let _ = write!(out, "\n**Exhibit:** {name}\n\n{fence}\n{}\n{fence}\n", exhibit.text.trim_end());
    }
    let _ = write!(out, "\n{}\n", outside_code(question.model_answer.trim()));
    if !question.key_points.is_empty() {
        out.push_str("\n**Key points:**\n\n");
        for point in &question.key_points {
            let _ = writeln!(out, "- {}", outside_code(&point.text));
        }
    }
    let mut part = |label: &str, text: &str| {
        let _ = write!(out, "\n**{label}:** {}\n", outside_code(text.trim()).replace('\n', " "));
    };
    if let Some(why) = &question.why {
        part("Why they ask it", why);
    }
    if let Some(framework) = &question.framework {
        part("Answer framework", framework);
    }
    for mistake in &question.mistakes {
        part("Common mistake", &format!("{} → {}", mistake.wrong, mistake.right));
    }
    if let Some(choice) = &question.choice {
        out.push_str("\n**Options:**\n\n");
        for option in &choice.options {
            let _ = writeln!(out, "- [{}] {}", if option.correct { "x" } else { " " }, outside_code(&option.text));
            if !option.because.is_empty() {
                let _ = writeln!(out, "  {}", outside_code(&option.because).replace('\n', " "));
            }
        }
    }
    out.push_str("\n</details>\n");
}

/// With what would be HTML written out, where the text is no code.
fn outside_code(text: &str) -> String {
    let mut fenced = false;
    let line = |line: &str| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        if fenced || fence {
            return line.to_owned();
        }
        let parts = line.split('`').enumerate();
        let parts: Vec<String> = parts
            .map(
                |(at, part)| {
                    if at % 2 == 1 { part.to_owned() } else { part.replace('&', "&amp;").replace('<', "&lt;") }
                },
            )
            .collect();
        parts.join("`")
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}
