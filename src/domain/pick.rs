//! Which question is next: all of them once in an order that the seed decides, then the one asked longest ago.

use std::collections::HashMap;
use std::sync::Arc;

use super::ids::QuestionId;
use super::question::Question;

#[derive(Clone, Debug)]
pub struct Pick {
    pub question: Arc<Question>,
    /// Candidates that were never asked, after this one.
    pub unseen_left: usize,
    /// All candidates were asked before, so this one comes again.
    pub repeated: bool,
}

/// The next question, or none if there are no candidates. `asked` holds when each question was last asked, in unix
/// milliseconds; it may know more questions than the candidates. One pass, no allocation.
pub fn pick(candidates: &[Arc<Question>], asked: &HashMap<QuestionId, i64>, seed: u64) -> Option<Pick> {
    let mut unseen = 0;
    // The smallest of random numbers is a fair choice that needs no second pass.
    let mut next: Option<(u64, &Arc<Question>)> = None;
    let mut oldest: Option<(i64, &Arc<Question>)> = None;
    for (index, question) in candidates.iter().enumerate() {
        match asked.get(&question.id) {
            None => {
                unseen += 1;
                let lot = mix(seed, index);
                if next.is_none_or(|(smallest, _)| lot < smallest) {
                    next = Some((lot, question));
                }
            }
            Some(at) if unseen == 0 && oldest.is_none_or(|(earliest, _)| *at < earliest) => {
                oldest = Some((*at, question));
            }
            Some(_) => {}
        }
    }
    match (next, oldest) {
        (Some((_, question)), _) => Some(Pick { question: question.clone(), unseen_left: unseen - 1, repeated: false }),
        (None, Some((_, question))) => Some(Pick { question: question.clone(), unseen_left: 0, repeated: true }),
        (None, None) => None,
    }
}

/// SplitMix64 of the seed and a position. <https://prng.di.unimi.it/splitmix64.c>
fn mix(seed: u64, index: usize) -> u64 {
    let mut z = seed.wrapping_add((index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::bank::tests::example;

    fn candidates(count: usize) -> Vec<Arc<Question>> {
        let example = example();
        let numbered = |i| Arc::new(Question { id: QuestionId::new(format!("q-{i}")), ..example.clone() });
        (0..count).map(numbered).collect()
    }

    fn asked(times: &[(usize, i64)]) -> HashMap<QuestionId, i64> {
        times.iter().map(|(i, at)| (QuestionId::new(format!("q-{i}")), *at)).collect()
    }

    #[test]
    fn nothing_is_picked_from_nothing() {
        assert!(pick(&[], &asked(&[(0, 5)]), 1).is_none());
    }

    #[test]
    fn the_only_unseen_question_is_next() {
        let pick = pick(&candidates(3), &asked(&[(0, 5), (2, 9), (77, 1)]), 4).expect("there are candidates");
        assert_eq!((pick.question.id.as_str(), pick.unseen_left, pick.repeated), ("q-1", 0, false));
    }

    #[test]
    fn when_all_were_asked_the_longest_unseen_comes_again() {
        let pick = pick(&candidates(3), &asked(&[(0, 5), (1, -7), (2, 9)]), 4).expect("there are candidates");
        assert_eq!((pick.question.id.as_str(), pick.unseen_left, pick.repeated), ("q-1", 0, true));
    }

    #[test]
    fn the_seed_decides_among_the_unseen() {
        let candidates = candidates(10);
        let none = HashMap::new();
        let mut counts = [0; 10];
        for seed in 0..1000 {
            let one = pick(&candidates, &none, seed).expect("there are candidates").question;
            let again = pick(&candidates, &none, seed).expect("there are candidates").question;
            assert_eq!(one.id, again.id);
            counts[candidates.iter().position(|c| c.id == one.id).expect("it is one of them")] += 1;
        }
        assert!(counts.iter().all(|count| (60..=140).contains(count)), "{counts:?}");
    }

    proptest! {
        #[test]
        fn no_question_repeats_before_all_were_asked(count in 1..40_usize, seeds in prop::collection::vec(any::<u64>(), 1..120)) {
            let candidates = candidates(count);
            let mut asked = HashMap::new();
            let mut seen: Vec<QuestionId> = Vec::new();
            for (round, seed) in seeds.into_iter().enumerate() {
                let pick = pick(&candidates, &asked, seed).expect("there are candidates");
                prop_assert_eq!(pick.repeated, round >= count);
                prop_assert_eq!(pick.unseen_left, count.saturating_sub(round + 1));
                // The last `count - 1` questions are all others than this one.
                let recent: HashSet<_> = seen.iter().rev().take(count - 1).collect();
                prop_assert!(!recent.contains(&pick.question.id));
                asked.insert(pick.question.id.clone(), round as i64);
                seen.push(pick.question.id.clone());
            }
        }
    }
}
