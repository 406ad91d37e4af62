//! Which prompts ask nearly the same.

use std::collections::HashSet;

use super::bank::Bank;
use super::grade::text::{Class, stem, words};
use super::question::Question;

/// From this share of common stems on, in percent, two prompts are probably one question.
pub const PROBABLY: usize = 65;
/// From this share on they certainly are, or should say what is different.
pub const NEARLY_THE_SAME: usize = 82;
/// Of fewer different words nothing can be said.
const FEW: usize = 4;

/// The stems of a prompt's content words.
pub struct Stems(HashSet<String>);

impl Stems {
    pub fn of(prompt: &str) -> Stems {
        let content = words(prompt).into_iter().filter(|word| word.class() == Class::Content);
        Stems(content.map(|word| stem(&word.text).into_owned()).collect())
    }

    /// What two prompts have in common, in percent of what they have on average (the index of Sørensen and Dice); nothing when one of
    /// them is too short to tell.
    pub fn likeness(&self, other: &Stems) -> usize {
        if self.0.len().min(other.0.len()) < FEW {
            return 0;
        }
        200 * self.0.intersection(&other.0).count() / (self.0.len() + other.0.len())
    }
}

/// The question of the bank that a prompt resembles most, if it resembles one much.
pub fn resembled<'a>(bank: &'a Bank, prompt: &str) -> Option<&'a Question> {
    let wanted = Stems::of(prompt);
    let all = bank.questions().iter();
    all.map(|question| (wanted.likeness(&Stems::of(&question.prompt)), question.as_ref()))
        .filter(|(percent, _)| *percent >= PROBABLY)
        .max_by_key(|(percent, _)| *percent)
        .map(|(_, question)| question)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::bank::Source;

    #[test]
    fn a_prompt_that_asks_the_same_is_found() {
        let text = include_str!("../../content/iam.toml");
        let (bank, _) = Bank::read(&[&[Source { path: "iam.toml", text }]]).unwrap();
        for question in bank.questions() {
            let polite = format!("Please tell us: {}", question.prompt.to_lowercase());
            assert_eq!(resembled(&bank, &polite).map(|found| &found.id), Some(&question.id), "{polite}");
        }
        for other in [
            "Why does a pod in a private subnet need a NAT gateway?",
            "How do you keep a Terraform state from being written twice?",
            "What is the difference between a readiness probe and a liveness probe?",
            "",
        ] {
            assert_eq!(resembled(&bank, other).map(|found| &found.id), None, "{other}");
        }
    }
}
