//! Which prompts ask nearly the same.

use std::collections::HashSet;

use super::bank::Bank;
use super::grade::text::{Class, stem, words};
use super::question::Question;

/// From this share of common stems on, in percent, two prompts are probably one question.
const PROBABLY: usize = 65;
/// From this share on they certainly are, or should say what is different.
const NEARLY: usize = 82;
/// Of two questions of the bank with fewer different words nothing can be said: "What is a pod?", "Why a pod?".
const FEW: usize = 4;

/// The stems of a prompt's content words.
pub struct Stems(HashSet<String>);

impl Stems {
    pub fn of(prompt: &str) -> Stems {
        let content = words(prompt).into_iter().filter(|word| word.class() == Class::Content);
        Stems(content.map(|word| stem(&word.text).into_owned()).collect())
    }

    /// What two prompts have in common, in percent of what they have on average (the index of Sørensen and Dice).
    fn likeness(&self, other: &Stems) -> usize {
        200 * self.0.intersection(&other.0).count() / (self.0.len() + other.0.len()).max(1)
    }

    /// Whether two prompts long enough to tell ask nearly the same.
    pub fn nearly_the_same(&self, other: &Stems) -> bool {
        self.0.len().min(other.0.len()) >= FEW && self.likeness(other) >= NEARLY
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
    fn a_short_prompt_is_found_too_but_two_of_a_bank_are_not_compared() {
        let text = include_str!("../../tests/fixtures/question.toml");
        let filled = [("{topic}", "eks"), ("{n}", "1"), ("{next}", "1"), ("{level}", "beginner")];
        let text = filled.into_iter().fold(text.to_owned(), |text, (hole, word)| text.replace(hole, word));
        let text = text.replace("eks question 1: who keeps the state?", "What is a pod?");
        let text = format!("[topic]\nname = \"eks\"\ntitle = \"EKS\"\n\n{text}");
        let (bank, _) = Bank::read(&[&[Source { path: "eks.toml", text: &text }]]).unwrap();
        assert!(resembled(&bank, "So what is a pod, please?").is_some());
        assert!(resembled(&bank, "").is_none());
        assert!(!Stems::of("What is a pod?").nearly_the_same(&Stems::of("Why a pod?")));
    }

    #[test]
    fn a_prompt_that_asks_the_same_is_found() {
        let text = include_str!("../../content/iam.toml");
        let (bank, _) = Bank::read(&[&[Source { path: "iam.toml", text }]]).unwrap();
        for question in bank.questions() {
            assert_eq!(resembled(&bank, &question.prompt).map(|found| &found.id), Some(&question.id));
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
