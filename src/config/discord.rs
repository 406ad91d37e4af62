//! `[discord]`: the token and what goes with it.

use super::settings::{Plain, Values};
use super::{Problem, Secret};
use crate::adapters::address::is_safe;

/// What the Discord adapter needs to know.
#[derive(Clone, Debug)]
pub struct Discord {
    pub token: Secret,
    /// Without a slash at its end.
    pub api_url: String,
    /// The servers it works in; empty = all.
    pub guilds: Vec<u64>,
    /// Whether to ask for the right to read what people write in threads.
    pub read_threads: bool,
    pub shards: Shards,
    /// The shards of this process, both ends included; None = all of them.
    pub shard_range: Option<(u32, u32)>,
}

/// Over how many connections the servers are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shards {
    /// As many as Discord recommends.
    Auto,
    Fixed(u32),
}

/// The section as it stands, None without a token.
pub(super) fn build(values: &Values, database_url: &str, problems: &mut Vec<Problem>) -> Option<Discord> {
    let given = |key: &'static str| values.get(&("discord", key));
    let text = |key| match given(key).map(|given| &given.value) {
        Some(Plain::Text(text)) => text.trim().to_owned(),
        _ => String::new(),
    };
    let list = |key| match given(key).map(|given| &given.value) {
        Some(Plain::List(list)) => list.clone(),
        _ => Vec::new(),
    };
    let mut wrong = |key, message: String| {
        let place = given(key).map_or_else(String::new, |given| given.place.clone());
        problems.push(Problem { place, message });
    };
    let token = text("token");
    if token.contains(char::is_whitespace) {
        wrong("token", "a Discord token has no blanks: copy the token alone, without \"Bot\" before it".to_owned());
    }
    let api_url = text("api_url");
    if !(api_url.starts_with("http") && is_safe(&api_url)) {
        let message = format!(
            "api_url is \"{api_url}\"; the token goes there, so it must begin with https://, or with http:// and this machine itself \
             (http://127.0.0.1:8080)"
        );
        wrong("api_url", message);
    }
    let mut guilds = Vec::new();
    for id in list("guilds") {
        match id.parse::<u64>() {
            Ok(id) if id > 0 => guilds.push(id),
            _ => wrong(
                "guilds",
                format!(
                    "\"{id}\" is no id of a server: it is a long number; in Discord's developer mode, \"Copy Server ID\" gives it"
                ),
            ),
        }
    }
    let shards = match given("shards").map(|given| &given.value) {
        Some(Plain::Number(count)) => Shards::Fixed(u32::try_from(*count).unwrap_or(u32::MAX)),
        _ => Shards::Auto,
    };
    let ends: Vec<Option<u32>> = list("shard_range").iter().map(|end| end.parse().ok()).collect();
    let shard_range = match ends.as_slice() {
        [] => None,
        [Some(first), Some(last)] => {
            let postgres = database_url.starts_with("postgres://") || database_url.starts_with("postgresql://");
            match shards {
                Shards::Auto => wrong(
                    "shard_range",
                    "shard_range says which shards this process takes, so it must be known how many there are: set discord.shards to a \
                     number"
                        .to_owned(),
                ),
                Shards::Fixed(count) if first > last || *last >= count => wrong(
                    "shard_range",
                    format!(
                        "shard_range is {first} to {last}; with {count} shards they go from 0 to {}, both ends count",
                        count.saturating_sub(1)
                    ),
                ),
                Shards::Fixed(_) if !postgres => wrong(
                    "shard_range",
                    "several processes need one database that all of them can use: set DRILLBOT_DATABASE_URL to a PostgreSQL, or leave \
                     shard_range out"
                        .to_owned(),
                ),
                Shards::Fixed(_) => {}
            }
            Some((*first, *last))
        }
        _ => {
            wrong("shard_range", "shard_range takes the first and the last shard of this process: [0, 3]".to_owned());
            None
        }
    };
    let read_threads = matches!(given("read_threads").map(|given| &given.value), Some(Plain::Bool(true)));
    (!token.is_empty()).then(|| Discord {
        token: Secret::new(token),
        api_url: api_url.trim_end_matches('/').to_owned(),
        guilds,
        read_threads,
        shards,
        shard_range,
    })
}
