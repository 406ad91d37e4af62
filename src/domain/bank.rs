//! The bank: all questions and topics, read from TOML, looked up and filtered. Reading reports everything that is wrong
//! at once, with its line.

mod own;
mod read;
mod schema;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::grade::{Grade, Lexicon, Rubric};
use super::ids::{QuestionId, short_hash};
use super::question::{Card, Level, Question, Scenario};
use super::text::counted;

pub use own::as_toml;
pub use schema::schema;

/// A file of a bank, already read.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    pub path: &'a str,
    pub text: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

/// Something wrong in a file of a bank, for its author.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub path: String,
    /// From 1.
    pub line: usize,
    pub message: String,
    pub severity: Severity,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// The topic of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Small letters, digits and dashes.
    pub name: String,
    /// As people read it; the name when absent.
    #[serde(default)]
    pub title: String,
    /// What people type after `/drill`.
    #[serde(default)]
    pub aliases: Vec<String>,
}

/// A topic and how many questions it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicCount {
    pub name: String,
    pub title: String,
    pub aliases: Vec<String>,
    /// In the order of [`Level::ALL`].
    pub levels: [usize; Level::ALL.len()],
}

impl TopicCount {
    pub fn total(&self) -> usize {
        self.levels.iter().sum()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicMatch {
    /// The name of the topic that was meant.
    Exact(String),
    /// The names of the nearest topics, best first, at most three.
    Near(Vec<String>),
}

/// Which questions a channel wants. Each list is "any of these"; an empty one is "all".
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    pub topics: Vec<String>,
    pub levels: Vec<String>,
    pub tracks: Vec<String>,
}

/// The questions in the order of their ids, and the topics they belong to in the order of their names.
#[derive(Clone, Debug, Default)]
pub struct Bank {
    questions: Vec<Arc<Question>>,
    /// One for each question.
    places: Vec<Place>,
    /// In the order of their ids.
    cards: Vec<(Arc<Card>, Place)>,
    topics: Vec<Topic>,
    /// Topic names by every word for them: name before alias before title before tag.
    names: Arc<HashMap<String, String>>,
    lexicon: Arc<Lexicon>,
}

/// Where a question and its fields stand.
#[derive(Clone, Debug)]
struct Place {
    path: Arc<str>,
    line: usize,
    /// The lines of fields by path, `key_points[1].all_of[0]`, where they differ from the line of what they stand in.
    fields: Arc<[(Box<str>, usize)]>,
}

impl Place {
    fn line_of(&self, field: &str) -> usize {
        let mut path = field;
        loop {
            if let Some((_, line)) = self.fields.iter().find(|(known, _)| **known == *path) {
                return *line;
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = &path[..end],
                None => return self.line,
            }
        }
    }
}

impl Bank {
    pub fn get(&self, id: &str) -> Option<&Arc<Question>> {
        self.index_of(id).map(|index| &self.questions[index])
    }

    /// The title of a topic, or its name when the bank does not have it (any more).
    pub fn topic_title(&self, name: &str) -> String {
        self.topics.iter().find(|topic| topic.name == name).map_or_else(|| name.to_owned(), |topic| topic.title.clone())
    }

    /// What the grader knows of all questions together.
    pub fn lexicon(&self) -> &Arc<Lexicon> {
        &self.lexicon
    }

    /// Grades an answer as it would be graded in a round or a drill.
    pub fn grade(&self, question: &Question, answer: &str) -> Grade {
        Rubric::of(question, &self.lexicon).grade(answer)
    }

    pub fn questions(&self) -> &[Arc<Question>] {
        &self.questions
    }

    /// The questions that can be played as scenarios, in the order of the scenarios' names.
    pub fn scenarios(&self) -> Vec<(&Arc<Question>, &Scenario)> {
        let all = self.questions.iter();
        let mut found: Vec<_> = all.filter_map(|question| Some((question, question.scenario.as_ref()?))).collect();
        found.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
        found
    }

    /// The question whose scenario somebody means by its name, title or the question's id; else the names of the nearest ones.
    pub fn find_scenario(&self, text: &str) -> Result<&Arc<Question>, Vec<String>> {
        let wanted = plain(text);
        let all = self.scenarios();
        let words = |question: &Question, scenario: &Scenario| {
            [scenario.name.as_str(), scenario.title.as_str(), question.id.as_str()].map(plain)
        };
        if let Some((question, _)) = all.iter().find(|(question, scenario)| words(question, scenario).contains(&wanted))
        {
            return Ok(question);
        }
        let words: Vec<(String, &str)> = all
            .iter()
            .flat_map(|(question, scenario)| words(question, scenario).map(|word| (word, scenario.name.as_str())))
            .collect();
        Err(nearest(&wanted, words.iter().map(|(word, name)| (word.as_str(), *name))))
    }

    /// Scenarios that could be meant by what has been typed so far, best first: (title, name).
    pub fn suggest_scenarios(&self, typed: &str, limit: usize) -> Vec<(String, String)> {
        let offers = self.scenarios().into_iter().map(|(question, scenario)| {
            let words = vec![(0, scenario.name.as_str()), (1, scenario.title.as_str()), (1, question.id.as_str())];
            (words, (scenario.title.clone(), scenario.name.clone()))
        });
        best(typed, offers, limit)
    }

    /// The card that somebody means by its id, with or without what all begin with, by its question or a tag; else the nearest ids.
    pub fn find_card(&self, text: &str) -> Result<&Arc<Card>, Vec<String>> {
        let wanted = plain(text);
        let words = |card: &Card| {
            let id = card.id.as_str();
            let mut words =
                vec![plain(id), plain(id.split_once('-').map_or(id, |(_, rest)| rest)), plain(&card.prompt)];
            words.extend(card.tags.iter().map(|tag| plain(tag)));
            words
        };
        if let Some(card) = self.cards().find(|card| words(card).contains(&wanted)) {
            return Ok(card);
        }
        let all: Vec<(String, &str)> =
            self.cards().flat_map(|card| words(card).into_iter().map(|word| (word, card.id.as_str()))).collect();
        Err(nearest(&wanted, all.iter().map(|(word, id)| (word.as_str(), *id))))
    }

    /// Cards that could be meant by what has been typed so far, best first: (prompt, id).
    pub fn suggest_cards(&self, typed: &str, limit: usize) -> Vec<(String, String)> {
        let offers = self.cards().map(|card| {
            let words = vec![(0, card.id.as_str()), (1, card.prompt.as_str())];
            (words, (card.prompt.clone(), card.id.to_string()))
        });
        best(typed, offers, limit)
    }

    /// The coaching cards, in the order of their ids.
    pub fn cards(&self) -> impl ExactSizeIterator<Item = &Arc<Card>> {
        self.cards.iter().map(|(card, _)| card)
    }

    /// The file and the line, from 1, where a question begins.
    pub fn line_of(&self, id: &str) -> Option<(&str, usize)> {
        let place = self.place_of(id)?;
        Some((&place.path, place.line))
    }

    /// The file and the line of a field, `key_points[1].weight`, or of what it would stand in if it is absent.
    pub fn line_of_field(&self, id: &str, field: &str) -> Option<(&str, usize)> {
        let place = self.place_of(id)?;
        Some((&place.path, place.line_of(field)))
    }

    /// Where a question or a card stands.
    fn place_of(&self, id: &str) -> Option<&Place> {
        match self.index_of(id) {
            Some(index) => Some(&self.places[index]),
            None => self.cards.iter().find(|(card, _)| card.id.as_str() == id).map(|(_, place)| place),
        }
    }

    fn index_of(&self, id: &str) -> Option<usize> {
        self.questions.binary_search_by(|question| question.id.as_str().cmp(id)).ok()
    }

    pub fn topics(&self) -> Vec<TopicCount> {
        let count = |topic: &Topic| {
            let mut levels = [0; Level::ALL.len()];
            for question in self.questions.iter().filter(|question| question.topic == topic.name) {
                levels[question.level as usize] += 1;
            }
            let Topic { name, title, aliases } = topic.clone();
            TopicCount { name, title, aliases, levels }
        };
        self.topics.iter().map(count).collect()
    }

    /// The topic that somebody means by its name, alias, title or a tag of its questions, in any case and punctuation; else
    /// the nearest ones.
    pub fn find_topic(&self, text: &str) -> TopicMatch {
        let wanted = plain(text);
        if let Some(name) = self.names.get(&wanted) {
            return TopicMatch::Exact(name.clone());
        }
        let mut names: Vec<(&str, &str)> =
            self.names.iter().map(|(word, name)| (word.as_str(), name.as_str())).collect();
        let titles: Vec<(String, &str)> = self
            .topics
            .iter()
            .flat_map(|topic| topic.title.split_whitespace().map(|word| (plain(word), topic.name.as_str())))
            .filter(|(word, _)| word.len() > 3)
            .collect();
        names.extend(titles.iter().map(|(word, name)| (word.as_str(), *name)));
        TopicMatch::Near(nearest(&wanted, names.into_iter()))
    }

    /// The questions of all topics that carry a tag, if that is what somebody means and no topic has this word for itself.
    pub fn tagged(&self, text: &str) -> Option<(String, Vec<Arc<Question>>)> {
        let wanted = plain(text);
        let of_topic = |topic: &Topic| {
            let words = [&topic.name, &topic.title];
            words.into_iter().chain(&topic.aliases).any(|word| plain(word) == wanted)
        };
        if self.topics.iter().any(of_topic) {
            return None;
        }
        let tag = |question: &Question| question.tags.iter().find(|tag| plain(tag) == wanted).cloned();
        let found: Vec<Arc<Question>> =
            self.questions.iter().filter(|question| tag(question).is_some()).cloned().collect();
        Some((tag(found.first()?)?, found))
    }

    /// The id nearest to what somebody wrote for one.
    pub fn nearest_question(&self, typed: &str) -> Option<&QuestionId> {
        let typed = typed.to_lowercase();
        self.questions
            .iter()
            .map(|question| (strsim::osa_distance(&typed, question.id.as_str()), &question.id))
            .filter(|(distance, id)| *distance <= (id.as_str().len() / 2).max(2))
            .min()
            .map(|(_, id)| id)
    }

    /// Topics that could be meant by what has been typed so far, best first: (title, name).
    pub fn suggest_topics(&self, typed: &str, limit: usize) -> Vec<(String, String)> {
        let offers = self.topics.iter().map(|topic| {
            let mut words = vec![(0, topic.name.as_str()), (1, topic.title.as_str())];
            words.extend(topic.aliases.iter().map(|alias| (1, alias.as_str())));
            (words, (topic.title.clone(), topic.name.clone()))
        });
        best(typed, offers, limit)
    }

    /// Questions that could be meant by what has been typed so far, best first: (prompt, id).
    pub fn suggest_questions(&self, typed: &str, limit: usize) -> Vec<(String, String)> {
        let offers = self.questions.iter().map(|question| {
            let words = vec![(0, question.id.as_str()), (1, question.prompt.as_str())];
            (words, (question.prompt.clone(), question.id.to_string()))
        });
        best(typed, offers, limit)
    }

    /// The questions that pass a filter, in the order of their ids. What the filter names and the bank does not know
    /// passes nothing; [`Bank::check_filter`] says so in words.
    pub fn select(&self, filter: &Filter) -> Vec<Arc<Question>> {
        let parts = self.resolve(filter);
        self.questions.iter().filter(|question| parts.pass(question)).cloned().collect()
    }

    /// How many questions a filter leaves, or what is wrong with it in words for the person who wrote it.
    pub fn check_filter(&self, filter: &Filter) -> Result<usize, String> {
        let mut wrong = Vec::new();
        for topic in &filter.topics {
            if let TopicMatch::Near(near) = self.find_topic(topic) {
                let all: Vec<&str> = self.topics.iter().map(|topic| topic.name.as_str()).collect();
                wrong.push(unknown("topic", topic, &near, &all));
            }
        }
        for level in filter.levels.iter().filter(|level| Level::parse(level).is_none()) {
            let all = Level::ALL.map(Level::as_str);
            let near = nearest(&plain(level), all.iter().map(|level| (*level, *level)));
            wrong.push(unknown("level", level, &near, &all));
        }
        let tracks: BTreeSet<&str> = self.questions.iter().flat_map(|q| &q.tracks).map(String::as_str).collect();
        for track in filter.tracks.iter().filter(|track| !tracks.iter().any(|known| plain(known) == plain(track))) {
            let all: Vec<&str> = tracks.iter().copied().collect();
            let near = nearest(&plain(track), all.iter().map(|track| (*track, *track)));
            wrong.push(unknown("track", track, &near, &all));
        }
        if !wrong.is_empty() {
            return Err(wrong.join(" "));
        }
        let parts = self.resolve(filter);
        let left = self.questions.iter().filter(|question| parts.pass(question)).count();
        if left == 0 { Err(self.why_empty(filter, &parts)) } else { Ok(left) }
    }

    fn why_empty(&self, filter: &Filter, parts: &Parts) -> String {
        let of_topics = self.questions.iter().filter(|q| parts.pass_topic(q)).count();
        let of_levels = self.questions.iter().filter(|q| parts.pass_topic(q) && parts.pass_level(q)).count();
        let topics = if filter.topics.is_empty() { "the bank".to_owned() } else { list(&parts.topics, "and") };
        let (has, questions) = (if parts.topics.len() > 1 { "have" } else { "has" }, counted(of_topics, "question"));
        let levels = list(&filter.levels, "or");
        let tracks = list(&filter.tracks, "or");
        if of_topics == 0 {
            return "The bank has no questions.".to_owned();
        }
        if of_levels == 0 {
            return format!("No question is left: {topics} {has} {questions}, but none of the level {levels}.");
        }
        let of_levels = if filter.levels.is_empty() {
            questions
        } else {
            format!("{} of the level {levels}", counted(of_levels, "question"))
        };
        format!("No question is left: {topics} {has} {of_levels}, but none of the track {tracks}.")
    }

    fn resolve(&self, filter: &Filter) -> Parts {
        let topic = |text: &String| match self.find_topic(text) {
            TopicMatch::Exact(name) => Some(name),
            TopicMatch::Near(_) => None,
        };
        Parts {
            any_topic: filter.topics.is_empty(),
            topics: filter.topics.iter().filter_map(topic).collect(),
            any_level: filter.levels.is_empty(),
            levels: filter.levels.iter().filter_map(|level| Level::parse(level)).collect(),
            tracks: filter.tracks.iter().map(|track| plain(track)).collect(),
        }
    }

    /// Changes when a question or a topic changes, and not when only a comment or the layout of a file does.
    pub fn revision(&self) -> String {
        let as_json = |question: &Arc<Question>| serde_json::to_string(question.as_ref());
        let questions = self.questions.iter().map(as_json);
        let topics = self.topics.iter().map(serde_json::to_string);
        let cards = self.cards.iter().map(|(card, _)| serde_json::to_string(card.as_ref()));
        // None of these types holds a map or a number that JSON cannot write.
        let parts: Vec<String> = questions.chain(topics).chain(cards).map(Result::unwrap_or_default).collect();
        short_hash(&parts.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// A filter in the bank's own words.
struct Parts {
    any_topic: bool,
    topics: Vec<String>,
    any_level: bool,
    levels: Vec<Level>,
    tracks: Vec<String>,
}

impl Parts {
    fn pass(&self, question: &Question) -> bool {
        self.pass_topic(question) && self.pass_level(question) && self.pass_track(question)
    }

    fn pass_topic(&self, question: &Question) -> bool {
        self.any_topic || self.topics.contains(&question.topic)
    }

    fn pass_level(&self, question: &Question) -> bool {
        self.any_level || self.levels.contains(&question.level)
    }

    fn pass_track(&self, question: &Question) -> bool {
        self.tracks.is_empty() || question.tracks.iter().any(|track| self.tracks.contains(&plain(track)))
    }
}

/// Letters and digits in lower case: "CI / CD" and "ci-cd" are one.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(60).collect()
}

fn topic_names(topics: &[Topic], questions: &[Arc<Question>]) -> HashMap<String, String> {
    let mut names = HashMap::new();
    let mut add = |word: &str, name: &str| {
        let word = plain(word);
        if !word.is_empty() {
            names.entry(word).or_insert_with(|| name.to_owned());
        }
    };
    topics.iter().for_each(|topic| add(&topic.name, &topic.name));
    topics.iter().for_each(|topic| topic.aliases.iter().for_each(|alias| add(alias, &topic.name)));
    topics.iter().for_each(|topic| add(&topic.title, &topic.name));
    // A tag stands for the topic that carries it most often.
    let mut tags: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for question in questions {
        for tag in &question.tags {
            *tags.entry(tag).or_default().entry(&question.topic).or_default() += 1;
        }
    }
    for (tag, counts) in tags {
        if let Some((topic, _)) = counts.iter().max_by_key(|(topic, count)| (**count, std::cmp::Reverse(**topic))) {
            add(tag, topic);
        }
    }
    names
}

/// The names, at most three, whose word begins with what is wanted or is a slip away from it.
fn nearest<'a>(wanted: &str, words: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let length = wanted.chars().count();
    if length == 0 {
        return Vec::new();
    }
    // Of two words for one name the better one counts.
    let mut near: BTreeMap<&str, (bool, usize)> = BTreeMap::new();
    for (word, name) in words {
        let is_start = length > 1 && word.starts_with(wanted);
        let distance = strsim::osa_distance(wanted, word);
        if is_start || distance <= (length.min(word.chars().count()) / 3).max(1) {
            let rank = (!is_start, distance);
            near.entry(name).and_modify(|best| *best = (*best).min(rank)).or_insert(rank);
        }
    }
    let mut near: Vec<_> = near.into_iter().collect();
    near.sort_by_key(|(name, rank)| (*rank, *name));
    near.into_iter().take(3).map(|(name, _)| name.to_owned()).collect()
}

/// A word that an offer answers to, with how much it counts less than the best one.
type Answers<'a> = Vec<(usize, &'a str)>;

/// The offers that fit what has been typed: what is it, begins with it, has a word that begins with it, contains it; near misses only
/// when nothing else fits.
fn best<'a, T>(typed: &str, offers: impl Iterator<Item = (Answers<'a>, T)>, limit: usize) -> Vec<T> {
    let typed = typed.trim().to_lowercase();
    let rank = |word: &str| {
        let word = word.to_lowercase();
        if word == typed {
            Some(0)
        } else if word.starts_with(&typed) {
            Some(2)
        } else if word.split(|c: char| !c.is_alphanumeric()).any(|part| part.starts_with(&typed)) {
            Some(4)
        } else if word.contains(&typed) {
            Some(6)
        } else {
            let distance = strsim::osa_distance(&typed, &word);
            (distance <= (typed.chars().count() / 3).max(1)).then_some(10 + distance)
        }
    };
    let mut ranked: Vec<(usize, T)> = offers
        .filter_map(|(words, offer)| {
            Some((words.iter().filter_map(|(less, word)| Some(rank(word)? + less)).min()?, offer))
        })
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let fits = ranked.first().is_some_and(|(rank, _)| *rank < 10);
    ranked.into_iter().filter(|(rank, _)| !fits || *rank < 10).take(limit).map(|(_, offer)| offer).collect()
}

fn unknown(what: &str, text: &str, near: &[String], all: &[&str]) -> String {
    if near.is_empty() {
        format!("There is no {what} \"{text}\". The {what}s are {}.", list(all, "and"))
    } else {
        format!("There is no {what} \"{text}\". Did you mean {}?", list(near, "or"))
    }
}

/// "a, b or c".
fn list<S: AsRef<str>>(items: &[S], link: &str) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    match items.as_slice() {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} {link} {last}", first.join(", ")),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::HashSet;
    use std::sync::LazyLock;

    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    pub(crate) const EXAMPLE: &str = include_str!("../../tests/fixtures/terraform.toml");

    /// A bank of the example question.
    pub(crate) fn example_bank() -> Bank {
        read(EXAMPLE).0
    }

    pub(crate) fn example() -> Question {
        static EXAMPLE: LazyLock<Question> = LazyLock::new(|| example_bank().questions()[0].as_ref().clone());
        EXAMPLE.clone()
    }

    pub(crate) fn read(text: &str) -> (Bank, Vec<Problem>) {
        let source = [Source { path: "bank.toml", text }];
        Bank::read(&[&source]).unwrap_or_else(|problems| panic!("{problems:#?}"))
    }

    /// A short question that can be read, of `id` and with further lines.
    pub(crate) fn question(id: &str, more: &str) -> String {
        let of = |key: &str, line: &str| {
            if more.contains(&format!("{key} =")) { String::new() } else { format!("{line}\n") }
        };
        let (level, tracks) = (of("level", "level = 'beginner'"), of("tracks", "tracks = ['devops']"));
        let topic = of("topic", "topic = 'iam'");
        format!(
            "[[question]]\nid = '{id}'\n{level}{tracks}{topic}{more}\nversion = 1\nprompt = 'Why?'\nkind = 'concept'\n\
             model_answer = 'So.'\nlast_reviewed = 2026-11-21\nreview_after_days = 180\nkey_points = []\n"
        )
    }

    /// Three topics: `iam` with all levels, `eks` without a description, `cicd` with aliases.
    fn three_topics() -> Bank {
        let iam = question("iam-a", "tags = ['sts', 'shared']")
            + &question("iam-b", "level = 'advanced'\ntracks = ['devsecops', 'devops']\ntags = ['shared']")
            + &question("iam-c", "level = 'intermediate'");
        let iam = format!("[topic]\nname = 'iam'\ntitle = 'Identity and access'\naliases = ['permissions']\n{iam}");
        let eks = question("eks-a", "topic = 'eks'\ntags = ['shared']");
        let cicd = format!("[topic]\nname = 'cicd'\ntitle = 'CI/CD pipelines'\n{}", question("ci-a", "topic = 'cicd'"));
        let none = "[topic]\nname = 'empty'\n";
        let files = [("iam.toml", &*iam), ("eks.toml", &eks), ("cicd.toml", &cicd), ("empty.toml", none)];
        let layer = files.map(|(path, text)| Source { path, text });
        Bank::read(&[&layer]).expect("these files are right").0
    }

    #[test]
    fn topics_are_counted_by_level() {
        let topics: Vec<_> = three_topics()
            .topics()
            .into_iter()
            .map(|topic| (topic.total(), topic.name, topic.title, topic.levels))
            .collect();
        assert_eq!(
            topics,
            [
                (1, "cicd".to_owned(), "CI/CD pipelines".to_owned(), [1, 0, 0]),
                (1, "eks".to_owned(), "eks".to_owned(), [1, 0, 0]),
                (3, "iam".to_owned(), "Identity and access".to_owned(), [1, 1, 1]),
            ]
        );
    }

    #[test]
    fn a_topic_is_found_by_any_word_for_it() {
        let bank = three_topics();
        let check = |text: &str, expect: &str| {
            assert_eq!(bank.find_topic(text), TopicMatch::Exact(expect.to_owned()), "{text}");
        };
        check("iam", "iam");
        check(" IAM! ", "iam");
        check("Permissions", "iam");
        check("identity AND access", "iam");
        check("CI / CD", "cicd");
        check("STS", "iam");
        // Two of three questions with this tag are about IAM.
        check("shared", "iam");
    }

    #[test]
    fn a_tag_finds_its_questions_in_every_topic() {
        let bank = three_topics();
        let ids = |text: &str| {
            let (tag, found) = bank.tagged(text)?;
            Some((tag, found.iter().map(|question| question.id.to_string()).collect::<Vec<_>>()))
        };
        let expect = ["eks-a", "iam-a", "iam-b"].map(str::to_owned).to_vec();
        assert_eq!(ids(" Shared"), Some(("shared".to_owned(), expect)));
        // What a topic is called is the topic.
        assert_eq!((ids("permissions"), ids("nothing"), ids("")), (None, None, None));
    }

    #[test]
    fn a_slip_of_the_pen_finds_the_nearest_topics() {
        let bank = three_topics();
        let check = |text: &str, expect: &[&str]| {
            let expect = expect.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(bank.find_topic(text), TopicMatch::Near(expect), "{text}");
        };
        check("iamm", &["iam"]);
        check("perm", &["iam"]);
        check("pipeline", &["cicd"]);
        check("permisions", &["iam"]);
        check("ek", &["eks"]);
        check("quantum", &[]);
        check("", &[]);
        check("!?", &[]);
        check(&"x".repeat(10_000), &[]);
    }

    fn filter(topics: &[&str], levels: &[&str], tracks: &[&str]) -> Filter {
        let owned = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
        Filter { topics: owned(topics), levels: owned(levels), tracks: owned(tracks) }
    }

    #[test]
    fn a_filter_selects_what_passes_all_its_parts() {
        let bank = three_topics();
        let check = |filter: Filter, expect: &[&str]| {
            let ids: Vec<String> = bank.select(&filter).iter().map(|q| q.id.to_string()).collect();
            assert_eq!(ids, expect, "{filter:?}");
            if !expect.is_empty() {
                assert_eq!(bank.check_filter(&filter), Ok(expect.len()));
            }
        };
        check(Filter::default(), &["ci-a", "eks-a", "iam-a", "iam-b", "iam-c"]);
        check(filter(&["Permissions"], &[], &[]), &["iam-a", "iam-b", "iam-c"]);
        check(filter(&["iam", "eks"], &["Beginner"], &[]), &["eks-a", "iam-a"]);
        check(filter(&["iam"], &["advanced", "intermediate"], &["devops"]), &["iam-b", "iam-c"]);
        check(filter(&[], &[], &["Dev-Sec-Ops"]), &["iam-b"]);
        check(filter(&["nothing"], &[], &[]), &[]);
        check(filter(&["eks"], &["advanced"], &[]), &[]);
    }

    #[test]
    fn what_is_wrong_with_a_filter_is_said_in_words() {
        let bank = three_topics();
        let check = |filter: Filter| bank.check_filter(&filter).expect_err("this filter is wrong");
        assert_snapshot!(check(filter(&["iamm"], &["begginer"], &["devop"])), @r#"There is no topic "iamm". Did you mean iam? There is no level "begginer". Did you mean beginner? There is no track "devop". Did you mean devops?"#);
        assert_snapshot!(check(filter(&["quantum"], &["expert"], &["sales"])), @r#"There is no topic "quantum". The topics are cicd, eks and iam. There is no level "expert". The levels are beginner, intermediate and advanced. There is no track "sales". The tracks are devops and devsecops."#);
        assert_snapshot!(check(filter(&["eks"], &["advanced"], &[])), @"No question is left: eks has 1 question, but none of the level advanced.");
        assert_snapshot!(check(filter(&["eks", "cicd"], &[], &["devsecops"])), @"No question is left: eks and cicd have 2 questions, but none of the track devsecops.");
        assert_snapshot!(check(filter(&["iam"], &["beginner"], &["devsecops"])), @"No question is left: iam has 1 question of the level beginner, but none of the track devsecops.");
        assert_snapshot!(check(filter(&[], &["beginner"], &["devsecops"])), @"No question is left: the bank has 3 questions of the level beginner, but none of the track devsecops.");
        assert_snapshot!(Bank::default().check_filter(&Filter::default()).expect_err("an empty bank"), @"The bank has no questions.");
    }

    #[test]
    fn the_revision_follows_the_contents() {
        let text = question("iam-a", "");
        let revision = |text: &str| read(text).0.revision();
        assert_eq!(revision(&text), revision(&format!("# a comment\n\n{text}")));
        assert_ne!(revision(&text), revision(&text.replace("Why?", "How?")));
        assert_ne!(revision(&text), revision(&format!("[topic]\nname = 'iam'\ntitle = 'IAM'\n{text}")));
    }

    proptest! {
        #[test]
        fn each_question_is_in_the_selection_of_its_own_parts(index in 0..5_usize) {
            let bank = three_topics();
            let question = &bank.questions()[index];
            let filter = filter(&[&question.topic], &[question.level.as_str()], &[&question.tracks[0]]);
            let ids: HashSet<_> = bank.select(&filter).iter().map(|q| q.id.clone()).collect();
            prop_assert!(ids.contains(&question.id));
        }
    }
}
