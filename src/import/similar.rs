//! Which prompts ask the same. Looked up by their rarest words, so that thousands are compared in a moment.

use std::collections::{BTreeSet, HashMap};

/// From how much in common two prompts are one, in percent of all their words.
const SAME: usize = 88;
/// From how much on a prompt is a correction of another one from the same source.
pub const CORRECTED: usize = 60;
/// From how much on it is, when the answers have this much in common too.
pub const RELATED: usize = 40;
pub const ANSWERED: usize = 70;
/// No prompt has more words; what is longer is compared by its beginning.
const WORDS: usize = 300;
/// How many others one prompt is compared with at most.
const COMPARED: usize = 200;

/// Words that carry no matter.
const LIGHT: [&str; 40] = [
    "a", "an", "the", "is", "are", "was", "be", "do", "does", "did", "what", "which", "how", "why", "when", "where",
    "who", "you", "your", "we", "i", "it", "its", "in", "on", "of", "for", "to", "and", "or", "with", "that", "this",
    "can", "would", "should", "could", "explain", "describe", "briefly",
];

/// The words of a prompt as they are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// All of them in order.
    all: Vec<String>,
    heavy: BTreeSet<String>,
}

impl Words {
    pub fn of(prompt: &str) -> Words {
        let lower = prompt.to_lowercase();
        let all: Vec<String> = lower
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .take(WORDS)
            .map(str::to_owned)
            .collect();
        // What has no words is compared as it stands.
        let all = if all.is_empty() { vec![lower.trim().chars().take(WORDS).collect()] } else { all };
        let heavy: BTreeSet<String> =
            all.iter().filter(|word| !LIGHT.contains(&word.as_str())).map(|word| root(word)).collect();
        // "What is it?" has nothing but light words.
        let heavy = if heavy.is_empty() { all.iter().cloned().collect() } else { heavy };
        Words { all, heavy }
    }

    /// What two prompts have in common, in percent. Words that differ by a slip are one; numbers never.
    pub fn likeness(&self, other: &Words) -> usize {
        if self.all == other.all {
            return 100;
        }
        let mut common = self.heavy.intersection(&other.heavy).count();
        let mut left: Vec<&String> = other.heavy.difference(&self.heavy).collect();
        for word in self.heavy.difference(&other.heavy) {
            if let Some(at) = left.iter().position(|known| is_slip(word, known)) {
                left.swap_remove(at);
                common += 1;
            }
        }
        let whole = self.heavy.len() + other.heavy.len() - common;
        // What differs in light words only is at best nearly the same.
        (common * 99).checked_div(whole).unwrap_or(0)
    }
}

/// The word without the endings that make no other question of it.
fn root(word: &str) -> String {
    let cut = if word.len() > 4 && !word.ends_with("ss") { word.strip_suffix('s').unwrap_or(word) } else { word };
    cut.to_owned()
}

/// One letter is wrong, missing, too many, or has changed places with the next one.
fn is_slip(a: &str, b: &str) -> bool {
    let fits = |word: &str| (6..=40).contains(&word.len()) && word.chars().all(char::is_alphabetic);
    a.len().abs_diff(b.len()) <= 3 && fits(a) && fits(b) && strsim::osa_distance(a, b) <= 1
}

/// Prompts that can be found by likeness.
#[derive(Debug, Default)]
pub struct Index {
    prompts: Vec<Words>,
    by_word: HashMap<String, Vec<usize>>,
}

impl Index {
    pub fn add(&mut self, words: Words) -> usize {
        let index = self.prompts.len();
        for word in &words.heavy {
            self.by_word.entry(word.clone()).or_default().push(index);
        }
        self.prompts.push(words);
        index
    }

    /// The one most alike among those that pass, from `least` percent on. The first of equals.
    pub fn find(&self, words: &Words, least: usize, pass: impl Fn(usize) -> bool) -> Option<(usize, usize)> {
        let count = |word: &String| self.by_word.get(word).map_or(0, Vec::len);
        let mut rarest: Vec<&String> = words.heavy.iter().filter(|word| count(word) > 0).collect();
        rarest.sort_by_key(|word| (count(word), (*word).clone()));
        // Who has that much in common shares one of these.
        let enough = words.heavy.len() - (words.heavy.len() * least).div_ceil(110).min(words.heavy.len()) + 2;
        let mut seen = BTreeSet::new();
        for word in rarest.into_iter().take(enough) {
            for index in self.by_word.get(word).into_iter().flatten().filter(|index| pass(**index)) {
                if seen.len() >= COMPARED {
                    break;
                }
                seen.insert(*index);
            }
        }
        seen.into_iter()
            .map(|index| (self.prompts[index].likeness(words), index))
            .filter(|(likeness, _)| *likeness >= least)
            .max_by_key(|(likeness, index)| (*likeness, std::cmp::Reverse(*index)))
            .map(|(likeness, index)| (index, likeness))
    }

    /// The first that asks the same.
    pub fn same(&self, words: &Words) -> Option<usize> {
        self.find(words, SAME, |_| true).map(|(index, _)| index)
    }
}
