//! Grades a free-text answer against the key points of a question. Pure, deterministic, linear in the length of the
//! answer.
//!
//! A key point is covered when enough of its groups of terms are met by different words of two neighbouring sentences.
//! What is denied, what stands in a bare list and what only repeats the question does not count.

mod lexicon;
pub(crate) mod text;

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use self::text::{Class, Stem, Token, UNKNOWN, Vocabulary};
use super::copying::Copied;
use super::question::{KeyPoint, Question};

pub use self::lexicon::Lexicon;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PointState {
    Covered,
    /// Half said: half the weight.
    Unclear,
    Missing,
    /// The answer says the opposite.
    Contradicted,
}

/// Who decided the state of a point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decider {
    #[default]
    Grader,
    /// A language model that the operator has set up.
    Judge,
    /// A member who confirmed a claim, or an organiser.
    Ruling,
}

impl Decider {
    fn is_grader(&self) -> bool {
        *self == Decider::Grader
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointGrade {
    pub state: PointState,
    /// Byte ranges of the answer that counted; sorted, apart from each other, on character boundaries.
    pub spans: Vec<(usize, usize)>,
    /// The first group of `all_of` that is not met; none when the point is covered or has no groups.
    pub missing: Option<usize>,
    #[serde(default, skip_serializing_if = "Decider::is_grader")]
    pub by: Decider,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grade {
    /// 0 to 100.
    pub score: u8,
    /// One a key point, in the order of the question.
    pub points: Vec<PointGrade>,
    /// Some key point has no authored terms, so that words in common had to do.
    pub rough: bool,
    /// The answer is nearly one that somebody else wrote earlier, and counts only with what it adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied: Option<Copied>,
}

/// Grades one answer, knowing nothing of the bank but its question. For many answers of one question, keep the [`Rubric`].
pub fn grade(question: &Question, answer: &str) -> Grade {
    Rubric::of(question, &Lexicon::of([question])).grade(answer)
}

impl Grade {
    /// Counts the score again after the states of some points were changed.
    pub fn recount(&mut self, question: &Question) {
        let left = self.copied.as_ref().map(|copied| copied.left(&self.points));
        let points = left.as_ref().unwrap_or(&self.points);
        self.score = score(question.key_points.iter().map(|point| (u64::from(point.weight), point.required)), points);
    }
}

/// An answer without a required point is worth no more.
const CAP_WITHOUT_REQUIRED: u64 = 59;
/// Words that may stand between two neighbouring words of a term.
const TERM_GAP: usize = 2;
/// Words between the parts of a `contradicts` pattern.
const PATTERN_GAP: usize = 10;

/// The key points of a question, stemmed and indexed by the words that begin a term.
#[derive(Clone, Debug)]
pub struct Rubric {
    vocabulary: Vocabulary,
    points: Vec<Point>,
    terms: Vec<Term>,
    /// Terms by their first stem.
    starts: HashMap<Stem, Vec<usize>>,
}

#[derive(Clone, Debug)]
struct Point {
    weight: u64,
    required: bool,
    rough: bool,
    /// Its terms speak of an absence, so a negation is no reason to void them.
    denial_counts: bool,
    /// It is said of one subject and must not be said of another.
    has_subject: bool,
    ways: Vec<Way>,
}

/// One way to cover a point: `need` of its groups. The first way is `all_of`, each `alt` is a way of one group.
#[derive(Clone, Debug)]
struct Way {
    groups: usize,
    need: usize,
    authored: bool,
}

#[derive(Clone, Debug)]
struct Term {
    point: usize,
    role: Role,
    stems: Vec<Stem>,
    /// Contains its negation.
    denies: bool,
    /// Made of words of the prompt, and so no evidence by itself.
    echo: bool,
}

#[derive(Clone, Debug)]
enum Role {
    Evidence {
        way: usize,
        group: usize,
        /// Which term of its group.
        nth: usize,
    },
    /// The subject a point is said of.
    Subject,
    Rival,
    /// The first part of a `contradicts` pattern, with the parts that follow.
    Contradiction {
        rest: Vec<Vec<Stem>>,
    },
}

/// A term found in an answer: the tokens `first..=last`.
#[derive(Clone, Copy, Debug)]
struct Hit {
    group: usize,
    first: usize,
    last: usize,
    sentence: usize,
    echo: bool,
}

/// What an answer holds for one point.
#[derive(Clone, Debug, Default)]
struct Found {
    /// By way, in the order of the answer.
    hits: Vec<Vec<Hit>>,
    /// Where the subject (true) or a rival (false) is named.
    subjects: Vec<(usize, bool)>,
    contradictions: Vec<Contradiction>,
}

/// A misconception found in an answer: the tokens `first..=last`, with room for other words in `gap`.
#[derive(Clone, Debug)]
struct Contradiction {
    first: usize,
    last: usize,
    gap: std::ops::Range<usize>,
}

impl Rubric {
    pub fn of(question: &Question, _lexicon: &Lexicon) -> Rubric {
        let mut vocabulary = Vocabulary::default();
        let prompt = prompt_stems(&question.prompt, &mut vocabulary);
        let mut rubric = Rubric {
            vocabulary,
            points: Vec::with_capacity(question.key_points.len()),
            terms: Vec::new(),
            starts: HashMap::new(),
        };
        for (index, key_point) in question.key_points.iter().enumerate() {
            let point = if key_point.all_of.is_empty() && key_point.alt.is_empty() {
                rubric.rough_point(index, key_point, question, &prompt)
            } else {
                rubric.authored_point(index, key_point, &prompt)
            };
            rubric.points.push(point);
        }
        for (index, term) in rubric.terms.iter().enumerate() {
            rubric.starts.entry(term.stems[0]).or_default().push(index);
        }
        rubric
    }

    fn authored_point(&mut self, index: usize, key_point: &KeyPoint, prompt: &[Stem]) -> Point {
        let mut ways = Vec::with_capacity(1 + key_point.alt.len());
        let groups = key_point.all_of.len();
        // A point without groups keeps its `alt`s as the only ways.
        let need = key_point.need.unwrap_or(groups).clamp(1, groups.max(1));
        ways.push(Way { groups, need, authored: true });
        let mut denial_counts = false;
        for (group, terms) in key_point.all_of.iter().enumerate() {
            for (nth, term) in terms.iter().enumerate() {
                denial_counts |= self.add(index, Role::Evidence { way: 0, group, nth }, term, prompt);
            }
        }
        for term in &key_point.alt {
            self.add(index, Role::Evidence { way: ways.len(), group: 0, nth: 0 }, term, prompt);
            ways.push(Way { groups: 1, need: 1, authored: true });
        }
        for term in &key_point.about {
            self.add(index, Role::Subject, term, prompt);
        }
        for term in &key_point.rivals {
            self.add(index, Role::Rival, term, prompt);
        }
        self.add_contradictions(index, key_point, prompt);
        Point {
            weight: u64::from(key_point.weight),
            required: key_point.required,
            rough: false,
            denial_counts,
            has_subject: !key_point.about.is_empty() && !key_point.rivals.is_empty(),
            ways,
        }
    }

    /// A point without terms: words in common with its text, or with the sentence of the model answer that is next to it.
    fn rough_point(&mut self, index: usize, key_point: &KeyPoint, question: &Question, prompt: &[Stem]) -> Point {
        let wanted = self.content_stems(&key_point.text, prompt);
        let mut ways = Vec::new();
        let mut denial_counts = text::words(&key_point.text).iter().any(|word| word.class().denies());
        // Three words of five are enough: a text of its own words seldom shares more.
        ways.push(self.rough_way(index, ways.len(), &wanted, (wanted.len() * 3).div_ceil(5)));
        if let Some((nearest, denies)) = self.nearest_sentence(&question.model_answer, &wanted, prompt) {
            denial_counts |= denies;
            ways.push(self.rough_way(index, ways.len(), &nearest, (nearest.len() * 3).div_ceil(5)));
        }
        self.add_contradictions(index, key_point, prompt);
        Point {
            weight: u64::from(key_point.weight),
            required: key_point.required,
            rough: true,
            denial_counts,
            has_subject: false,
            ways,
        }
    }

    fn rough_way(&mut self, point: usize, way: usize, stems: &[Stem], need: usize) -> Way {
        for (group, stem) in stems.iter().enumerate() {
            let role = Role::Evidence { way, group, nth: 0 };
            self.terms.push(Term { point, role, stems: vec![*stem], denies: false, echo: false });
        }
        Way { groups: stems.len(), need: need.max(1), authored: false }
    }

    /// The different content words of a text that the prompt does not have.
    fn content_stems(&mut self, text: &str, prompt: &[Stem]) -> Vec<Stem> {
        let mut stems = Vec::new();
        for word in text::words(text).iter().filter(|word| word.class() == Class::Content) {
            let stem = self.vocabulary.learn(&word.text);
            if !prompt.contains(&stem) && !stems.contains(&stem) {
                stems.push(stem);
            }
        }
        stems
    }

    /// The sentence of the model answer with the most of the wanted words, as stems, and whether it denies something.
    fn nearest_sentence(&mut self, model: &str, wanted: &[Stem], prompt: &[Stem]) -> Option<(Vec<Stem>, bool)> {
        let tokens = text::read(model, &self.vocabulary);
        let mut best: Option<(usize, &[Token])> = None;
        for sentence in tokens.chunk_by(|a, b| a.sentence == b.sentence) {
            let shared = wanted.iter().filter(|stem| sentence.iter().any(|token| token.stem == **stem)).count();
            if shared > best.map_or(0, |(most, _)| most) {
                best = Some((shared, sentence));
            }
        }
        let (_, sentence) = best?;
        let text = &model[sentence[0].start..sentence[sentence.len() - 1].end];
        let denies = sentence.iter().any(|token| token.class.denies());
        Some((self.content_stems(text, prompt), denies))
    }

    fn add_contradictions(&mut self, index: usize, key_point: &KeyPoint, prompt: &[Stem]) {
        for pattern in &key_point.contradicts {
            let mut parts = pattern.split("..").map(str::trim).filter(|part| !part.is_empty());
            let Some(first) = parts.next() else { continue };
            let rest: Vec<&str> = parts.collect();
            let denies = text::words(pattern).iter().any(|word| word.class().denies());
            let rest = rest.iter().map(|part| self.learn(part)).filter(|stems| !stems.is_empty()).collect();
            let before = self.terms.len();
            self.add(index, Role::Contradiction { rest }, first, prompt);
            for term in &mut self.terms[before..] {
                term.denies = denies;
            }
        }
    }

    fn learn(&mut self, term: &str) -> Vec<Stem> {
        text::words(term).iter().map(|word| self.vocabulary.learn(&word.text)).collect()
    }

    /// Adds a term with its joined spellings; true if it contains a negation.
    fn add(&mut self, point: usize, role: Role, term: &str, prompt: &[Stem]) -> bool {
        let words: Vec<String> = text::words(term).into_iter().map(|word| word.text).collect();
        let denies = words.iter().any(|word| text::class(word).denies());
        let mut spellings = vec![words.clone()];
        match words.as_slice() {
            [] => return false,
            [a, b] => spellings.push(vec![format!("{a}{b}")]),
            [a, b, c] => {
                spellings.push(vec![format!("{a}{b}"), c.clone()]);
                spellings.push(vec![a.clone(), format!("{b}{c}")]);
                spellings.push(vec![format!("{a}{b}{c}")]);
            }
            _ => {}
        }
        // "multi-stage" echoes a prompt that says "multistage", so all spellings are echoes if one is.
        let spellings: Vec<Vec<Stem>> =
            spellings.iter().map(|words| words.iter().map(|word| self.vocabulary.learn(word)).collect()).collect();
        let echo = spellings.iter().any(|stems: &Vec<Stem>| stems.iter().all(|stem| prompt.contains(stem)));
        for stems in spellings {
            self.terms.push(Term { point, role: role.clone(), stems, denies, echo });
        }
        denies
    }

    pub fn grade(&self, answer: &str) -> Grade {
        let tokens = text::read(answer, &self.vocabulary);
        let points: Vec<PointGrade> =
            self.search(&tokens).iter().zip(&self.points).map(|(found, point)| point.grade(found, &tokens)).collect();
        let weights = self.points.iter().map(|point| (point.weight, point.required));
        Grade {
            score: score(weights, &points),
            points,
            rough: self.points.iter().any(|point| point.rough),
            copied: None,
        }
    }

    /// The authored groups, as (key point, group), that no word of a text meets, wherever it stands.
    pub(crate) fn unmet_groups(&self, text: &str) -> Vec<(usize, usize)> {
        let tokens = text::read(text, &self.vocabulary);
        let mut unmet = Vec::new();
        for (index, (found, point)) in self.search(&tokens).iter().zip(&self.points).enumerate() {
            let way = &point.ways[0];
            let is_met = |group: &usize| found.hits[0].iter().any(|hit| hit.group == *group);
            unmet.extend((0..way.groups).filter(|group| way.authored && !is_met(group)).map(|group| (index, group)));
        }
        unmet
    }

    /// The terms of `all_of` that the prompt already says, as (key point, group, term).
    pub(crate) fn echoes(&self) -> BTreeSet<(usize, usize, usize)> {
        let place = |term: &Term| match term.role {
            Role::Evidence { way: 0, group, nth } if term.echo => Some((term.point, group, nth)),
            _ => None,
        };
        self.terms.iter().filter_map(place).collect()
    }

    fn search(&self, tokens: &[Token]) -> Vec<Found> {
        let mut found: Vec<Found> = self
            .points
            .iter()
            .map(|point| Found { hits: vec![Vec::new(); point.ways.len()], ..Found::default() })
            .collect();
        for at in 0..tokens.len() {
            let token = &tokens[at];
            // A word can begin one term alone and another together with its neighbour.
            for stem in [token.stem, token.joined].into_iter().filter(|stem| *stem != UNKNOWN) {
                for term in self.starts.get(&stem).into_iter().flatten().map(|index| &self.terms[*index]) {
                    let Some(last) = match_stems(tokens, at, &term.stems) else { continue };
                    self.note(&mut found[term.point], term, tokens, at, last);
                }
            }
        }
        for (found, point) in found.iter_mut().zip(&self.points) {
            if point.has_subject {
                let Found { hits, subjects, contradictions } = found;
                for hits in hits {
                    hits.retain(|hit| is_said_of_subject(hit, subjects, tokens));
                }
                // "RTO is the downtime and RPO the data loss" says nothing about the data loss of an RTO.
                contradictions.retain(|found| {
                    let from = subjects.partition_point(|(at, _)| *at < found.gap.start);
                    !subjects[from..].iter().take_while(|(at, _)| *at < found.gap.end).any(|(_, right)| !right)
                });
            }
        }
        found
    }

    fn note(&self, found: &mut Found, term: &Term, tokens: &[Token], first: usize, last: usize) {
        let counts = |range: &[Token], denial_counts: bool| {
            range.iter().all(|token| !token.salad && (denial_counts || !token.denied))
        };
        match &term.role {
            Role::Evidence { way, group, .. } => {
                if counts(&tokens[first..=last], term.denies || self.points[term.point].denial_counts) {
                    let hit = Hit { group: *group, first, last, sentence: tokens[first].sentence, echo: term.echo };
                    // "lock file" and "lockfile" are found in the same place.
                    let mut here = found.hits[*way].iter().rev().take_while(|known| known.first == first);
                    if !here.any(|known| (known.group, known.last) == (*group, last)) {
                        found.hits[*way].push(hit);
                    }
                }
            }
            Role::Subject => found.subjects.push((first, true)),
            Role::Rival => found.subjects.push((first, false)),
            Role::Contradiction { rest } => {
                if let Some((gap_end, end)) = match_rest(tokens, last, rest)
                    && counts(&tokens[first..=end], term.denies)
                {
                    found.contradictions.push(Contradiction { first, last: end, gap: last + 1..gap_end });
                }
            }
        }
    }
}

impl Point {
    fn grade(&self, found: &Found, tokens: &[Token]) -> PointGrade {
        if !found.contradictions.is_empty() {
            let spans = spans(found.contradictions.iter().map(|found| (found.first, found.last)), tokens);
            return PointGrade { state: PointState::Contradicted, spans, missing: None, by: Decider::Grader };
        }
        let mut best = PointGrade { state: PointState::Missing, spans: Vec::new(), missing: None, by: Decider::Grader };
        let mut best_met = vec![None; self.ways[0].groups];
        for (index, way) in self.ways.iter().enumerate() {
            let met = way.meet(&found.hits[index]);
            let state = way.state(&met);
            if index == 0 {
                best_met.clone_from(&met);
            }
            if rank(state) > rank(best.state) {
                best.state = state;
                best.spans = spans(met.iter().flatten().map(|hit| (hit.first, hit.last)), tokens);
            }
        }
        if best.state != PointState::Covered && self.ways[0].authored {
            best.missing = best_met.iter().position(Option::is_none);
        }
        best
    }
}

impl Way {
    /// The best choice of hits, one a group, within two neighbouring sentences.
    fn meet(&self, hits: &[Hit]) -> Vec<Option<Hit>> {
        let mut best = vec![None; self.groups];
        let mut most = 0;
        let mut start = 0;
        while start < hits.len() && most < self.groups {
            let sentence = hits[start].sentence;
            let here = hits[start..].iter().take_while(|hit| hit.sentence == sentence).count();
            let window = hits[start..].iter().take_while(|hit| hit.sentence <= sentence + 1).count();
            let met = self.assign(&hits[start..start + window]);
            let count = met.iter().flatten().count();
            if count > most && met.iter().flatten().any(|hit| !hit.echo) {
                (best, most) = (met, count);
            }
            start += here;
        }
        best
    }

    /// Gives each group a hit of its own, the groups with the fewest hits first. What is not an echo of the prompt is
    /// preferred.
    fn assign(&self, window: &[Hit]) -> Vec<Option<Hit>> {
        let mut counts = vec![0_usize; self.groups];
        for hit in window {
            counts[hit.group] += 1;
        }
        let mut order: Vec<usize> = (0..self.groups).filter(|group| counts[*group] > 0).collect();
        order.sort_by_key(|group| counts[*group]);
        let mut met: Vec<Option<Hit>> = vec![None; self.groups];
        for group in order {
            let is_free = |hit: &&Hit| {
                hit.group == group
                    && !met.iter().flatten().any(|taken| hit.first <= taken.last && taken.first <= hit.last)
            };
            let free = window.iter().filter(is_free);
            met[group] = free.clone().find(|hit| !hit.echo).or_else(|| free.clone().next()).copied();
        }
        met
    }

    fn state(&self, met: &[Option<Hit>]) -> PointState {
        let count = met.iter().flatten().count();
        match count {
            _ if count >= self.need => PointState::Covered,
            _ if count > 0 && 2 * count >= self.need => PointState::Unclear,
            _ => PointState::Missing,
        }
    }
}

/// Weighted coverage in whole numbers: an unclear point is worth half, and halves of a point are rounded up. `weights`: each
/// point's weight, and whether it is required.
fn score(weights: impl Iterator<Item = (u64, bool)>, points: &[PointGrade]) -> u8 {
    let (mut total, mut reached, mut cap) = (0, 0, 100);
    for ((weight, required), grade) in weights.zip(points) {
        total += 2 * weight;
        reached += match grade.state {
            PointState::Covered => 2 * weight,
            PointState::Unclear => weight,
            PointState::Missing | PointState::Contradicted => 0,
        };
        if required && matches!(grade.state, PointState::Missing | PointState::Contradicted) {
            cap = CAP_WITHOUT_REQUIRED;
        }
    }
    if total == 0 {
        return 0;
    }
    let score: u64 = (200 * reached + total) / (2 * total);
    u8::try_from(score.min(cap)).unwrap_or(100)
}

fn rank(state: PointState) -> u8 {
    match state {
        PointState::Covered => 2,
        PointState::Unclear => 1,
        PointState::Missing | PointState::Contradicted => 0,
    }
}

/// The stems of a prompt, with those of neighbours written as one.
fn prompt_stems(prompt: &str, vocabulary: &mut Vocabulary) -> Vec<Stem> {
    let words = text::words(prompt);
    let mut stems: Vec<Stem> = words.iter().map(|word| vocabulary.learn(&word.text)).collect();
    stems.extend(words.windows(2).map(|pair| vocabulary.learn(&format!("{}{}", pair[0].text, pair[1].text))));
    stems
}

/// The last token of a term that begins at `at`: its stems in order, in one sentence, with small gaps.
fn match_stems(tokens: &[Token], at: usize, stems: &[Stem]) -> Option<usize> {
    let mut last = step(tokens, at, stems[0])?;
    for stem in &stems[1..] {
        let next = (last + 1..tokens.len()).take(TERM_GAP + 1);
        let mut reached = next.take_while(|i| tokens[*i].sentence == tokens[at].sentence);
        last = reached.find_map(|i| step(tokens, i, *stem))?;
    }
    Some(last)
}

/// The last token of a stem that begins at `at`: the same one, or the next if the two are written apart.
fn step(tokens: &[Token], at: usize, stem: Stem) -> Option<usize> {
    match tokens[at] {
        token if token.stem == stem => Some(at),
        token if token.joined == stem => Some(at + 1),
        _ => None,
    }
}

/// The first token of the last part of a pattern and its last token. The parts follow `last` in order, in the same clause;
/// a conjunction of the pattern, the "unless" of "open .. unless", may open the next one.
fn match_rest(tokens: &[Token], mut last: usize, rest: &[Vec<Stem>]) -> Option<(usize, usize)> {
    let mut start = last + 1;
    for part in rest {
        let clause = tokens[last].clause;
        let may_begin = |i: usize| match tokens[i].clause - clause {
            0 => true,
            1 => tokens[i - 1].clause == clause && tokens[i].class == Class::Function,
            _ => false,
        };
        let reached = (last + 1..tokens.len()).take(PATTERN_GAP + 1).filter(|i| may_begin(*i));
        (start, last) = reached.into_iter().find_map(|i| {
            let end = match_stems(tokens, i, part)?;
            (tokens[end].clause == tokens[i].clause).then_some((i, end))
        })?;
    }
    Some((start, last))
}

/// Whether the subject named last before a hit is the right one. A hit before all names belongs to the first of its
/// clause, and a hit without any name in its sentence or the one before is given the benefit of the doubt.
fn is_said_of_subject(hit: &Hit, subjects: &[(usize, bool)], tokens: &[Token]) -> bool {
    let behind = subjects.partition_point(|(at, _)| *at <= hit.last);
    let before = subjects[..behind].last().filter(|(at, _)| tokens[*at].sentence + 1 >= hit.sentence);
    let same_clause = |at: usize| tokens[at].clause == tokens[hit.first].clause;
    let after = subjects.get(behind).filter(|(at, _)| same_clause(*at));
    match (before, after) {
        (Some((at, _)), Some((_, right))) if !same_clause(*at) => *right,
        (Some((_, right)), _) | (None, Some((_, right))) => *right,
        (None, None) => true,
    }
}

/// The byte ranges of runs of tokens, sorted, those that overlap made one.
fn spans(runs: impl Iterator<Item = (usize, usize)>, tokens: &[Token]) -> Vec<(usize, usize)> {
    let mut spans: Vec<(usize, usize)> = runs.map(|(first, last)| (tokens[first].start, tokens[last].end)).collect();
    spans.sort_unstable();
    let mut apart: Vec<(usize, usize)> = Vec::with_capacity(spans.len());
    for span in spans {
        match apart.last_mut() {
            Some(before) if span.0 < before.1 => before.1 = before.1.max(span.1),
            _ => apart.push(span),
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::bank::tests::example;

    /// A key point in short: `groups` parted by `;`, terms by `,`.
    fn point(groups: &str) -> KeyPoint {
        let terms = |group: &str| group.split(',').map(|term| term.trim().to_owned()).collect();
        KeyPoint {
            text: "a point".to_owned(),
            weight: 1,
            all_of: groups.split(';').filter(|group| !group.trim().is_empty()).map(terms).collect(),
            alt: Vec::new(),
            need: None,
            about: Vec::new(),
            rivals: Vec::new(),
            required: false,
            contradicts: Vec::new(),
        }
    }

    fn question(prompt: &str, key_points: Vec<KeyPoint>) -> Question {
        Question { prompt: prompt.to_owned(), key_points, ..example() }
    }

    fn owned(items: &[&str]) -> Vec<String> {
        items.iter().map(|item| (*item).to_owned()).collect()
    }

    /// The state of one point and the words that counted.
    #[track_caller]
    fn check(point: &KeyPoint, answer: &str, expect: PointState, counted: &[&str]) {
        let grade = grade(&question("How is the state kept?", vec![point.clone()]), answer);
        let words: Vec<&str> = grade.points[0].spans.iter().map(|(start, end)| &answer[*start..*end]).collect();
        assert_eq!((grade.points[0].state, words.as_slice()), (expect, counted), "{answer:?}");
    }

    use PointState::{Contradicted, Covered, Missing, Unclear};

    #[test]
    fn a_term_counts_in_any_form() {
        let versions = point("version, history");
        check(&versions, "The bucket has Versioning on", Covered, &["Versioning"]);
        check(&versions, "VERSIONED", Covered, &["VERSIONED"]);
        check(&versions, "ver\u{200b}sions", Covered, &["ver\u{200b}sions"]);
        check(&versions, "a perversion", Missing, &[]);
        check(&point("die"), "the task is dying", Covered, &["dying"]);
    }

    #[test]
    fn a_term_of_several_words_allows_small_gaps_in_order() {
        let policy = point("bucket policy, acl");
        check(&policy, "a bucket policy", Covered, &["bucket policy"]);
        check(&policy, "the bucket has its policy", Covered, &["bucket has its policy"]);
        check(&policy, "the bucket has its own policy", Missing, &[]);
        check(&policy, "a policy for the bucket", Missing, &[]);
        check(&policy, "a bucket. Policy matters", Missing, &[]);
        check(&point("0.0.0.0/0"), "a route 0.0.0.0/0 to it", Covered, &["0.0.0.0/0"]);
    }

    #[test]
    fn hyphens_make_no_difference() {
        for term in ["multi-stage", "multistage", "multi stage"] {
            for answer in ["multi-stage", "multistage", "multi stage", "Multi_Stages"] {
                check(&point(term), answer, Covered, &[answer]);
            }
        }
        for answer in ["use_lockfile", "use lock file", "uselockfile"] {
            check(&point("use_lockfile"), answer, Covered, &[answer]);
        }
    }

    #[test]
    fn groups_are_met_by_different_words_of_two_neighbouring_sentences() {
        let split = point("split, separate; environment, service");
        check(&split, "Split it. One for each service.", Covered, &["Split", "service"]);
        check(&split, "Split it. That is all. One for each service.", Unclear, &["Split"]);
        check(&point("per environment; environment"), "one per environment", Unclear, &["per environment"]);
        check(&point("blue; blue, green"), "blue or green", Covered, &["blue", "green"]);
        check(&point("blue, green; blue"), "blue or green", Covered, &["blue", "green"]);
        let three = point("a1; b1; c1");
        check(&three, "a1 only", Missing, &[]);
        check(&three, "a1 and b1", Unclear, &["a1", "b1"]);
        check(&KeyPoint { need: Some(2), ..three }, "a1 and b1", Covered, &["a1", "b1"]);
    }

    #[test]
    fn the_first_group_that_is_not_met_is_named() {
        let missing = |answer: &str| {
            grade(&question("Why?", vec![point("a1; b1; c1"), point("d1")]), answer)
                .points
                .into_iter()
                .map(|point| point.missing)
                .collect::<Vec<_>>()
        };
        assert_eq!(missing("nothing of it"), [Some(0), Some(0)]);
        assert_eq!(missing("c1 and a1, d1"), [Some(1), None]);
        assert_eq!(missing("a1, b1, c1"), [None, Some(0)]);
    }

    #[test]
    fn what_is_denied_does_not_count() {
        let encrypted = point("encrypt, kms");
        check(&encrypted, "it is encrypted", Covered, &["encrypted"]);
        for answer in [
            "it is not encrypted",
            "it isn't encrypted",
            "it isn’t encrypted",
            "never use KMS",
            "no encryption at all",
            "it works without encryption",
            "you cannot encrypt it",
            "encryption is not needed",
        ] {
            check(&encrypted, answer, Missing, &[]);
        }
        check(&encrypted, "it is not public, but encrypted", Covered, &["encrypted"]);
        check(&encrypted, "not only encrypted", Covered, &["encrypted"]);
        check(&encrypted, "It is not free. Encryption is on.", Covered, &["Encryption"]);
    }

    #[test]
    fn a_term_with_its_negation_wants_it() {
        let unneeded = point("not needed, superfluous");
        check(&unneeded, "a lock is not needed", Covered, &["not needed"]);
        check(&unneeded, "a lock is needed", Missing, &[]);
        let keyless = point("no, without, never; key, secret");
        check(&keyless, "there are no keys", Covered, &["no", "keys"]);
        check(&keyless, "there are keys", Unclear, &["keys"]);
    }

    #[test]
    fn words_of_the_prompt_alone_are_no_evidence() {
        let state = point("state, bucket; kept, stored");
        check(&state, "The state is kept.", Missing, &[]);
        check(&state, "The state is stored.", Covered, &["state", "stored"]);
        assert_eq!(grade(&question("How is the state kept?", vec![state.clone()]), "How is the state kept?").score, 0);
    }

    #[test]
    fn another_complete_way_to_say_it_covers_alone() {
        let point = KeyPoint { alt: owned(&["pod identity"]), ..point("role; service account; token") };
        check(&point, "With Pod Identity.", Covered, &["Pod Identity"]);
        check(&point, "A role for the service account.", Unclear, &["role", "service account"]);
    }

    #[test]
    fn a_misconception_is_recognised() {
        let dynamo = KeyPoint { contradicts: owned(&["dynamodb .. recommended"]), ..point("deprecated, old") };
        check(
            &dynamo,
            "DynamoDB is the recommended way, not the old one",
            Contradicted,
            &["DynamoDB is the recommended"],
        );
        check(&dynamo, "DynamoDB is old and not recommended", Covered, &["old"]);
        check(&dynamo, "DynamoDB is old, recommended is the lock file", Covered, &["old"]);
        check(&dynamo, "Recommended is not what DynamoDB is, it is old", Covered, &["old"]);
        let far = "DynamoDB is for all of us here the way to be recommended";
        check(&dynamo, far, Contradicted, &[far]);
        check(&dynamo, &far.replace("way", "only way"), Missing, &[]);
        let unless = KeyPoint { contradicts: owned(&["open .. unless"]), ..point("kms") };
        check(&unless, "it is open to all unless you close it", Contradicted, &["open to all unless"]);
        let open = KeyPoint { contradicts: owned(&["not .. encrypted"]), ..point("kms") };
        check(&open, "It need not be encrypted with KMS", Contradicted, &["not be encrypted"]);
    }

    #[test]
    fn a_swapped_claim_does_not_count() {
        let rto = KeyPoint {
            about: owned(&["rto"]),
            rivals: owned(&["rpo"]),
            contradicts: owned(&["rto .. data loss"]),
            ..point("downtime, outage")
        };
        check(&rto, "RTO is the downtime", Covered, &["downtime"]);
        check(&rto, "RPO is the downtime", Missing, &[]);
        check(&rto, "the downtime is the RPO", Missing, &[]);
        check(&rto, "It is about downtime", Covered, &["downtime"]);
        check(&rto, "RTO is the downtime and RPO the data loss", Covered, &["downtime"]);
        check(&rto, "RTO is the data loss and RPO the downtime", Contradicted, &["RTO is the data loss"]);
        let rotation = KeyPoint {
            about: owned(&["secrets manager"]),
            rivals: owned(&["parameter store"]),
            contradicts: owned(&["rotation .. parameter store"]),
            ..point("rotation")
        };
        check(&rotation, "rotation is in Parameter Store", Contradicted, &["rotation is in Parameter Store"]);
    }

    #[test]
    fn a_bare_list_of_terms_is_worth_nothing() {
        let backend = point("backend, bucket");
        let list = "remote backend s3 bucket versioning encryption kms iam least privilege split state";
        check(&backend, list, Missing, &[]);
        check(&backend, "remote backend s3 bucket", Covered, &["backend"]);
    }

    fn score_of(weights: &[(u8, bool)], answer: &str) -> u8 {
        let points = weights.iter().enumerate().map(|(i, (weight, required))| KeyPoint {
            weight: *weight,
            required: *required,
            ..point(&format!("p{i}; q{i}"))
        });
        grade(&question("Why?", points.collect()), answer).score
    }

    #[test]
    fn the_score_is_the_covered_share_of_the_weights() {
        let points = [(3, false), (2, false), (1, false)];
        assert_eq!(score_of(&points, "p0 q0. p1 q1. p2 q2."), 100);
        assert_eq!(score_of(&points, "p0 q0."), 50);
        assert_eq!(score_of(&points, "p1 q1."), 33);
        assert_eq!(score_of(&points, "p1 q1. p2 q2. p0"), 75);
        assert_eq!(score_of(&points, "p2"), 8);
        assert_eq!(score_of(&points, ""), 0);
        assert_eq!(score_of(&[], "p0"), 0);
        assert_eq!(score_of(&[(0, false)], "p0 q0"), 0);
    }

    #[test]
    fn without_a_required_point_59_is_the_most() {
        let points = [(1, true), (3, false)];
        assert_eq!(score_of(&points, "p1 q1."), 59);
        assert_eq!(score_of(&points, "p0. p1 q1."), 88);
        assert_eq!(score_of(&points, "p0 q0. p1 q1."), 100);
        assert_eq!(score_of(&[(1, true), (1, false)], "p1 q1."), 50);
    }

    #[test]
    fn a_draft_is_graded_by_words_in_common() {
        let draft = |answer: &str| {
            let mut question = example();
            question.key_points.iter_mut().for_each(|point| point.all_of.clear());
            let grade = grade(&question, answer);
            assert!(grade.rough);
            assert!(grade.points.iter().all(|point| point.missing.is_none()));
            grade.score
        };
        let example = example();
        assert_eq!(draft(&example.model_answer), 100);
        assert_eq!(draft(&example.prompt), 0);
        assert_eq!(draft("I would ask a colleague."), 0);
        // One of three points, of weight 3 of 6.
        assert_eq!(draft("AWS keeps the state and runs one operation on a stack at a time."), 50);
        // Three words of five are enough, and half of those for half the point.
        assert_eq!(draft("AWS keeps the state of a stack and runs it."), 50);
        assert_eq!(draft("AWS keeps the state of it."), 25);
        assert_eq!(draft("AWS keeps the peace."), 0);
        assert!(!grade(&example, "no").rough);
    }

    #[test]
    fn the_example_is_graded_as_its_author_expects() {
        let example = example();
        assert_eq!(grade(&example, &example.model_answer).score, 100);
        assert_eq!(grade(&example, &example.prompt).score, 0);
        for sample in &example.samples {
            let grade = grade(&example, &sample.text);
            let covered: Vec<f64> = grade.points.iter().map(|p| f64::from(rank(p.state)) / 2.0).collect();
            assert_eq!(covered, sample.covered, "{}: {grade:?}", sample.text);
        }
    }

    #[test]
    fn a_grade_survives_storage() {
        let example = example();
        let grade = grade(&example, &example.samples[2].text);
        let json = serde_json::to_string(&grade).expect("a grade is plain data");
        assert!(json.contains("\"contradicted\""), "{json}");
        assert_eq!(serde_json::from_str::<Grade>(&json).expect("it was just written"), grade);
    }

    /// Words of the example's terms, glue, and what people paste: other scripts, right-to-left, emoji, invisible characters.
    fn pieces() -> impl Strategy<Value = String> {
        let words = prop::sample::select(vec![
            "S3",
            "backend",
            "use_lockfile",
            "dynamodb",
            "recommended",
            "must",
            "old",
            "one",
            "operation",
            "at a time",
            "not",
            "don't",
            "can’t",
            "no",
            "without",
            "if",
            "but",
            "and",
            "service",
            "lock file",
            "ünïcode",
            "שלום",
            "مرحبا",
            "🔒",
            "👩\u{200d}💻",
            "\u{200b}",
            "\u{202e}",
            "\u{0}",
            "\n",
            "\n\n- ",
            ". ",
            ", ",
            "; ",
            "'",
            "’t",
            "n't",
            "e\u{301}",
            "中文",
            "->",
            "1.",
            "İ",
        ]);
        let piece = prop_oneof![4 => words.prop_map(str::to_owned), 1 => "\\PC{0,3}", 1 => any::<char>().prop_map(String::from)];
        let separator = prop::sample::select(vec![" ", "", "-"]);
        prop::collection::vec((piece, separator), 0..80)
            .prop_map(|pieces| pieces.into_iter().map(|(piece, separator)| piece + separator).collect())
    }

    fn check_any(question: &Question, answer: &str) -> Result<(), TestCaseError> {
        let grade = grade(question, answer);
        prop_assert!(grade.score <= 100);
        prop_assert_eq!(grade.points.len(), question.key_points.len());
        for point in &grade.points {
            prop_assert_eq!(point.state == Missing, point.spans.is_empty());
            for (start, end) in &point.spans {
                prop_assert!(start < end);
                prop_assert!(answer.get(*start..*end).is_some(), "{start}..{end} of {answer:?}");
            }
            prop_assert!(point.spans.windows(2).all(|pair| pair[0].1 <= pair[1].0));
        }
        prop_assert_eq!(&super::grade(question, answer), &grade);
        Ok(())
    }

    proptest! {
        #[test]
        fn any_answer_gets_a_grade(answer in pieces()) {
            check_any(&example(), &answer)?;
            let mut draft = example();
            draft.key_points.iter_mut().for_each(|point| point.all_of.clear());
            check_any(&draft, &answer)?;
        }

        #[test]
        fn any_question_can_be_graded(terms in prop::collection::vec(pieces(), 1..6), prompt in pieces(), answer in pieces()) {
            let mut question = example();
            question.prompt = prompt;
            let point = &mut question.key_points[0];
            point.need = Some(terms.len() * 3);
            point.about = terms[..terms.len() / 2].to_vec();
            point.rivals = terms.clone();
            point.alt = terms.clone();
            point.contradicts = terms.iter().map(|term| format!("{term} .. {term}")).collect();
            point.all_of = vec![terms, Vec::new()];
            check_any(&question, &answer)?;
        }
    }
}
