//! What is wrong with an answer as a whole, whatever terms stand in it.

use std::collections::{HashMap, HashSet};

use super::Guard;
use super::rubric::Rubric;
use super::search::Found;
use super::text::{Class, Token, Word};
use super::words::{cannot_follow_article, is_article, is_auxiliary, is_conjunction, is_preposition};

/// Longer answers are worth less the longer they are: nobody speaks for more than six minutes. A model answer has 150 to 300.
pub(super) const LONG_WORDS: u64 = 900;
/// Of the runs of words of an answer, how many percent another model answer may share, from how many words on.
const PASTED_PERCENT: u32 = 50;
const PASTED_WORDS: usize = 40;
/// So many places where an article or a preposition stands are needed to judge the order of words; a share of wrong ones in percent.
const ORDER_PLACES: usize = 8;
const DISORDER_PERCENT: usize = 15;
/// So many joints between terms are needed to judge them; the share in percent of those that say the same as others.
const JOINTS: usize = 6;
const SAME_JOINTS_PERCENT: usize = 65;
/// A joint of more words is a sentence of its own.
const JOINT_WORDS: usize = 9;
/// From so many words on, so many percent of them in terms, in clauses of more words than this, are no sentences.
const MANY_TERMS: usize = 25;
const TERMS_PERCENT: usize = 80;
const CLAUSE_WORDS: usize = 6;
/// A clause of so few words says nothing of its term; a function word in so many clauses is none to speak of.
const SHORT_CLAUSE: usize = 3;
const GLUE_CLAUSES: usize = 8;
/// So many such clauses make a list whatever their words.
const LONG_LIST: usize = 10;
/// So many clauses make a list.
const LIST_CLAUSES: usize = 6;

pub(super) fn of(rubric: &Rubric, answer: &str, words: &[Word], tokens: &[Token], found: &[Found]) -> Option<Guard> {
    let marked = marks(tokens, found);
    if words.len() >= PASTED_WORDS
        && rubric.lexicon.pasted(words, &rubric.question).is_some_and(|(_, percent)| percent >= PASTED_PERCENT)
    {
        return Some(Guard::Pasted);
    }
    if is_shuffled(answer, words) {
        return Some(Guard::Shuffled);
    }
    if is_glued(tokens, words, &marked) || is_nothing_but_terms(tokens, &marked) {
        return Some(Guard::Glued);
    }
    let count = u32::try_from(words.len()).unwrap_or(u32::MAX);
    if u64::from(count) > LONG_WORDS {
        return Some(Guard::TooLong { words: count });
    }
    if is_list(rubric, answer, tokens, found, &marked) {
        return Some(Guard::List);
    }
    is_echo(rubric, tokens).then_some(Guard::Echo)
}

/// Which tokens are part of a term of some point.
fn marks(tokens: &[Token], found: &[Found]) -> Vec<bool> {
    let mut edges = vec![0_i32; tokens.len() + 1];
    for (first, last) in found.iter().flat_map(|found| &found.marks) {
        edges[*first] += 1;
        edges[last + 1] -= 1;
    }
    let mut depth = 0;
    edges[..tokens.len()]
        .iter()
        .map(|edge| {
            depth += edge;
            depth > 0
        })
        .collect()
}

/// Articles and prepositions stand before what cannot follow them, too often for slips.
fn is_shuffled(answer: &str, words: &[Word]) -> bool {
    let (mut places, mut wrong) = (0, 0);
    for (at, word) in words.iter().enumerate() {
        let next = words.get(at + 1);
        let cut = next.is_none_or(|next| answer[word.end..next.start].contains(['.', '!', '?', ';', ',', ':']));
        let next = next.map_or("", |next| next.text.as_str());
        if is_article(&word.text) {
            places += 1;
            wrong += usize::from(cut || cannot_follow_article(next));
        } else if is_preposition(&word.text) {
            places += 1;
            wrong += usize::from(cut || is_auxiliary(next) || is_conjunction(next));
        }
    }
    places >= ORDER_PLACES && wrong * 100 >= DISORDER_PERCENT * places
}

/// The words between terms are the same again and again: "X and the Y and the Z", "It is about X and has to do with Y".
fn is_glued(tokens: &[Token], words: &[Word], marked: &[bool]) -> bool {
    let mut joints: Vec<Vec<&str>> = Vec::new();
    let mut joint: Option<Vec<&str>> = None;
    for (token, marked) in tokens.iter().zip(marked) {
        if *marked {
            joints.extend(joint.take().filter(|joint| joint.len() >= 2));
            joint = Some(Vec::new());
        } else if let Some(joint) = &mut joint {
            joint.push(words[token.word].text.as_str());
        }
    }
    let total = joints.len();
    let mut counts: HashMap<&[&str], usize> = HashMap::new();
    for joint in joints.iter().filter(|joint| joint.len() <= JOINT_WORDS) {
        *counts.entry(joint.as_slice()).or_default() += 1;
    }
    let again: usize = counts.into_values().filter(|count| *count >= 3).sum();
    total >= JOINTS && again * 100 >= SAME_JOINTS_PERCENT * total
}

/// Terms one after the other, without a stop or a word between them.
fn is_nothing_but_terms(tokens: &[Token], marked: &[bool]) -> bool {
    let (total, terms) = (tokens.len(), marked.iter().filter(|marked| **marked).count());
    let clauses = tokens.last().map_or(0, |token| token.clause + 1);
    total >= MANY_TERMS && terms * 100 >= TERMS_PERCENT * total && clauses * CLAUSE_WORDS < total
}

/// Clause after clause is a term and nothing else, and several terms say the same.
fn is_list(rubric: &Rubric, answer: &str, tokens: &[Token], found: &[Found], marked: &[bool]) -> bool {
    let all = tokens.last().map_or(0, |token| token.clause + 1);
    let (mut clauses, mut bare) = (0, 0);
    let mut start = 0;
    let mut glue = 0;
    while start < tokens.len() {
        let length = tokens[start..].iter().take_while(|token| token.clause == tokens[start].clause).count();
        let here = start..start + length;
        let is_known =
            |at: usize| marked[at] || tokens[at].class != Class::Content || rubric.prompt.contains(&tokens[at].stem);
        let functions = here.clone().filter(|at| !marked[*at] && tokens[*at].class != Class::Content).count();
        glue += functions;
        clauses += 1;
        let is_short = all >= LONG_LIST && length <= SHORT_CLAUSE && functions <= 1;
        bare += usize::from(is_short || here.clone().all(is_known) && functions <= 1);
        start += length;
    }
    let signs = ["->", "→", ":", "(", "="].iter().map(|sign| answer.matches(sign).count()).sum::<usize>();
    if clauses < LIST_CLAUSES || bare * 100 < 80 * clauses || signs * LIST_CLAUSES >= clauses {
        return false;
    }
    let mut groups: HashMap<(usize, usize), HashSet<usize>> = HashMap::new();
    for (point, found) in found.iter().enumerate() {
        for hit in &found.hits[0] {
            groups.entry((point, hit.group)).or_default().insert(hit.nth);
        }
    }
    let terms: usize = groups.values().map(HashSet::len).sum();
    terms >= 2 * groups.len() || (glue * GLUE_CLAUSES <= clauses && bare == clauses)
}

/// Of the words that carry meaning, nearly all are the question's.
fn is_echo(rubric: &Rubric, tokens: &[Token]) -> bool {
    let content = || tokens.iter().filter(|token| token.class == Class::Content);
    let (total, echoed) = (content().count(), content().filter(|token| rubric.prompt.contains(&token.stem)).count());
    total >= 4 && echoed * 100 >= 80 * total
}
