//! What the tests stand on: databases of their own, the real binary, a client of its API, and seeded chance.

mod binary;
mod client;
mod database;

use std::time::{Duration, Instant};

pub use binary::{Bot, Setup};
pub use client::{Client, NoAnswer};
pub use database::{Database, Kind, run};

/// Seeded chance: the same seed makes the same choices.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    /// The seed of this run: DRILLBOT_TEST_SEED, else the time.
    pub fn seed() -> u64 {
        let given = setting("DRILLBOT_TEST_SEED").and_then(|seed| seed.parse().ok());
        given.unwrap_or_else(|| drillbot::app::clock::real_ms().unsigned_abs())
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// At least `from`, less than `to`.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from)
    }

    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        if all.is_empty() { None } else { all.get(usize::try_from(self.next() % all.len() as u64).ok()?) }
    }
}

/// What the environment says to the tests.
#[expect(clippy::disallowed_methods, reason = "tests have no settings of their own but these few variables")]
pub fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Asks again and again until there is an answer; fails with `what` when the time is up.
pub async fn eventually<T, F>(what: &str, within: Duration, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < within, "waited {within:?} in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
