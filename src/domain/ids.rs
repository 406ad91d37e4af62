//! Identities. All of them are text, made from what they stand for, so that making one twice makes the same one.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// A channel of a platform, `web:daily-drill`. Only its adapter looks behind the colon.
    ChannelId
}
id! {
    /// A person on one platform, `web:k3v9..`. Only its adapter looks behind the colon.
    MemberId
}
id! {
    /// A schedule of a channel, `web:daily-drill/daily`.
    ScheduleId
}
id! {
    /// One question posted once: 16 characters derived from schedule and slot, so `question:<round>` has 25,
    /// which is what Discord allows a nonce.
    RoundId
}
id! {
    /// The key of one row of the outbox, `question:<round>`.
    DeliveryId
}
id! {
    /// A message of a platform, in that platform's words.
    MessageId
}
id! {
    /// A thread of a platform, in that platform's words.
    ThreadId
}
id! {
    /// A question of a bank, `iam-passrole`.
    QuestionId
}
id! {
    /// One member's private drill.
    DrillId
}
id! {
    /// One playing of a scenario.
    SceneId
}
id! {
    /// A member's claim that their answer covers a key point: 16 characters derived from round, member and point.
    ClaimId
}
id! {
    /// A member's review of somebody else's answer: 16 characters derived from round, author and reviewer.
    ReviewId
}
id! {
    /// A question that members suggest: 16 characters derived from the group and the question's words.
    SuggestionId
}
id! {
    /// A member's word that something is wrong with a question: 16 characters derived from the group, member and question.
    FlagId
}

impl ScheduleId {
    pub fn of(channel: &ChannelId, name: &str) -> Self {
        Self(format!("{channel}/{name}"))
    }

    /// The name behind the channel: `daily`.
    pub fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or(self.0.as_str(), |(_, name)| name)
    }
}

impl RoundId {
    /// `slot` is the local date and time the round stands for, `2026-11-23T09:00`.
    pub fn of(schedule: &ScheduleId, slot: &str) -> Self {
        Self(short_hash(&[schedule.as_str(), slot]))
    }
}

impl ClaimId {
    pub fn of(round: &RoundId, member: &MemberId, point: usize) -> Self {
        Self(short_hash(&["claim", round.as_str(), member.as_str(), &point.to_string()]))
    }
}

impl ReviewId {
    pub fn of(round: &RoundId, author: &MemberId, reviewer: &MemberId) -> Self {
        Self(short_hash(&["review", round.as_str(), author.as_str(), reviewer.as_str()]))
    }
}

/// The platform in front of the colon of a [`ChannelId`] or [`MemberId`].
pub fn platform_of(id: &str) -> &str {
    id.split_once(':').map_or(id, |(platform, _)| platform)
}

/// 16 lower-case base32 characters (80 bits of SHA-256) over the parts, which cannot run into each other.
pub fn short_hash(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    data_encoding::BASE32_NOPAD.encode(&hash.finalize()[..10]).to_lowercase()
}

/// A number that looks random and is always the same for the same parts.
pub fn seed_of(parts: &[&str]) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    u64::from_le_bytes([digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_id_is_derived_and_fits_a_discord_nonce() {
        let schedule = ScheduleId::new("web:daily-drill/daily");
        let one = RoundId::of(&schedule, "2026-11-23T09:00");
        assert_eq!(one, RoundId::of(&schedule, "2026-11-23T09:00"));
        assert_ne!(one, RoundId::of(&schedule, "2026-11-24T09:00"));
        assert_eq!(format!("question:{one}").len(), 25);
    }

    #[test]
    fn parts_cannot_run_into_each_other() {
        assert_ne!(short_hash(&["ab", "c"]), short_hash(&["a", "bc"]));
    }
}
