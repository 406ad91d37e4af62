//! Answers that are nearly one that somebody else wrote earlier in the same round. Pure, deterministic, near-linear in what was written.
//!
//! What is compared are pairs of words, each with the next one and the one behind it: most of them survive when a word here and there
//! is replaced and sentences change places. Pairs that the question itself has and pairs of function words are no evidence; pairs with
//! a word that the question does not have count double. Measured in `tests/it/copying.rs`.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::answer::{self, Answer, Part, Version};
use super::grade::text::{self, Class};
use super::grade::{Decider, PointGrade, PointState};
use super::ids::MemberId;
use super::question::Question;
use super::round::Graded;

/// Shorter answers are never marked: two people may well say a fact in the same few words.
pub const MIN_WORDS: usize = 20;
/// What two answers must have in common at least: seven words in a row that the question does not have, or 14 that it has elsewhere. No
/// two answers of different people in the banks have half of that in common.
pub const MIN_COMMON: u64 = 25;
/// Of the two answers, one must stand in the other to this part.
pub const MIN_PERCENT: u64 = 50;
/// Who said something first is remembered for so many; what more people than that say alike tells nothing new.
const FIRST: usize = 64;

/// Why an answer counts only with what it adds. Does not say whose answer the other one is: that would outlive its author's erasure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// How many of a hundred words stand in the earlier answer, function words left out; of the shorter one of the two.
    pub percent: u8,
    /// What the earlier answer had of each key point, in halves: 0, 1 or 2.
    pub already: Vec<u8>,
    /// Byte ranges of this answer that stand in the earlier one.
    pub shared: Vec<(usize, usize)>,
}

impl Copied {
    /// The points as they count: without what the earlier answer had said. A point that was decided anew later does not count when it
    /// rests on the other one's words.
    pub fn left(&self, points: &[PointGrade]) -> Vec<PointGrade> {
        let left = |(at, point): (usize, &PointGrade)| {
            let rests_on_theirs = point.by != Decider::Grader
                && !point.spans.is_empty()
                && point
                    .spans
                    .iter()
                    .all(|(from, to)| self.shared.iter().any(|(start, end)| start <= from && to <= end));
            let taken = if rests_on_theirs { 2 } else { self.already.get(at).copied().unwrap_or(0) };
            let state = match (point.state, halves(point.state).saturating_sub(taken)) {
                (PointState::Contradicted, _) => PointState::Contradicted,
                (_, 0) => PointState::Missing,
                (_, 1) => PointState::Unclear,
                _ => PointState::Covered,
            };
            PointGrade { state, ..point.clone() }
        };
        points.iter().enumerate().map(left).collect()
    }
}

fn halves(state: PointState) -> u8 {
    match state {
        PointState::Covered => 2,
        PointState::Unclear => 1,
        PointState::Missing | PointState::Contradicted => 0,
    }
}

/// Words of a member, and when they were said first.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    pub member: MemberId,
    pub text: String,
    /// Unix milliseconds.
    pub at: i64,
}

/// An answer that is nearly an earlier one.
#[derive(Clone, Debug, PartialEq)]
pub struct Copy {
    pub member: MemberId,
    /// Who wrote the earlier one.
    pub source: MemberId,
    pub percent: u8,
    pub shared: Vec<(usize, usize)>,
}

/// Everything that was said in time, each text with the instant at which it was said first: an edit is new from then on, and what it
/// keeps is as old as before. So nobody becomes the first by a message that is filled in later, and nobody the second by correcting
/// a typing error.
pub fn said(parts: &[Part], versions: &[Version]) -> Vec<Said> {
    let mut first: HashMap<(&str, &str), i64> = HashMap::new();
    let mut newest: HashMap<&str, i64> = HashMap::new();
    for version in versions {
        first.insert((&version.part, &version.body), version.at);
        let at = newest.entry(&version.part).or_insert(version.at);
        *at = version.at.max(*at);
    }
    let mut all: Vec<Said> = versions
        .iter()
        .map(|version| Said { member: version.member.clone(), text: version.body.clone(), at: version.at })
        .collect();
    let mut whole: BTreeMap<MemberId, i64> = BTreeMap::new();
    for part in parts.iter().filter(|part| part.counts()) {
        let known = first.get(&(part.id.as_str(), part.body.as_str())).or_else(|| newest.get(part.id.as_str()));
        let at = known.copied().unwrap_or(part.written_at);
        all.push(Said { member: part.member.clone(), text: part.body.clone(), at });
        let last = whole.entry(part.member.clone()).or_insert(at);
        *last = at.max(*last);
    }
    // Words of one part that follow those of another are as old as the newer part.
    for answer in answer::assemble(parts) {
        let at = whole.get(&answer.member).copied().unwrap_or(answer.first_at);
        all.push(Said { member: answer.member, text: answer.text, at });
    }
    all
}

/// Marks the answers that are nearly earlier ones and counts them anew. What was said at the same instant is not earlier.
pub fn mark(question: &Question, graded: &mut [Graded], said: &[Said]) -> Vec<Copy> {
    let answers: Vec<&Answer> = graded.iter().map(|one| &one.answer).collect();
    let copies = find(question, &answers, said);
    let had: HashMap<MemberId, Vec<u8>> = graded
        .iter()
        .map(|one| {
            (one.answer.member.clone(), one.grade.points.iter().map(|point| halves(point.state)).collect::<Vec<u8>>())
        })
        .collect();
    let by_member: HashMap<&MemberId, &Copy> = copies.iter().map(|copy| (&copy.member, copy)).collect();
    for one in graded {
        let Some(copy) = by_member.get(&one.answer.member) else { continue };
        let already = had.get(&copy.source).cloned().unwrap_or_default();
        one.grade.copied = Some(Copied { percent: copy.percent, already, shared: copy.shared.clone() });
        one.grade.recount(question);
    }
    copies
}

/// The answers that are nearly what one other member had said earlier, in the order of `answers`.
pub fn find(question: &Question, answers: &[&Answer], said: &[Said]) -> Vec<Copy> {
    let mut reader = Reader::of(question);
    let mut said: Vec<&Said> = said.iter().collect();
    said.sort_by(|a, b| (a.at, &a.member, &a.text).cmp(&(b.at, &b.member, &b.text)));
    let mut people = People::default();
    for one in said {
        let words = reader.read(&one.text);
        people.hear(&one.member, one.at, &words, &reader);
    }
    answers.iter().filter_map(|answer| people.copy(answer, &mut reader)).collect()
}

/// Two stems, the first one's number first.
type Pair = (u32, u32);

#[derive(Clone, Copy)]
struct Word {
    stem: u32,
    /// It carries meaning.
    content: bool,
    start: usize,
    end: usize,
}

/// What a question supplies, and numbers for the stems that were read.
#[derive(Default)]
struct Reader {
    stems: HashMap<String, u32>,
    /// The stem of a word as it stands, and whether it carries meaning.
    known: HashMap<String, (u32, bool)>,
    /// Stems of the question and of function words.
    supplied: HashSet<u32>,
    quoted: HashSet<Pair>,
}

impl Reader {
    fn of(question: &Question) -> Reader {
        let mut reader = Reader::default();
        let points = question.key_points.iter().flat_map(|point| {
            let terms =
                point.all_of.iter().flatten().chain(&point.about).chain(&point.rivals).chain(&point.contradicts);
            let others = point.alt.iter().flat_map(|other| other.terms());
            std::iter::once(point.text.as_str()).chain(terms.map(String::as_str)).chain(others)
        });
        let mistakes = question.mistakes.iter().flat_map(|mistake| [&mistake.wrong, &mistake.right]);
        let texts = [&question.prompt, &question.model_answer].into_iter().chain(&question.nudge);
        let others = texts.chain(&question.hints).chain(mistakes).map(String::as_str);
        for text in others.chain(points) {
            let words = reader.read(text);
            reader.supplied.extend(words.iter().map(|word| word.stem));
            reader.quoted.extend(pairs(&words).map(|(pair, ..)| pair));
        }
        reader
    }

    fn read(&mut self, text: &str) -> Vec<Word> {
        let mut out = Vec::new();
        for word in text::words(text) {
            let (stem, content) = match self.known.get(&word.text) {
                Some(known) => *known,
                None => {
                    let content = word.class() == Class::Content;
                    let stem = self.number(&word.text);
                    if !content {
                        self.supplied.insert(stem);
                    }
                    self.known.insert(word.text, (stem, content));
                    (stem, content)
                }
            };
            out.push(Word { stem, content, start: word.start, end: word.end });
        }
        out
    }

    fn number(&mut self, word: &str) -> u32 {
        let next = u32::try_from(self.stems.len()).unwrap_or(u32::MAX);
        *self.stems.entry(text::stem(word).into_owned()).or_insert(next)
    }

    /// What it says about two people that both have this pair.
    fn weight(&self, pair: Pair) -> u64 {
        match pair {
            _ if self.quoted.contains(&pair) => 0,
            (a, b) if self.supplied.contains(&a) && self.supplied.contains(&b) => 1,
            _ => 2,
        }
    }
}

/// The pairs of a text in which a word carries meaning, with the places of their words.
fn pairs(words: &[Word]) -> impl Iterator<Item = (Pair, usize, usize)> {
    let next = |at: usize| [at + 1, at + 2].into_iter().map(move |other| (at, other));
    (0..words.len())
        .flat_map(next)
        .filter(|(a, b)| words.get(*b).is_some_and(|second| second.content || words[*a].content))
        .map(|(a, b)| ((words[a].stem, words[b].stem), a, b))
}

/// How many words carry meaning.
fn content(words: &[Word]) -> usize {
    words.iter().filter(|word| word.content).count()
}

/// Who said which pair when.
#[derive(Default)]
struct People {
    numbers: HashMap<MemberId, usize>,
    all: Vec<Person>,
    /// By pair, who said it, the first ones first.
    first: HashMap<Pair, Vec<(i64, usize)>>,
}

struct Person {
    member: MemberId,
    said: HashMap<Pair, i64>,
    /// The weight of all that they said.
    weight: u64,
    /// The length of their longest text, in words that carry meaning.
    words: usize,
    /// When they spoke last.
    last: i64,
}

impl People {
    /// To be called in the order of time.
    fn hear(&mut self, member: &MemberId, at: i64, words: &[Word], reader: &Reader) {
        let number = *self.numbers.entry(member.clone()).or_insert(self.all.len());
        if number == self.all.len() {
            let member = member.clone();
            self.all.push(Person { member, said: HashMap::new(), weight: 0, words: 0, last: at });
        }
        let person = &mut self.all[number];
        person.words = person.words.max(content(words));
        person.last = at;
        for (pair, ..) in pairs(words) {
            if person.said.contains_key(&pair) {
                continue;
            }
            person.said.insert(pair, at);
            person.weight += reader.weight(pair);
            let first = self.first.entry(pair).or_default();
            if first.len() < FIRST {
                first.push((at, number));
            }
        }
    }

    fn copy(&self, answer: &Answer, reader: &mut Reader) -> Option<Copy> {
        let words = reader.read(&answer.text);
        if words.len() < MIN_WORDS {
            return None;
        }
        let own = self.numbers.get(&answer.member).map(|number| &self.all[*number]);
        let said_at =
            |pair: &Pair| own.map_or(answer.first_at, |person| person.said.get(pair).copied().unwrap_or(person.last));
        let mut total = 0;
        let mut common: BTreeMap<usize, u64> = BTreeMap::new();
        let mut seen = HashSet::new();
        for (pair, ..) in pairs(&words) {
            let weight = reader.weight(pair);
            if weight == 0 || !seen.insert(pair) {
                continue;
            }
            total += weight;
            let at = said_at(&pair);
            let earlier = self.first.get(&pair).into_iter().flatten().take_while(|(first, _)| *first < at);
            for (_, number) in earlier {
                if self.all[*number].member != answer.member {
                    *common.entry(*number).or_default() += weight;
                }
            }
        }
        let is_nearly = |number: usize, common: u64| {
            common >= MIN_COMMON && common * 100 >= MIN_PERCENT * total.min(self.all[number].weight)
        };
        // Of several with as much in common, the one that spoke first.
        let (source, _) = common
            .into_iter()
            .filter(|(number, common)| is_nearly(*number, *common))
            .max_by_key(|(number, common)| (*common, std::cmp::Reverse(*number)))?;
        let source = &self.all[source];
        let mut taken = vec![false; words.len()];
        for (pair, a, b) in pairs(&words) {
            if source.said.get(&pair).is_some_and(|at| *at < said_at(&pair)) {
                (taken[a], taken[b]) = (true, true);
            }
        }
        let count = words.iter().zip(&taken).filter(|(word, taken)| word.content && **taken).count();
        let percent = (100 * count / content(&words).min(source.words).max(1)).min(100);
        Some(Copy {
            member: answer.member.clone(),
            source: source.member.clone(),
            percent: u8::try_from(percent).unwrap_or(100),
            shared: runs(&words, &taken),
        })
    }
}

/// The byte ranges of words in a row that are taken.
fn runs(words: &[Word], taken: &[bool]) -> Vec<(usize, usize)> {
    let mut out: Vec<(usize, usize)> = Vec::new();
    let mut goes_on = false;
    for (word, taken) in words.iter().zip(taken) {
        match out.last_mut().filter(|_| goes_on && *taken) {
            Some(run) => run.1 = word.end,
            None if *taken => out.push((word.start, word.end)),
            None => {}
        }
        goes_on = *taken;
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::bank::tests::example;
    use crate::domain::grade::{self, Lexicon};
    use crate::domain::round;

    const OWN: &str = "In our shop the juniors used to mail a zip of that folder around every Friday, until somebody overwrote \
                       a colleague's database with last week's copy. Since then a bucket keeps it and nobody mails anything.";

    fn part(id: &str, member: &str, body: &str, written_at: i64) -> Part {
        let (id, member, body) = (id.to_owned(), MemberId::new(member), body.to_owned());
        Part { id, member, body, written_at, confidence: None, late: false, deleted: false }
    }

    fn version(part: &str, member: &str, body: &str, at: i64) -> Version {
        Version { part: part.to_owned(), member: MemberId::new(member), body: body.to_owned(), at }
    }

    fn mark_parts(parts: &[Part], versions: &[Version]) -> (Vec<Graded>, Vec<Copy>) {
        let question = example();
        let mut graded = round::grade(&question, &std::sync::Arc::new(Lexicon::default()), answer::assemble(parts));
        let copies = mark(&question, &mut graded, &said(parts, versions));
        (graded, copies)
    }

    /// Who copied from whom.
    fn copies(parts: &[Part], versions: &[Version]) -> Vec<(String, String)> {
        let (_, copies) = mark_parts(parts, versions);
        copies.iter().map(|copy| (copy.member.to_string(), copy.source.to_string())).collect()
    }

    fn pair(a: &str, b: &str) -> Vec<(String, String)> {
        vec![(a.to_owned(), b.to_owned())]
    }

    #[test]
    fn the_later_of_two_equal_answers_is_marked() {
        let ann = part("m1", "ann", OWN, 1);
        assert_eq!(copies(&[ann.clone(), part("m2", "bob", OWN, 2)], &[]), pair("bob", "ann"));
        assert_eq!(copies(&[part("m2", "bob", OWN, 0), ann.clone()], &[]), pair("ann", "bob"));
        assert_eq!(copies(&[ann.clone(), part("m2", "bob", "Something else", 2)], &[]), []);
        assert_eq!(copies(&[ann, part("m2", "ann", OWN, 2)], &[]), [], "nobody copies from themselves");
    }

    #[test]
    fn what_was_said_at_the_same_instant_is_not_earlier() {
        assert_eq!(copies(&[part("m1", "ann", OWN, 5), part("m2", "bob", OWN, 5)], &[]), []);
    }

    #[test]
    fn a_text_that_is_filled_in_later_is_as_new_as_the_edit() {
        let parts = [part("m1", "bob", OWN, 1), part("m2", "ann", OWN, 2)];
        let versions = [version("m1", "bob", "x", 1), version("m1", "bob", OWN, 3)];
        assert_eq!(copies(&parts, &versions), pair("bob", "ann"));
        assert_eq!(copies(&parts, &[]), pair("ann", "bob"), "without the edit he was the first");
        // Many edits: the oldest versions are not kept, and what stands may be among them.
        let forgotten = [version("m1", "bob", "x", 1), version("m1", "bob", "y", 3)];
        assert_eq!(copies(&parts, &forgotten), pair("bob", "ann"));
    }

    #[test]
    fn who_corrects_an_answer_after_it_was_copied_stays_the_first() {
        let fixed = OWN.replace("juniors", "beginners");
        let parts = [part("m1", "ann", &fixed, 1), part("m2", "bob", OWN, 2)];
        let versions = [version("m1", "ann", OWN, 1), version("m1", "ann", &fixed, 3)];
        assert_eq!(copies(&parts, &versions), pair("bob", "ann"));
        // Even with another text altogether: what was said was said.
        let parts = [part("m1", "ann", "I have thought better of it.", 1), part("m2", "bob", OWN, 2)];
        let versions = [version("m1", "ann", OWN, 1), version("m1", "ann", &parts[0].body, 3)];
        assert_eq!(copies(&parts, &versions), pair("bob", "ann"));
    }

    #[test]
    fn a_form_that_is_sent_again_unchanged_stays_as_old() {
        let parts = [part("form:ann", "ann", OWN, 9), part("m2", "bob", OWN, 2)];
        assert_eq!(copies(&parts, &[version("form:ann", "ann", OWN, 1)]), pair("bob", "ann"));
    }

    #[test]
    fn an_answer_in_several_messages_is_one() {
        let (first, second) = OWN.split_at(OWN.find("Since").unwrap_or_default());
        let ann = part("m1", "ann", OWN, 1);
        let bob = [part("m2", "bob", first, 2), part("m3", "bob", second, 3)];
        assert_eq!(copies(&[ann.clone(), bob[0].clone(), bob[1].clone()], &[]), pair("bob", "ann"));
        let late = Part { late: true, ..part("m0", "eve", OWN, 0) };
        let gone = Part { deleted: true, ..part("m9", "eve", OWN, 0) };
        assert_eq!(copies(&[late, gone, ann], &[]), []);
        // A few words a message do not hide it.
        let mut parts = vec![part("a", "ann", OWN, 1)];
        let words: Vec<&str> = OWN.split(' ').collect();
        for (at, some) in words.chunks(4).enumerate() {
            parts.push(part(&format!("b{at:02}"), "bob", &some.join(" "), 2 + at as i64));
        }
        assert_eq!(copies(&parts, &[]), pair("bob", "ann"));
    }

    #[test]
    fn light_edits_do_not_hide_a_copy() {
        let edits = [
            format!("Hi all! Here is what I think. {OWN} Hope that helps \u{1f642}"),
            OWN.to_uppercase(),
            OWN.replace(' ', "\u{a0}\u{200b} ").replace('.', " \u{1f512}\n\n- "),
            OWN.replace("juniors", "trainees").replace("somebody", "one of them").replace("week", "month"),
            OWN.split_once(". ").map(|(first, second)| format!("{second} {first}")).unwrap_or_default(),
        ];
        for edited in edits {
            let (graded, found) = mark_parts(&[part("m1", "ann", OWN, 1), part("m2", "bob", &edited, 2)], &[]);
            assert_eq!(found.len(), 1, "{edited}");
            assert!(found[0].percent >= 80, "{}: {edited}", found[0].percent);
            let bob = graded.iter().find(|one| one.answer.member.as_str() == "bob").expect("he answered");
            for (from, to) in &bob.grade.copied.as_ref().expect("it is marked").shared {
                assert!(bob.answer.text.get(*from..*to).is_some_and(|words| !words.is_empty()));
            }
        }
    }

    #[test]
    fn answers_of_different_people_have_little_in_common() {
        let (bank, _) =
            crate::content::load(&crate::config::Content { embedded: true, paths: vec![] }).expect("the banks");
        let (mut most, mut compared) = (0, 0);
        for question in bank.questions() {
            let mut reader = Reader::of(question);
            let read = |text: &str| pairs(&reader.read(text)).map(|(pair, ..)| pair).collect::<HashSet<Pair>>();
            let said: Vec<HashSet<Pair>> = question.samples.iter().map(|sample| &sample.text[..]).map(read).collect();
            for (at, one) in said.iter().enumerate() {
                for other in &said[..at] {
                    compared += 1;
                    most = most.max(one.intersection(other).map(|pair| reader.weight(*pair)).sum());
                }
            }
        }
        assert!(compared > 300, "{compared}");
        assert!(most > 0 && 2 * most <= MIN_COMMON, "{most} of {MIN_COMMON}");
    }

    #[test]
    fn what_the_question_supplies_is_no_evidence() {
        let question = example();
        let answers = [part("m1", "ann", &question.model_answer, 1), part("m2", "bob", &question.model_answer, 2)];
        assert!(question.model_answer.split(' ').count() >= MIN_WORDS, "long enough to be marked");
        assert_eq!(copies(&answers, &[]), []);
        let short = "Terraform now writes a lock object beside the state, so nobody loses an afternoon";
        assert_eq!(copies(&[part("m1", "ann", short, 1), part("m2", "bob", short, 2)], &[]), []);
        // A sentence that two people quote, in answers of their own.
        let quote = "As the manual says, a lease must be broken by hand when its holder died";
        let ann = format!("{quote}. {OWN}");
        let bob = format!(
            "CloudFormation refuses a second update by itself, which surprised me when our pipeline stalled for hours one \
             night. Engineers on call had to cancel everything and begin anew. {quote}."
        );
        assert_eq!(copies(&[part("m1", "ann", &ann, 1), part("m2", "bob", &bob, 2)], &[]), []);
    }

    #[test]
    fn a_copy_counts_with_the_points_that_it_adds() {
        let question = example();
        let (first, more) = (
            "AWS keeps the state and runs one operation on a stack at a time.",
            "Terraform needs use_lockfile in the S3 backend.",
        );
        let ann = format!("{OWN} {first}");
        let bob = format!("{OWN} {first} {more}");
        let (graded, _) = mark_parts(&[part("m1", "ann", &ann, 1), part("m2", "bob", &bob, 2)], &[]);
        let of = |name: &str| graded.iter().find(|one| one.answer.member.as_str() == name).expect("it was graded");
        let (ann, bob) = (&of("ann").grade, &of("bob").grade);
        let plain = grade::grade(&question, &of("bob").answer.text);
        assert!(ann.copied.is_none() && ann.score > 0);
        assert_eq!(bob.points, plain.points, "what was said is said");
        assert!((ann.score + bob.score).abs_diff(plain.score) <= 1, "but for the rounding");
        assert!(bob.score > 0);
        // The same once more, without anything new.
        let all = of("bob").answer.text.clone();
        let (graded, _) = mark_parts(&[part("m1", "ann", &all, 1), part("m2", "bob", &all, 2)], &[]);
        assert_eq!(graded.iter().map(|one| one.grade.score).collect::<Vec<_>>(), [plain.score, 0]);
    }

    #[test]
    fn a_ruling_later_keeps_the_reduction() {
        let question = example();
        let own = "Terraform needs use_lockfile in the S3 backend.";
        let text = format!("{OWN} {own}");
        let (graded, _) = mark_parts(&[part("m1", "ann", OWN, 1), part("m2", "bob", &text, 2)], &[]);
        let mut bob = graded[1].grade.clone();
        let before = bob.score;
        bob.recount(&question);
        assert_eq!(bob.score, before);
        let open = bob.points.iter().position(|point| point.state == PointState::Missing).expect("a point is missing");
        let rule = |grade: &mut grade::Grade, span: (usize, usize)| {
            let spans = vec![span];
            grade.points[open] =
                PointGrade { state: PointState::Covered, spans, by: Decider::Ruling, ..grade.points[open].clone() };
            grade.recount(&question);
        };
        let shared = bob.copied.as_ref().expect("it is marked").shared[0];
        rule(&mut bob, shared);
        assert_eq!(bob.score, before, "the words are somebody else's");
        let json = serde_json::to_string(&bob).expect("a grade is plain data");
        assert!(!json.contains("ann"), "{json}");
        assert_eq!(serde_json::from_str::<grade::Grade>(&json).expect("it was just written"), bob);
        rule(&mut bob, (OWN.len() + 1, text.len()));
        assert!(bob.score > before, "these are their own");
    }

    #[test]
    fn of_two_sources_the_nearer_one_counts_and_of_equals_the_first() {
        let longer = format!("{OWN} Nobody misses those Fridays, least of all our operations manager with her pager.");
        let parts = [part("m1", "ann", OWN, 1), part("m2", "bob", &longer, 2), part("m3", "cem", &longer, 3)];
        let found = copies(&parts, &[]);
        assert_eq!(found, [("bob".into(), "ann".into()), ("cem".into(), "bob".into())]);
        let parts = [part("m1", "ann", OWN, 1), part("m2", "bob", OWN, 2), part("m3", "cem", OWN, 3)];
        assert_eq!(copies(&parts, &[]), [("bob".into(), "ann".into()), ("cem".into(), "ann".into())]);
    }

    #[test]
    fn hundreds_of_long_equal_answers_are_compared_in_a_moment() {
        let question = example();
        let text: String = (0..300).map(|n| format!("word{} ", n % 290)).collect();
        let parts: Vec<Part> = (0..200).map(|n| part(&format!("m{n}"), &format!("p{n:03}"), &text, n)).collect();
        let answers = answer::assemble(&parts);
        let answers: Vec<&Answer> = answers.iter().collect();
        let said = said(&parts, &[]);
        // No clock here: what grows with the square of the people is capped.
        let mut people = People::default();
        let mut reader = Reader::of(&question);
        for one in &said {
            let words = reader.read(&one.text);
            people.hear(&one.member, one.at, &words, &reader);
        }
        assert!(people.first.values().all(|first| first.len() <= FIRST));
        let found = find(&question, &answers, &said);
        assert_eq!(found.len(), 199);
        assert!(found.iter().all(|copy| copy.source.as_str() == "p000"));
    }

    #[test]
    fn nothing_said_is_nothing_copied() {
        assert_eq!(copies(&[], &[]), []);
        assert_eq!(copies(&[part("m1", "ann", "", 1), part("m2", "bob", " \u{200b}\n", 2)], &[]), []);
        let emoji = "\u{1f512} ".repeat(60);
        assert_eq!(copies(&[part("m1", "ann", &emoji, 1), part("m2", "bob", &emoji, 2)], &[]), []);
        let other = "уходя гасите свет и закройте дверь на ключ потому что ночью приходит сторож и очень сердится на всех кто забыл";
        assert_eq!(copies(&[part("m1", "ann", other, 1), part("m2", "bob", other, 2)], &[]), pair("bob", "ann"));
    }

    fn texts() -> impl Strategy<Value = String> {
        let word = prop_oneof![
            4 => prop::sample::select(vec!["state", "lock", "folder", "friday", "colleague", "the", "not", "don't", "\u{200b}", "e\u{301}", "שלום", "🔒", "\n\n", ". "])
                .prop_map(str::to_owned),
            2 => "[a-f]{1,2}",
            1 => any::<char>().prop_map(String::from),
        ];
        prop::collection::vec(word, 0..60).prop_map(|words| words.join(" "))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_round_is_marked_alike_whatever_the_order(
            told in prop::collection::vec((0..5_usize, texts(), 0..4_i64, any::<bool>()), 0..12),
            turn in 0..12_usize,
        ) {
            let mut parts = Vec::new();
            let mut versions = Vec::new();
            for (n, (who, text, at, edited)) in told.iter().enumerate() {
                let name = ["ann", "bob", "cem", "dan", "eve"][*who];
                parts.push(part(&format!("m{n}"), name, text, *at));
                if *edited {
                    versions.push(version(&format!("m{n}"), name, "before", *at));
                    versions.push(version(&format!("m{n}"), name, text, *at + 1));
                }
            }
            let (graded, found) = mark_parts(&parts, &versions);
            for one in &graded {
                let Some(copied) = &one.grade.copied else { continue };
                prop_assert!(copied.percent <= 100 && one.grade.score <= 100);
                for (from, to) in &copied.shared {
                    prop_assert!(from < to && one.answer.text.get(*from..*to).is_some());
                }
                prop_assert!(copied.shared.windows(2).all(|pair| pair[0].1 <= pair[1].0));
            }
            let by = turn.min(parts.len());
            parts.rotate_left(by);
            versions.reverse();
            let (_, again) = mark_parts(&parts, &versions);
            prop_assert_eq!(found, again);
        }
    }
}
