//! Rate limits: a table of buckets, the global limit, and how much is used.

use std::collections::HashMap;
use std::time::{Duration, Instant};

pub struct Rates {
    /// Routes without a row have `other`.
    pub table: Vec<Limit>,
    /// (requests, window) of a route without a row.
    pub other: (u32, Duration),
    /// Requests a second over all routes but those of interactions.
    pub global: u32,
    /// All windows are multiplied by this. Zero: no limits.
    pub scale: f64,
    /// 429s answered so far.
    pub too_many: u32,
    /// Requests that count towards the ban of an address: 401, 403 and 429.
    pub invalid: u32,
    used: HashMap<String, Window>,
}

/// One bucket, per channel, guild or webhook in its path.
#[derive(Clone)]
pub struct Limit {
    pub method: &'static str,
    pub path: &'static str,
    pub requests: u32,
    pub window: Duration,
}

#[derive(Clone, Copy)]
struct Window {
    begun: Instant,
    used: u32,
}

/// What the headers of an answer say.
#[derive(Clone, Debug)]
pub struct Standing {
    pub bucket: String,
    pub limit: u32,
    pub remaining: u32,
    pub reset_after: Duration,
}

/// A request over a limit.
pub struct Over {
    pub standing: Standing,
    pub global: bool,
}

/// Discord publishes no numbers; these are what its headers were seen to say.
const DEFAULTS: [(&str, &str, u32, u64); 9] = [
    ("POST", "/channels/{channel_id}/messages", 5, 5_000),
    ("GET", "/channels/{channel_id}/messages", 5, 5_000),
    ("PATCH", "/channels/{channel_id}/messages/{message_id}", 5, 5_000),
    ("DELETE", "/channels/{channel_id}/messages/{message_id}", 5, 1_000),
    ("POST", "/channels/{channel_id}/messages/{message_id}/threads", 50, 300_000),
    ("POST", "/channels/{channel_id}/threads", 50, 300_000),
    ("PUT", "/channels/{channel_id}/messages/{message_id}/reactions/{emoji_name}/@me", 1, 250),
    ("POST", "/webhooks/{webhook_id}/{webhook_token}", 5, 2_000),
    ("PATCH", "/webhooks/{webhook_id}/{webhook_token}/messages/@original", 5, 2_000),
];

impl Default for Rates {
    fn default() -> Rates {
        let row = |(method, path, requests, ms)| Limit { method, path, requests, window: Duration::from_millis(ms) };
        Rates {
            table: DEFAULTS.map(row).to_vec(),
            other: (50, Duration::from_secs(1)),
            global: 50,
            scale: 1.0,
            too_many: 0,
            invalid: 0,
            used: HashMap::new(),
        }
    }
}

impl Rates {
    /// Counts a request. `major` is the id that buckets are kept apart by.
    pub fn count(&mut self, method: &str, template: &str, major: &str) -> Result<Standing, Over> {
        let of_interactions = template.starts_with("/interactions") || template.starts_with("/webhooks");
        let second = Duration::from_secs(1).mul_f64(self.scale);
        if !of_interactions && self.global_is_used_up(second) {
            let reset_after = self.take("global", self.global, second).reset_after;
            let standing = Standing { bucket: "global".into(), limit: self.global, remaining: 0, reset_after };
            return Err(Over { standing, global: true });
        }
        let row = self.table.iter().find(|row| row.method == method && row.path == template);
        let (requests, window) = row.map_or(self.other, |row| (row.requests, row.window));
        let window = window.mul_f64(self.scale);
        let key = format!("{method} {template} {major}");
        if self.left(&key, requests, window) == 0 {
            return Err(Over { standing: self.take(&key, requests, window), global: false });
        }
        if !of_interactions {
            self.take("global", self.global, second);
        }
        Ok(self.take(&key, requests, window))
    }

    fn global_is_used_up(&self, second: Duration) -> bool {
        self.left("global", self.global, second) == 0
    }

    fn left(&self, key: &str, requests: u32, window: Duration) -> u32 {
        match self.used.get(key) {
            Some(seen) if seen.begun.elapsed() < window => requests.saturating_sub(seen.used),
            _ => requests,
        }
    }

    fn take(&mut self, key: &str, requests: u32, window: Duration) -> Standing {
        let fresh = Window { begun: Instant::now(), used: 0 };
        let seen = self.used.entry(key.to_owned()).or_insert(fresh);
        if seen.begun.elapsed() >= window {
            *seen = fresh;
        }
        seen.used = requests.min(seen.used + 1);
        // Discord names a bucket by a hash of its route; the id in the path is not part of it.
        let route: String = key.split(' ').take(2).collect();
        let bucket = data_encoding::HEXLOWER.encode(&route.bytes().rev().take(16).collect::<Vec<u8>>());
        let reset_after = window.saturating_sub(seen.begun.elapsed());
        Standing { bucket, limit: requests, remaining: requests - seen.used, reset_after }
    }
}
