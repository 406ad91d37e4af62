//! Reads a bank from TOML: the file to a document with places first, then each question by itself, so that everything
//! that is wrong is reported at once.

use crate::domain::grade::Lexicon;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Write};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::{Bank, Place, Problem, Severity, Source, Topic, nearest, plain, topic_names};
use crate::domain::ids::QuestionId;
use crate::domain::question::{Card, Kind, Level, Question};

impl Bank {
    /// Reads layers of files. A question or topic of a later layer replaces the one with the same id of an earlier layer;
    /// twice in one layer is an error. Gives the warnings with the bank, or every problem.
    pub fn read(layers: &[&[Source<'_>]]) -> Result<(Bank, Vec<Problem>), Vec<Problem>> {
        let mut problems = Vec::new();
        let mut questions: BTreeMap<QuestionId, (Question, Place)> = BTreeMap::new();
        let mut cards: BTreeMap<QuestionId, (Card, Place)> = BTreeMap::new();
        let mut topics: BTreeMap<String, Topic> = BTreeMap::new();
        for layer in layers {
            let mut ids: HashMap<QuestionId, String> = HashMap::new();
            let mut names: HashMap<String, String> = HashMap::new();
            for source in *layer {
                let file = read_file(source, &mut problems);
                for (id, line) in file.ids {
                    let here = format!("{}:{line}", source.path);
                    if let Some(first) = ids.get(&id) {
                        let message = format!("`{id}` is there twice, here and at {first}; give one another id");
                        problems.push(error(source.path, line, message));
                    } else {
                        ids.insert(id, here);
                    }
                }
                if let Some((topic, line)) = file.topic {
                    let here = format!("{}:{line}", source.path);
                    if let Some(first) = names.insert(topic.name.clone(), here) {
                        let message =
                            format!("topic `{}` is described twice, here and at {first}; keep one [topic]", topic.name);
                        problems.push(error(source.path, line, message));
                    }
                    topics.insert(topic.name.clone(), topic);
                }
                for (question, place) in file.questions {
                    cards.remove(&question.id);
                    questions.insert(question.id.clone(), (question, place));
                }
                for (card, place) in file.cards {
                    questions.remove(&card.id);
                    cards.insert(card.id.clone(), (card, place));
                }
            }
        }
        if problems.iter().any(|problem| problem.severity == Severity::Error) {
            return Err(problems);
        }
        for (question, _) in questions.values() {
            topics.entry(question.topic.clone()).or_insert_with(|| Topic {
                name: question.topic.clone(),
                title: question.topic.clone(),
                aliases: Vec::new(),
            });
        }
        // A topic without questions would only lead people to an empty drill.
        topics.retain(|name, _| questions.values().any(|(question, _)| question.topic == *name));
        let cards = cards.into_values().map(|(card, place)| (Arc::new(card), place)).collect();
        let (questions, places): (Vec<_>, Vec<_>) =
            questions.into_values().map(|(question, place)| (Arc::new(question), place)).unzip();
        let topics: Vec<Topic> = topics.into_values().collect();
        let names = Arc::new(topic_names(&topics, &questions));
        let lexicon = Lexicon::of(questions.iter().map(Arc::as_ref));
        Ok((Bank { questions, places, cards, topics, names, lexicon }, problems))
    }
}

fn error(path: &str, line: usize, message: String) -> Problem {
    Problem { path: path.to_owned(), line, message, severity: Severity::Error }
}

/// What one file holds.
#[derive(Default)]
struct File {
    topic: Option<(Topic, usize)>,
    questions: Vec<(Question, Place)>,
    cards: Vec<(Card, Place)>,
    /// The ids of all questions and cards, the unreadable ones included, with their lines.
    ids: Vec<(QuestionId, usize)>,
}

fn read_file(source: &Source<'_>, problems: &mut Vec<Problem>) -> File {
    let before = problems.len();
    let lines = Lines::of(source.text);
    let (document, slips) = DeTable::parse_recoverable(source.text);
    let broken: Vec<usize> = slips.iter().filter_map(|slip| Some(slip.span()?.start)).collect();
    for slip in &slips {
        let line = lines.of_offset(slip.span().map_or(0, |span| span.start));
        problems.push(error(source.path, line, format!("this is not TOML: {}", slip.message())));
    }
    let mut file = File::default();
    let mut reader = Reader { path: source.path, lines: &lines, problems };
    for (key, value) in document.into_inner() {
        let at = key.span().start;
        match (key.get_ref().as_ref(), value.into_inner()) {
            ("topic", value @ DeValue::Table(_)) => {
                let line = lines.of_offset(at);
                let topic: Option<Topic> = reader.value(format_args!("topic"), Spanned::new(at..at, value));
                file.topic = topic.map(|topic| (Topic { title: or(topic.title, &topic.name), ..topic }, line));
            }
            ("question", DeValue::Array(items)) => {
                let starts: Vec<usize> = items.iter().map(|item| item.span().start).collect();
                for (index, item) in items.into_iter().enumerate() {
                    // What the parser made of a question with a slip in it would only give further complaints.
                    let end = starts.get(index + 1).copied().unwrap_or(source.text.len());
                    if !broken.iter().any(|slip| (starts[index]..=end).contains(slip)) {
                        reader.question(item, &mut file);
                    }
                }
            }
            ("card", DeValue::Array(items)) if broken.is_empty() => {
                items.into_iter().for_each(|item| reader.card(item, &mut file));
            }
            ("topic" | "question" | "card", _) if !broken.is_empty() => {}
            ("topic", _) => reader.complain(at, "`topic` is written as a table: [topic]".to_owned()),
            ("question", _) => {
                reader.complain(at, "questions are written as a list of tables: [[question]]".to_owned())
            }
            ("card", _) => reader.complain(at, "cards are written as a list of tables: [[card]]".to_owned()),
            (key, _) => {
                let message = format!(
                    "a file has `topic`, `question` and `card` only; remove `{key}`, or move it below one of them"
                );
                reader.complain(at, message);
            }
        }
    }
    for (question, place) in &file.questions {
        if let Some((topic, _)) = file.topic.as_ref().filter(|(topic, _)| topic.name != question.topic) {
            let message = format!(
                "question `{}`: topic `{}` is not the topic of this file, `{}`; correct it or move the question",
                question.id, question.topic, topic.name
            );
            let line = place.line_of("topic");
            problems.push(Problem { severity: Severity::Warning, ..error(source.path, line, message) });
        }
    }
    problems[before..].sort_by_key(|problem| problem.line);
    file
}

fn or(text: String, instead: &str) -> String {
    if text.is_empty() { instead.to_owned() } else { text }
}

/// Says what Rust calls `u32` in the words of an author.
fn in_words(message: &str) -> String {
    let (rest, end) = message.rsplit_once(", expected ").unwrap_or((message, ""));
    match end {
        "u8" | "u32" | "usize" => format!("{rest}, expected a whole number"),
        "f64" => format!("{rest}, expected a number"),
        "a sequence" => format!("{rest}, expected a list"),
        "a boolean" => format!("{rest}, expected true or false"),
        _ if end.starts_with("struct ") => format!("{rest}, expected a table"),
        _ => message.to_owned(),
    }
}

/// Turns values of a document into fields, and what does not fit into problems.
struct Reader<'a> {
    path: &'a str,
    lines: &'a Lines,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn complain(&mut self, at: usize, message: String) {
        self.problems.push(error(self.path, self.lines.of_offset(at), message));
    }

    fn value<T: DeserializeOwned>(&mut self, name: fmt::Arguments<'_>, value: Spanned<DeValue<'_>>) -> Option<T> {
        let at = value.span().start;
        match T::deserialize(ValueDeserializer::from(value)) {
            Ok(value) => Some(value),
            Err(slip) => {
                self.complain(
                    slip.span().map_or(at, |span| span.start),
                    format!("{name}: {}", in_words(slip.message())),
                );
                None
            }
        }
    }

    fn question(&mut self, item: Spanned<DeValue<'_>>, file: &mut File) {
        let before = self.problems.len();
        let Some((mut table, place)) = self.record("question", item, file) else { return };
        // Written out field by field, so that one wrong field does not hide the next. A new field of `Question` fails to
        // compile until it is read here.
        let question = Question {
            id: table.needed("id").unwrap_or_else(|| QuestionId::new("")),
            version: table.needed("version").unwrap_or_default(),
            prompt: table.needed("prompt").unwrap_or_default(),
            exhibit: table.optional("exhibit"),
            level: table.needed("level").unwrap_or(Level::Beginner),
            kind: table.needed("kind").unwrap_or(Kind::Concept),
            tracks: table.needed("tracks").unwrap_or_default(),
            topic: table.needed("topic").unwrap_or_default(),
            tags: table.optional("tags").unwrap_or_default(),
            nudge: table.optional("nudge"),
            model_answer: table.needed("model_answer").unwrap_or_default(),
            why: table.optional("why"),
            framework: table.optional("framework"),
            mistakes: table.list("mistakes"),
            follow_ups: table.optional("follow_ups").unwrap_or_default(),
            hints: table.optional("hints").unwrap_or_default(),
            references: table.optional("references").unwrap_or_default(),
            last_reviewed: table.date("last_reviewed").unwrap_or_default(),
            review_after_days: table.needed("review_after_days").unwrap_or_default(),
            status: table.optional("status").unwrap_or_default(),
            source: table.optional("source"),
            licence: table.optional("licence"),
            key_points: table.needed_list("key_points"),
            choice: table.optional("choice"),
            scenario: table.optional("scenario"),
            samples: table.list("samples"),
        };
        table.finish();
        if self.problems.len() == before {
            file.questions.push((question, place));
        }
    }

    fn card(&mut self, item: Spanned<DeValue<'_>>, file: &mut File) {
        let before = self.problems.len();
        let Some((mut table, place)) = self.record("card", item, file) else { return };
        let card = Card {
            id: table.needed("id").unwrap_or_else(|| QuestionId::new("")),
            version: table.needed("version").unwrap_or_default(),
            prompt: table.needed("prompt").unwrap_or_default(),
            level: table.needed("level").unwrap_or(Level::Beginner),
            tracks: table.needed("tracks").unwrap_or_default(),
            topic: table.needed("topic").unwrap_or_default(),
            tags: table.optional("tags").unwrap_or_default(),
            nudge: table.optional("nudge"),
            advice: table.needed("advice").unwrap_or_default(),
            steps: table.needed("steps").unwrap_or_default(),
            mistakes: table.list("mistakes"),
            follow_ups: table.optional("follow_ups").unwrap_or_default(),
            references: table.optional("references").unwrap_or_default(),
            last_reviewed: table.date("last_reviewed").unwrap_or_default(),
            review_after_days: table.needed("review_after_days").unwrap_or_default(),
            status: table.optional("status").unwrap_or_default(),
        };
        table.finish();
        if self.problems.len() == before {
            file.cards.push((card, place));
        }
    }

    /// A `[[kind]]` that is about to be read, and where it stands.
    fn record<'r, 'i>(
        &'r mut self,
        kind: &'static str,
        item: Spanned<DeValue<'i>>,
        file: &mut File,
    ) -> Option<(Fields<'r, 'a, 'i>, Place)> {
        let at = item.span().start;
        let line = self.lines.of_offset(at);
        let mut fields = Vec::new();
        self.note_lines(&mut String::new(), line, item.get_ref(), &mut fields);
        let place = Place { path: self.path.into(), line, fields: fields.into() };
        let DeValue::Table(table) = item.into_inner() else {
            self.complain(at, format!("a {kind} is a table: [[{kind}]]"));
            return None;
        };
        let id = table.iter().find(|(key, _)| key.get_ref() == "id").and_then(|(_, value)| value.get_ref().as_str());
        let name = id.map_or_else(|| kind.to_owned(), |id| format!("{kind} `{id}`"));
        if let Some(id) = id {
            file.ids.push((QuestionId::new(id), line));
        }
        let items = table.into_iter().collect();
        Some((Fields { reader: self, kind, name, at, missing: Vec::new(), known: Vec::new(), items }, place))
    }

    /// Notes the lines of what is in a value, where they are not the line of the value itself.
    fn note_lines(&self, path: &mut String, line: usize, value: &DeValue<'_>, fields: &mut Vec<(Box<str>, usize)>) {
        let length = path.len();
        let mut note = |path: &mut String, at: usize, value: &DeValue<'_>| {
            let here = self.lines.of_offset(at);
            if here != line {
                fields.push((path.as_str().into(), here));
            }
            self.note_lines(path, here, value, fields);
            path.truncate(length);
        };
        match value {
            DeValue::Table(table) => {
                for (key, value) in table {
                    path.push_str(if length > 0 { "." } else { "" });
                    path.push_str(key.get_ref());
                    note(path, key.span().start, value.get_ref());
                }
            }
            DeValue::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    // Writing to a string cannot fail.
                    let _ = write!(path, "[{index}]");
                    note(path, item.span().start, item.get_ref());
                }
            }
            _ => {}
        }
    }
}

/// The fields of a question that are not read yet.
struct Fields<'r, 'a, 'i> {
    reader: &'r mut Reader<'a>,
    kind: &'static str,
    name: String,
    at: usize,
    missing: Vec<&'static str>,
    /// All that was asked for.
    known: Vec<&'static str>,
    items: Vec<(Spanned<Cow<'i, str>>, Spanned<DeValue<'i>>)>,
}

impl<'i> Fields<'_, '_, 'i> {
    fn take(&mut self, key: &'static str) -> Option<Spanned<DeValue<'i>>> {
        self.known.push(key);
        let index = self.items.iter().position(|(name, _)| name.get_ref() == key)?;
        Some(self.items.swap_remove(index).1)
    }

    fn miss(&mut self, key: &'static str) {
        self.missing.push(key);
    }

    fn optional<T: DeserializeOwned>(&mut self, key: &'static str) -> Option<T> {
        let value = self.take(key)?;
        self.reader.value(format_args!("{}: {key}", self.name), value)
    }

    fn needed<T: DeserializeOwned>(&mut self, key: &'static str) -> Option<T> {
        let Some(value) = self.take(key) else {
            self.miss(key);
            return None;
        };
        self.reader.value(format_args!("{}: {key}", self.name), value)
    }

    /// A list of tables, each read by itself.
    fn list<T: DeserializeOwned>(&mut self, key: &'static str) -> Vec<T> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let at = value.span().start;
        let DeValue::Array(items) = value.into_inner() else {
            self.reader.complain(at, format!("{}: {key} is a list: [[{}.{key}]]", self.name, self.kind));
            return Vec::new();
        };
        let read = |(index, item)| self.reader.value(format_args!("{}: {key}[{index}]", self.name), item);
        items.into_iter().enumerate().filter_map(read).collect()
    }

    fn needed_list<T: DeserializeOwned>(&mut self, key: &'static str) -> Vec<T> {
        if !self.items.iter().any(|(name, _)| name.get_ref() == key) {
            self.miss(key);
        }
        self.list(key)
    }

    /// A date as TOML knows it, `2026-11-21`, or the same in quotation marks.
    fn date(&mut self, key: &'static str) -> Option<jiff::civil::Date> {
        let Some(value) = self.take(key) else {
            self.miss(key);
            return None;
        };
        let text = match value.get_ref() {
            DeValue::Datetime(date) => date.to_string(),
            DeValue::String(text) => text.to_string(),
            _ => String::new(),
        };
        let date = text.parse().ok();
        if date.is_none() {
            let message = format!("{}: {key} is a date without a time, as in 2026-11-21", self.name);
            self.reader.complain(value.span().start, message);
        }
        date
    }

    /// Reports what is missing and what nobody asked for.
    fn finish(self) {
        if !self.missing.is_empty() {
            self.reader.complain(self.at, format!("{}: missing: {}", self.name, self.missing.join(", ")));
        }
        for (key, _) in self.items {
            let near = nearest(&plain(key.get_ref()), self.known.iter().map(|known| (*known, *known)));
            let hint = near.first().map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            let message = format!("{}: unknown field `{}`{hint}", self.name, key.get_ref());
            self.reader.complain(key.span().start, message);
        }
    }
}

/// Where the lines of a text begin.
struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    fn of(text: &str) -> Lines {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Lines { starts: std::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect() }
    }

    /// From 1.
    fn of_offset(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at)
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::bank::tests::{EXAMPLE, example_bank, question};

    fn problems(layers: &[&[Source<'_>]]) -> String {
        match Bank::read(layers) {
            Ok((_, problems)) | Err(problems) => {
                problems.iter().map(|p| format!("{:?} {p}", p.severity)).collect::<Vec<_>>().join("\n")
            }
        }
    }

    fn check_problems(text: &str) -> String {
        problems(&[&[Source { path: "iam.toml", text }]])
    }

    #[test]
    fn a_question_is_read_as_its_author_wrote_it() {
        let bank = example_bank();
        let question = bank.get("tf-cfn-locking").expect("the example has this id");
        assert_eq!(question.last_reviewed, jiff::civil::date(2026, 11, 21));
        assert_eq!(question.key_points[2].contradicts, ["dynamodb .. recommended", "must .. dynamodb"]);
        assert_eq!(question.samples[1].covered, [0.0, 0.0, 0.0]);
        assert!(question.choice.as_ref().is_some_and(|choice| choice.options[0].correct));
        assert_eq!(bank.line_of("tf-cfn-locking"), Some(("bank.toml", 7)));
        assert_eq!(bank.line_of("tf-cfn"), None);
    }

    #[test]
    fn a_field_is_found_by_its_line() {
        let bank = example_bank();
        let line = |field: &str| {
            let (_, line) = bank.line_of_field("tf-cfn-locking", field).expect("the example has this id");
            EXAMPLE.lines().nth(line - 1).unwrap_or_default()
        };
        assert_eq!(line("kind"), "kind = \"compare\"");
        assert_eq!(line("hints[2]"), "  \"On S3 a small lock file beside the state does the job.\",");
        assert_eq!(line("key_points[0].required"), "required = true");
        assert_eq!(line("key_points[2].weight"), "weight = 1");
        // What is absent is shown where it would stand.
        assert_eq!(line("key_points[2].need"), "[[question.key_points]]");
        assert_eq!(line("stages"), "[[question]]");
    }

    #[test]
    fn every_problem_is_reported_at_once_with_its_line() {
        let wrong = "version = 'one'\nlevel = 'expert'\nhint = ['a']\nwhy = 3\n".to_owned();
        let text = format!(
            "{}\n[[question]]\nid = 'iam-b'\n{wrong}\n{}",
            question("iam-a", ""),
            question("iam-c", "nudge = 1")
        );
        assert_snapshot!(check_problems(&text), @r#"
        Error iam.toml:15: question `iam-b`: missing: prompt, kind, tracks, topic, model_answer, last_reviewed, review_after_days, key_points
        Error iam.toml:17: question `iam-b`: version: invalid type: string "one", expected a whole number
        Error iam.toml:18: question `iam-b`: level: unknown variant `expert`, expected one of `beginner`, `intermediate`, `advanced`
        Error iam.toml:19: question `iam-b`: unknown field `hint`; did you mean `hints`?
        Error iam.toml:20: question `iam-b`: why: invalid type: integer `3`, expected a string
        Error iam.toml:27: question `iam-c`: nudge: invalid type: integer `1`, expected a string
        "#);
    }

    #[test]
    fn problems_inside_a_list_say_which_one() {
        let points = "[[question.key_points]]\ntext = 'a'\nweight = 1\n[[question.key_points]]\ntext = 'b'\nwieght = 1\n\
                      [[question.key_points]]\nweight = 'x'\ntext = 'c'\n[[question.samples]]\ntext = 'd'\ncovered = [1, 'y']\n";
        let text = question("iam-a", "").replace("key_points = []\n", points);
        assert_snapshot!(check_problems(&text), @r#"
        Error iam.toml:18: question `iam-a`: key_points[1]: unknown field `wieght`, expected one of `text`, `weight`, `all_of`, `alt`, `need`, `about`, `rivals`, `required`, `contradicts`
        Error iam.toml:20: question `iam-a`: key_points[2]: invalid type: string "x", expected a whole number
        Error iam.toml:24: question `iam-a`: samples[0]: invalid type: string "y", expected a number
        "#);
    }

    #[test]
    fn a_slip_in_the_toml_hides_nothing_behind_it() {
        let text = format!("[[question]]\nid = 'iam-a'\nwhy = 'no end\n\n{}", question("iam-b", "nudge = 1"));
        assert_snapshot!(check_problems(&text), @r"
        Error iam.toml:3: this is not TOML: invalid literal string, expected `'`
        Error iam.toml:10: question `iam-b`: nudge: invalid type: integer `1`, expected a string
        ");
    }

    #[test]
    fn other_things_in_a_file_are_refused() {
        assert_snapshot!(check_problems("questions = 1\ntopic = 'iam'\nquestion = 3"), @"
        Error iam.toml:1: a file has `topic`, `question` and `card` only; remove `questions`, or move it below one of them
        Error iam.toml:2: `topic` is written as a table: [topic]
        Error iam.toml:3: questions are written as a list of tables: [[question]]
        ");
        assert_snapshot!(check_problems("[topic]\ntitle = 'IAM'\nalias = ['x']"), @"Error iam.toml:3: topic: unknown field `alias`, expected one of `name`, `title`, `aliases`");
        assert_snapshot!(check_problems(&question("iam-a", "last_reviewed = 2026-11-21T10:00:00").replace("last_reviewed = 2026-11-21\n", "")), @"");
    }

    #[test]
    fn a_question_twice_names_both_places() {
        let (a, b) = (question("iam-a", ""), question("iam-b", "") + &question("iam-a", ""));
        let layer = [Source { path: "a.toml", text: &a }, Source { path: "b.toml", text: &b }];
        assert_snapshot!(problems(&[&layer]), @"Error b.toml:14: `iam-a` is there twice, here and at a.toml:1; give one another id");
    }

    #[test]
    fn a_later_layer_replaces_a_question() {
        let (a, b) = (question("iam-a", "") + &question("iam-b", ""), question("iam-a", "level = 'advanced'"));
        let (shipped, own) = ([Source { path: "a.toml", text: &a }], [Source { path: "own.toml", text: &b }]);
        let (bank, warnings) = Bank::read(&[&shipped, &own]).expect("two layers may share an id");
        assert_eq!(warnings, []);
        assert_eq!(bank.questions().len(), 2);
        assert_eq!(bank.get("iam-a").map(|question| question.level), Some(Level::Advanced));
        assert_eq!(bank.line_of("iam-a"), Some(("own.toml", 1)));
        assert_eq!(bank.line_of("iam-b"), Some(("a.toml", 14)));
    }

    #[test]
    fn a_topic_that_is_not_the_file_s_is_a_warning() {
        let text = format!("[topic]\nname = 'iam'\n{}", question("iam-a", "topic = 'imm'"));
        assert_snapshot!(check_problems(&text), @"Warning iam.toml:7: question `iam-a`: topic `imm` is not the topic of this file, `iam`; correct it or move the question");
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_lines_lie_in_the_file(text in "(\\[\\[?|\\]\\]?|question|topic|key_points|id|=|'|\"|\n|\\PC|[1-9]|\\{|\\}){0,60}") {
            let lines = text.lines().count().max(1) + 1;
            let source = [Source { path: "x.toml", text: &text }];
            if let Err(problems) = Bank::read(&[&source]) {
                prop_assert!(!problems.is_empty());
                for problem in problems {
                    prop_assert!((1..=lines).contains(&problem.line), "{problem}");
                }
            }
        }
    }
}
