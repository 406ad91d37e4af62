//! What the grader knows of a whole bank, beyond the question it grades: how rare a word is, and the other model answers.

use std::collections::HashMap;
use std::sync::Arc;

use super::text::{self, Class, class, spelled_out, stem};
use super::words::is_common;
use crate::domain::ids::QuestionId;
use crate::domain::question::Question;

/// A run of this many words of one text hardly stands in another by chance.
const SHINGLE: usize = 6;

/// The words of a bank.
#[derive(Clone, Debug, Default)]
pub struct Lexicon {
    questions: u32,
    /// In how many questions a stem occurs.
    frequencies: HashMap<String, u32>,
    /// Which question's model answer a run of words stands in, by its place; what stands in several belongs to none.
    shingles: HashMap<u64, Option<u32>>,
    ids: Vec<QuestionId>,
}

impl Lexicon {
    pub fn of<'a>(questions: impl IntoIterator<Item = &'a Question>) -> Arc<Lexicon> {
        let mut lexicon = Lexicon::default();
        // Most words of a bank come many times: each is stemmed once.
        let mut stems_of: HashMap<String, Vec<usize>> = HashMap::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        // For each stem the question that has it last, counted from 1, and in how many it occurs.
        let mut counts: Vec<(u32, u32)> = Vec::new();
        for question in questions {
            let index = lexicon.questions;
            lexicon.questions += 1;
            lexicon.ids.push(question.id.clone());
            for word in texts(question).flat_map(text::words) {
                let stems = stems_of.entry(word.text).or_insert_with_key(|word| {
                    let place = |word: &str| {
                        let next = places.len();
                        *places.entry(stem(word).into_owned()).or_insert(next)
                    };
                    spelled_out(word).words().into_iter().map(place).collect()
                });
                counts.resize(places.len(), (0, 0));
                for place in stems {
                    let (last, count) = &mut counts[*place];
                    if *last != lexicon.questions {
                        (*last, *count) = (lexicon.questions, *count + 1);
                    }
                }
            }
            for hash in shingles(&text::words(&question.model_answer)) {
                lexicon
                    .shingles
                    .entry(hash)
                    .and_modify(|owner| *owner = owner.filter(|known| *known == index))
                    .or_insert(Some(index));
            }
        }
        lexicon.frequencies = places.into_iter().map(|(stem, place)| (stem, counts[place].1)).collect();
        Arc::new(lexicon)
    }

    /// Whether the bank uses a word.
    pub(super) fn knows(&self, stem: &str) -> bool {
        self.frequencies.contains_key(stem)
    }

    /// How much a word says, from 1 (every text has it) to 8 (one question only). Whole numbers, so that it is the same everywhere.
    pub(super) fn rarity(&self, word: &str) -> u32 {
        if class(word) != Class::Content {
            return 1;
        }
        if is_common(word) {
            return 2;
        }
        let frequency = self.frequencies.get(stem(word).as_ref()).copied().unwrap_or(1);
        match frequency * 100 / self.questions.max(1) {
            _ if frequency <= 1 => 8,
            0..=3 => 8,
            4..=8 => 7,
            9..=20 => 6,
            21..=40 => 4,
            _ => 3,
        }
    }

    /// The other question whose model answer makes up most of these words, with the share in percent.
    pub(super) fn pasted(&self, words: &[text::Word], own: &QuestionId) -> Option<(&QuestionId, u32)> {
        let (mut total, mut counts) = (0_u32, HashMap::<u32, u32>::new());
        for hash in shingles(words) {
            total += 1;
            if let Some(Some(owner)) = self.shingles.get(&hash) {
                *counts.entry(*owner).or_default() += 1;
            }
        }
        let (owner, count) = counts.into_iter().max_by_key(|(owner, count)| (*count, std::cmp::Reverse(*owner)))?;
        let id = &self.ids[owner as usize];
        (id != own).then_some((id, count * 100 / total.max(1)))
    }
}

/// Everything an author wrote about what a question is about.
fn texts(question: &Question) -> impl Iterator<Item = &str> {
    let points = question.key_points.iter().flat_map(|point| {
        let terms = point.all_of.iter().flatten().chain(&point.about).chain(&point.rivals).map(String::as_str);
        std::iter::once(point.text.as_str()).chain(terms).chain(point.alt.iter().flat_map(|other| other.terms()))
    });
    [question.prompt.as_str(), question.model_answer.as_str()].into_iter().chain(points)
}

/// Hashes (FNV-1a) of all runs of [`SHINGLE`] words of a text.
fn shingles(words: &[text::Word]) -> Vec<u64> {
    let hash = |run: &[text::Word]| {
        run.iter()
            .flat_map(|word| word.text.bytes().chain([b' ']))
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    };
    words.windows(SHINGLE).map(hash).collect()
}
