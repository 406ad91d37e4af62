//! What shall happen outside: stored with the change that caused it, carried out later by the delivery worker.

use serde::{Deserialize, Serialize};

use super::ids::{
    ChannelId, ClaimId, DeliveryId, FlagId, MemberId, MessageId, ReviewId, RoundId, SceneId, SuggestionId, ThreadId,
};

/// Rendered when it is sent, from what the store knows then, so a row is small and a card is never out of date.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Effect {
    /// Post the card and open its thread.
    Question { round: RoundId },
    /// Bring the card up to date: how many have answered, whether it is closed.
    Card { round: RoundId },
    /// Read the thread once more, then grade and score. Tells nobody anything by itself.
    Collect { round: RoundId },
    /// Post one part of the reveal into the thread.
    Reveal { round: RoundId, part: usize },
    /// Bring the posted parts of a reveal up to date: somebody in them has been erased, or their answer ruled on; `change` is the
    /// number of the ruling. One that is on its way may have been read before the next ruling, so each has a row of its own.
    Retell {
        round: RoundId,
        #[serde(default)]
        change: i64,
    },
    /// Tell the organisers whose answers of a round are nearly somebody else's.
    Copying { round: RoundId },
    /// Bring that up to date: somebody in it has been erased.
    RetellCopying { round: RoundId },
    /// Tell one member their own result.
    Result { round: RoundId, member: MemberId },
    /// Post a claim into the round's thread, without its author's name.
    Claim { claim: ClaimId, round: RoundId },
    /// Bring a posted claim up to date: it was decided, or somebody in it erased.
    Claimed { claim: ClaimId, round: RoundId, change: i64 },
    /// Tell a member what a ruling did to their result; `was` is their coverage before.
    Ruled { round: RoundId, member: MemberId, ruling: i64, was: i64 },
    /// Tell the channel's organisers what a reader and the grader see differently in an answer.
    Dispute { review: ReviewId, round: RoundId },
    /// Bring that up to date: it was decided, or somebody in it erased.
    Disputed { review: ReviewId, round: RoundId, change: i64 },
    /// Post a part of a scenario that is played together: 0 opens the thread, 1 is the first stage in it.
    Scene { scene: SceneId, part: usize },
    /// Bring a posted part up to date: votes were cast, it was decided, somebody in it erased.
    SceneCard { scene: SceneId, part: usize },
    /// Tell the organisers of a group that suggestions or flags wait.
    Waiting { realm: String, number: i64 },
    /// Tell a member what became of their suggestion.
    Suggestion { suggestion: SuggestionId, version: i64, member: MemberId },
    /// Tell a member what became of their flag.
    Flag { flag: FlagId, version: i64, member: MemberId },
    /// Tell the channel's organisers.
    Notice { channel: ChannelId, text: String },
}

impl Effect {
    /// Derived, so that wanting it twice is wanting it once.
    pub fn delivery_id(&self) -> DeliveryId {
        DeliveryId::new(match self {
            Effect::Question { round } => format!("question:{round}"),
            Effect::Card { round } => format!("card:{round}"),
            Effect::Collect { round } => format!("collect:{round}"),
            Effect::Reveal { round, part: 0 } => format!("reveal:{round}"),
            Effect::Reveal { round, part } => format!("reveal:{round}:{part}"),
            Effect::Retell { round, change: 0 } => format!("retell:{round}"),
            Effect::Retell { round, change } => format!("retell:{round}:{change}"),
            Effect::Copying { round } => format!("copying:{round}"),
            Effect::RetellCopying { round } => format!("retell:copying:{round}"),
            Effect::Result { round, member } => format!("result:{round}:{member}"),
            Effect::Claim { claim, .. } => format!("claim:{claim}"),
            Effect::Claimed { claim, change, .. } => format!("claimed:{claim}:{change}"),
            Effect::Ruled { round, member, ruling, .. } => format!("ruled:{round}:{ruling}:{member}"),
            Effect::Dispute { review, .. } => format!("dispute:{review}"),
            Effect::Disputed { review, change, .. } => format!("disputed:{review}:{change}"),
            Effect::Scene { scene, part } => format!("scene:{scene}:{part}"),
            Effect::SceneCard { scene, part } => format!("scene-card:{scene}:{part}"),
            Effect::Waiting { realm, number } => format!("waiting:{realm}:{number}"),
            Effect::Suggestion { suggestion, version, .. } => format!("suggestion:{suggestion}:{version}"),
            Effect::Flag { flag, version, .. } => format!("flag:{flag}:{version}"),
            Effect::Notice { channel, text } => format!("notice:{}", super::ids::short_hash(&[channel.as_str(), text])),
        })
    }

    /// Rows of one lane go out in order. What only one person sees does not wait for the channel's lane.
    pub fn lane(&self, channel: &ChannelId) -> String {
        match self {
            Effect::Result { member, .. }
            | Effect::Ruled { member, .. }
            | Effect::Suggestion { member, .. }
            | Effect::Flag { member, .. } => format!("{channel}#{member}"),
            Effect::Notice { .. }
            | Effect::Waiting { .. }
            | Effect::Dispute { .. }
            | Effect::Disputed { .. }
            | Effect::Copying { .. }
            | Effect::RetellCopying { .. } => {
                format!("{channel}#organisers")
            }
            _ => channel.to_string(),
        }
    }
}

/// Who can see a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Audience {
    Everyone,
    Member(MemberId),
    Organisers,
}

/// Where a post goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub channel: ChannelId,
    pub thread: Option<ThreadId>,
    pub audience: Audience,
}

/// What a post left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    pub message: MessageId,
    /// The thread it opened, if one was asked for and could be opened.
    pub thread: Option<ThreadId>,
    /// What did not work beside it, in the organisers' words: the message is out, its thread is not.
    pub trouble: Option<String>,
}
