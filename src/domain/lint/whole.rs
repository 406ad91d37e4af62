//! What can only be seen in the bank as a whole: names that look like slips, choices that give themselves away, questions
//! that are nearly the same.

use std::collections::{BTreeMap, HashSet};

use super::Desk;
use crate::domain::alike::Stems;
use crate::domain::bank::{Bank, Problem};
use crate::domain::question::Question;

/// From how many questions on the bank's choices are looked at together.
const MANY_CHOICES: usize = 12;
/// A quarter would be chance.
const LONGEST_PERCENT: usize = 45;

pub(super) fn check(bank: &Bank, problems: &mut Vec<Problem>) {
    tracks(bank, problems);
    choices(bank, problems);
    alike(bank, problems);
}

/// Prompts that ask nearly the same.
fn alike(bank: &Bank, problems: &mut Vec<Problem>) {
    let all: Vec<(&Question, Stems)> =
        bank.questions().iter().map(|question| (question.as_ref(), Stems::of(&question.prompt))).collect();
    for (at, (question, own)) in all.iter().enumerate() {
        // The first is enough: of three that are alike two have to change.
        let first = all[..at].iter().find(|(_, others)| own.nearly_the_same(others));
        if let Some((other, _)) = first {
            let message = format!("asks nearly the same as `{}`; drop one, or say what is different", other.id);
            Desk::of(bank, question, problems).should("prompt", message);
        }
    }
}

/// A track that one question has and that looks like one that many have.
fn tracks(bank: &Bank, problems: &mut Vec<Problem>) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for track in bank.questions().iter().flat_map(|question| &question.tracks) {
        *counts.entry(track).or_default() += 1;
    }
    for question in bank.questions() {
        for (index, track) in question.tracks.iter().enumerate().filter(|(_, track)| counts[track.as_str()] == 1) {
            let meant = counts.iter().find(|(known, count)| **count > 2 && strsim::osa_distance(known, track) <= 2);
            if let Some((meant, _)) = meant {
                let message = format!("`{track}` is the only one of this name; did you mean `{meant}`?");
                Desk::of(bank, question, problems).should(&format!("tracks[{index}]"), message);
            }
        }
    }
}

/// What gives the correct options of the whole bank away.
fn choices(bank: &Bank, problems: &mut Vec<Problem>) {
    let mut longest: Vec<&Question> = Vec::new();
    let mut places = HashSet::new();
    let mut all: Vec<&Question> = Vec::new();
    for question in bank.questions() {
        let Some(choice) = &question.choice else { continue };
        let Some(correct) = choice.options.iter().position(|option| option.correct) else { continue };
        let length = |index: usize| choice.options[index].text.trim().chars().count();
        if (0..choice.options.len()).all(|other| other == correct || length(other) < length(correct)) {
            longest.push(question);
        }
        places.insert(correct);
        all.push(question);
    }
    if all.len() < MANY_CHOICES {
        return;
    }
    if longest.len() * 100 > all.len() * LONGEST_PERCENT {
        let ids: Vec<&str> = longest.iter().map(|question| question.id.as_str()).collect();
        let message = format!(
            "has the longest text at the correct option, like {} of {} questions of the bank, where a quarter is chance; lengthen a wrong option in some of: {}",
            longest.len(),
            all.len(),
            ids.join(", ")
        );
        Desk::of(bank, longest[0], problems).should("choice.options", message);
    }
    if let (1, Some(place)) = (places.len(), places.iter().next()) {
        let message = format!(
            "has the correct one at number {}, as all {} questions of the bank; mix them",
            place + 1,
            all.len()
        );
        Desk::of(bank, all[0], problems).should("choice.options", message);
    }
}
