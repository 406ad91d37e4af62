//! Rate limits: a tier for each method, a place of its own for each channel.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::model::Id;

/// How often a method may be called. Source: docs.slack.dev/apis/web-api/rate-limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// About 20 a minute.
    Two,
    /// About 50 a minute.
    Three,
    /// About 100 a minute.
    Four,
    /// One a second in a channel, short bursts allowed.
    Posting,
    /// Hundreds a minute.
    Special,
}

pub struct Rates {
    /// All waits are multiplied by this. Zero: no limits.
    pub scale: f64,
    /// 429s answered so far.
    pub too_many: u32,
    /// What is left, when it was counted.
    left: HashMap<(String, Id), (f64, Instant)>,
}

impl Default for Rates {
    fn default() -> Rates {
        Rates { scale: 1.0, too_many: 0, left: HashMap::new() }
    }
}

impl Tier {
    /// (at once, a second)
    fn numbers(self) -> (f64, f64) {
        match self {
            Tier::Two => (20.0, 20.0 / 60.0),
            Tier::Three => (50.0, 50.0 / 60.0),
            Tier::Four => (100.0, 100.0 / 60.0),
            Tier::Posting => (3.0, 1.0),
            Tier::Special => (600.0, 10.0),
        }
    }
}

impl Rates {
    /// Counts a request of a workspace (or, for posting, of a channel); over the limit: how long to wait.
    pub fn count(&mut self, method: &str, tier: Tier, place: Id) -> Result<(), Duration> {
        if self.scale <= 0.0 {
            return Ok(());
        }
        let (most, a_second) = tier.numbers();
        let a_second = a_second / self.scale;
        let now = Instant::now();
        let (left, since) = self.left.entry((method.to_owned(), place)).or_insert((most, now));
        *left = most.min(*left + now.duration_since(*since).as_secs_f64() * a_second);
        *since = now;
        if *left < 1.0 {
            self.too_many += 1;
            return Err(Duration::from_secs_f64((1.0 - *left) / a_second));
        }
        *left -= 1.0;
        Ok(())
    }
}
