//! Drafts on their way into the files of a folder: what was imported before keeps its id, what an author has worked on stays
//! as it is, and what is there already is not written twice.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use super::draft::{self, About};
use super::similar::{ANSWERED, CORRECTED, Index, RELATED, Words};
use super::{Draft, Reading, Trouble};
use crate::domain::bank::{Bank, Source, TopicMatch};
use crate::domain::ids::{QuestionId, short_hash};
use crate::domain::question::{Question, Status};

const HEAD: &str = "\
# Drafts that `drillbot bank import` wrote. To make one your own, work on it and set its status to \"current\".
# A later import changes only drafts that stand here as it wrote them; what you have touched stays as it is.
";
const MARK: &str = "# imported ";

/// What happens to one file of drafts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The new contents; absent when they are the old ones.
    #[serde(skip)]
    pub text: Option<String>,
    pub added: Vec<String>,
    pub updated: Vec<String>,
    pub unchanged: Vec<String>,
    pub left_alone: Vec<LeftAlone>,
    /// Drafts of this source that it does not have any more; they stay.
    pub gone: Vec<String>,
    pub duplicates: Vec<Duplicate>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftAlone {
    pub id: String,
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Duplicate {
    pub line: usize,
    pub prompt: String,
    /// The question that asks the same.
    pub of: String,
}

/// All prompts and ids that are known.
pub struct Desk {
    index: Index,
    ids: Vec<String>,
    taken: BTreeSet<String>,
    /// The next number for each stem of ids.
    numbers: HashMap<String, usize>,
    shipped: Bank,
}

/// A question that stands in a file already.
struct Known<'a> {
    question: &'a Question,
    /// Its lines, from 0; trailing comments are not among them.
    lines: std::ops::Range<usize>,
}

impl Desk {
    /// `files` are the banks of the folder, with their paths.
    ///
    /// # Errors
    /// When one of them cannot be read: the path, and what is wrong.
    pub fn new(shipped: Bank, files: &[(String, String)]) -> Result<Desk, (String, Trouble)> {
        let mut desk =
            Desk { index: Index::default(), ids: Vec::new(), taken: BTreeSet::new(), numbers: HashMap::new(), shipped };
        let all: Vec<_> = desk.shipped.questions().to_vec();
        all.iter().for_each(|question| desk.know(question.id.as_str(), &question.prompt));
        let cards: Vec<String> = desk.shipped.cards().map(|card| card.id.to_string()).collect();
        desk.taken.extend(cards);
        for (path, text) in files {
            let bank = read(path, text).map_err(|trouble| (path.clone(), trouble))?;
            bank.questions().iter().for_each(|question| desk.know(question.id.as_str(), &question.prompt));
            desk.taken.extend(bank.cards().map(|card| card.id.to_string()));
        }
        Ok(desk)
    }

    fn know(&mut self, id: &str, prompt: &str) {
        self.index.add(Words::of(prompt));
        self.ids.push(id.to_owned());
        self.taken.insert(id.to_owned());
    }

    /// Lays the drafts of a reading into a file, which has `old` in it when it is there.
    ///
    /// # Errors
    /// When the file that is there is no bank.
    pub fn merge(&mut self, reading: &Reading, about: &About, path: &str, old: Option<&str>) -> Result<Plan, Trouble> {
        let bank = read(path, old.unwrap_or_default())?;
        let text = old.unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let known = known(&bank, &lines);
        let matched = matched(&reading.questions, &known, about);
        let mut plan = Plan::default();
        let mut replaced: HashMap<usize, String> = HashMap::new();
        let mut new = Vec::new();
        for (draft, found) in reading.questions.iter().zip(&matched) {
            let Some(at) = found else {
                self.add(draft, about, &mut plan, &mut new);
                continue;
            };
            let Known { question: was, lines: place } = &known[*at];
            let id = was.id.to_string();
            let block = lines[place.clone()].join("\n");
            if was.status != Status::Draft {
                plan.left_alone.push(LeftAlone { id, why: format!("its status is {}", was.status.as_str()) });
                continue;
            }
            if !is_as_written(&block) {
                plan.left_alone.push(LeftAlone { id, why: "it has been edited".to_owned() });
                continue;
            }
            let mut question = self.question(draft, was.id.clone(), about);
            question.last_reviewed = was.last_reviewed;
            question.version = was.version;
            let written = marked(&draft::to_toml(&question));
            if written == block {
                plan.unchanged.push(id);
            } else {
                self.know(&id, &question.prompt);
                replaced.insert(place.start, written);
                plan.updated.push(id);
            }
        }
        let gone = known.iter().enumerate().filter(|(at, known)| {
            !matched.contains(&Some(*at))
                && known.question.source.as_deref().is_some_and(|source| about.is_source(source))
        });
        plan.gone = gone.map(|(_, known)| known.question.id.to_string()).collect();
        if replaced.is_empty() && new.is_empty() {
            return Ok(plan);
        }
        let mut out = if old.is_none() { HEAD.to_owned() } else { String::new() };
        let mut at = 0;
        while at < lines.len() {
            if let Some(written) = replaced.remove(&at) {
                out.push_str(&written);
                out.push('\n');
                at = known.iter().find(|known| known.lines.start == at).map_or(at + 1, |known| known.lines.end);
            } else {
                out.push_str(lines[at]);
                out.push('\n');
                at += 1;
            }
        }
        for block in new {
            out.push('\n');
            out.push_str(&block);
            out.push('\n');
        }
        plan.text = Some(out);
        Ok(plan)
    }

    fn add(&mut self, draft: &Draft, about: &About, plan: &mut Plan, new: &mut Vec<String>) {
        let words = Words::of(&draft.prompt);
        if let Some(at) = self.index.same(&words) {
            let of = self.ids[at].clone();
            plan.duplicates.push(Duplicate { line: draft.line, prompt: draft.prompt.clone(), of });
            return;
        }
        let stem = draft::id_of(&draft.prompt);
        let id = self.free_id(stem);
        let question = self.question(draft, QuestionId::new(id.clone()), about);
        self.know(&id, &draft.prompt);
        new.push(marked(&draft::to_toml(&question)));
        plan.added.push(id);
    }

    /// The stem, or with the next number that is free.
    fn free_id(&mut self, stem: String) -> String {
        let next = self.numbers.entry(stem.clone()).or_insert(1);
        loop {
            let id = if *next == 1 { stem.clone() } else { format!("{stem}-{next}") };
            *next += 1;
            if !self.taken.contains(&id) {
                return id;
            }
        }
    }

    fn question(&self, draft: &Draft, id: QuestionId, about: &About) -> Question {
        let known = |text: &str| match self.shipped.find_topic(text) {
            TopicMatch::Exact(name) => Some(name),
            TopicMatch::Near(_) => None,
        };
        draft::question(draft, id, about, &known)
    }
}

fn read(path: &str, text: &str) -> Result<Bank, Trouble> {
    let source = [Source { path, text }];
    Bank::read(&[&source]).map(|(bank, _)| bank).map_err(|problems| match problems.first() {
        Some(problem) => {
            Trouble::new(problem.line, format!("{}; correct it first, nothing was written", problem.message))
        }
        None => Trouble::new(1, "this bank cannot be read"),
    })
}

fn known<'a>(bank: &'a Bank, lines: &[&str]) -> Vec<Known<'a>> {
    let line = |id: &str| bank.line_of(id).map(|(_, line)| line - 1);
    let mut starts: Vec<usize> = bank.questions().iter().filter_map(|question| line(question.id.as_str())).collect();
    starts.extend(bank.cards().filter_map(|card| line(card.id.as_str())));
    starts.sort_unstable();
    let mut known: Vec<Known<'a>> = bank
        .questions()
        .iter()
        .filter_map(|question| {
            let start = line(question.id.as_str())?;
            let mut end =
                starts[starts.partition_point(|other| *other <= start)..].first().copied().unwrap_or(lines.len());
            // What an author notes above the next question is that one's.
            while end > start + 1 && (lines[end - 1].trim().is_empty() || lines[end - 1].starts_with('#')) {
                end -= 1;
            }
            Some(Known { question, lines: start..end })
        })
        .collect();
    known.sort_by_key(|known| known.lines.start);
    known
}

/// For each draft the question that it was before: by source and likeness, the nearest first, then by id.
fn matched(drafts: &[Draft], known: &[Known<'_>], about: &About) -> Vec<Option<usize>> {
    let mut found: Vec<Option<usize>> = vec![None; drafts.len()];
    let mut free: Vec<bool> = vec![true; known.len()];
    let mut index = Index::default();
    for known in known {
        index.add(Words::of(&known.question.prompt));
    }
    let is_source: Vec<bool> = known
        .iter()
        .map(|known| known.question.source.as_deref().is_some_and(|source| about.is_source(source)))
        .collect();
    let words: Vec<Words> = drafts.iter().map(|draft| Words::of(&draft.prompt)).collect();
    for least in [100, 90, 75, CORRECTED] {
        for (at, words) in words.iter().enumerate().filter(|(at, _)| found[*at].is_none()).collect::<Vec<_>>() {
            if let Some((was, _)) = index.find(words, least, |was| free[was] && is_source[was]) {
                free[was] = false;
                found[at] = Some(was);
            }
        }
    }
    // A prompt that says little else than its matter is known by its answer too.
    for (at, words) in words.iter().enumerate().filter(|(at, _)| found[*at].is_none()).collect::<Vec<_>>() {
        let answer = Words::of(&drafts[at].answer);
        let is_answer = |was: usize| Words::of(&known[was].question.model_answer).likeness(&answer) >= ANSWERED;
        let pass = |was: usize| free[was] && is_source[was] && !drafts[at].answer.is_empty() && is_answer(was);
        if let Some((was, _)) = index.find(words, RELATED, pass) {
            free[was] = false;
            found[at] = Some(was);
        }
    }
    let by_id: HashMap<&str, usize> =
        known.iter().enumerate().map(|(at, known)| (known.question.id.as_str(), at)).collect();
    for (at, draft) in drafts.iter().enumerate() {
        if found[at].is_none()
            && let Some(was) = by_id.get(draft::id_of(&draft.prompt).as_str()).filter(|was| free[**was])
        {
            free[*was] = false;
            found[at] = Some(*was);
        }
    }
    found
}

/// A block with the mark of its own text, so that a change shows.
fn marked(block: &str) -> String {
    let block = block.trim_end();
    let (head, rest) = block.split_once('\n').unwrap_or((block, ""));
    format!("{head}\n{MARK}{}\n{rest}", short_hash(&[rest]))
}

fn is_as_written(block: &str) -> bool {
    let mut parts = block.splitn(3, '\n');
    let (_, mark, rest) = (parts.next(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    mark.trim_end().strip_prefix(MARK) == Some(short_hash(&[rest]).as_str())
}
