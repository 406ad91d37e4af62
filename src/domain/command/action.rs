//! What buttons and forms carry.

use crate::domain::ids::{ClaimId, DrillId, ReviewId, RoundId, SceneId};
use crate::domain::queue::Act;

/// What a press inside a drill asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Answer,
    Pick(usize),
    Hint,
    Skip,
    Reveal,
    Next,
}

/// What a press inside a scenario asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Take the option that is shown at this place, or (together) vote for it.
    Pick(usize),
    /// On to the next stage.
    Next,
    /// Together: take what most have voted for.
    Decide,
}

/// What a button or a form carries, in at most 100 characters (Discord's limit of a custom id).
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Open the answer form of a round, or (as a form) save the answer.
    Answer(RoundId),
    Hint(RoundId),
    MyResult(RoundId),
    Drill {
        drill: DrillId,
        at: usize,
        verb: Verb,
    },
    /// `step` counts the decisions before this one, so that a press on an old message is known as one.
    Scene {
        scene: SceneId,
        step: usize,
        go: Move,
    },
    /// Open the form of a claim, or (as a form) make it; without a point, the form has a pick of it.
    Claim {
        round: RoundId,
        point: Option<usize>,
    },
    /// Decide a claim, or overrule what was decided.
    Rule {
        claim: ClaimId,
        covered: bool,
    },
    /// Take an answer of a round to review, or the one that was taken before.
    Review(RoundId),
    /// As a form: what the reviewer ticked.
    Reviewed(ReviewId),
    /// Decide what a reviewer and the grader see differently.
    RuleReview {
        review: ReviewId,
        point: usize,
        covered: bool,
    },
    /// Suggestions, flags, and what organisers do with them.
    Queue(Act),
    /// Erase my data, after having been asked.
    Forget,
    /// A command behind a button.
    Run(String),
}

impl Action {
    pub fn encode(&self) -> String {
        match self {
            Action::Answer(round) => format!("answer:{round}"),
            Action::Hint(round) => format!("hint:{round}"),
            Action::MyResult(round) => format!("result:{round}"),
            Action::Drill { drill, at, verb } => {
                let verb = match verb {
                    Verb::Answer => "answer".to_owned(),
                    Verb::Pick(option) => format!("pick{option}"),
                    Verb::Hint => "hint".to_owned(),
                    Verb::Skip => "skip".to_owned(),
                    Verb::Reveal => "reveal".to_owned(),
                    Verb::Next => "next".to_owned(),
                };
                format!("drill:{drill}:{at}:{verb}")
            }
            Action::Scene { scene, step, go } => {
                let go = match go {
                    Move::Pick(option) => format!("pick{option}"),
                    Move::Next => "next".to_owned(),
                    Move::Decide => "decide".to_owned(),
                };
                format!("scene:{scene}:{step}:{go}")
            }
            Action::Claim { round, point: Some(point) } => format!("claim:{round}:{point}"),
            Action::Claim { round, point: None } => format!("claim:{round}"),
            Action::Rule { claim, covered } => format!("rule:{claim}:{}", yes_or_no(*covered)),
            Action::Review(round) => format!("review:{round}"),
            Action::Reviewed(review) => format!("reviewed:{review}"),
            Action::RuleReview { review, point, covered } => {
                format!("decide:{review}:{point}:{}", yes_or_no(*covered))
            }
            Action::Queue(act) => format!("queue:{}", act.encode()),
            Action::Forget => "forget".to_owned(),
            Action::Run(line) => format!("run:{line}"),
        }
    }

    /// True for what an organiser may do and others may not, or not any more.
    pub fn is_ruling(&self) -> bool {
        match self {
            Action::Rule { .. } | Action::RuleReview { .. } => true,
            Action::Queue(act) => act.is_for_organisers(),
            _ => false,
        }
    }

    /// None for what an older version (or a stranger) made up.
    pub fn decode(text: &str) -> Option<Action> {
        if text == "forget" {
            return Some(Action::Forget);
        }
        let (kind, rest) = text.split_once(':')?;
        Some(match kind {
            "answer" => Action::Answer(RoundId::new(rest)),
            "hint" => Action::Hint(RoundId::new(rest)),
            "result" => Action::MyResult(RoundId::new(rest)),
            "run" => Action::Run(rest.to_owned()),
            "queue" => Action::Queue(Act::decode(rest)?),
            "claim" => {
                let (round, point) = match rest.split_once(':') {
                    Some((round, point)) => (round, Some(point.parse().ok()?)),
                    None => (rest, None),
                };
                Action::Claim { round: RoundId::new(round), point }
            }
            "rule" => {
                let (claim, verdict) = rest.split_once(':')?;
                Action::Rule { claim: ClaimId::new(claim), covered: said_yes(verdict)? }
            }
            "review" => Action::Review(RoundId::new(rest)),
            "reviewed" => Action::Reviewed(ReviewId::new(rest)),
            "decide" => {
                let mut parts = rest.splitn(3, ':');
                let (review, point, verdict) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
                Action::RuleReview { review: ReviewId::new(review), point, covered: said_yes(verdict)? }
            }
            "drill" => {
                let mut parts = rest.splitn(3, ':');
                let (drill, at, verb) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
                let verb = match verb {
                    "answer" => Verb::Answer,
                    "hint" => Verb::Hint,
                    "skip" => Verb::Skip,
                    "reveal" => Verb::Reveal,
                    "next" => Verb::Next,
                    pick => Verb::Pick(pick.strip_prefix("pick")?.parse().ok()?),
                };
                Action::Drill { drill: DrillId::new(drill), at, verb }
            }
            "scene" => {
                let mut parts = rest.splitn(3, ':');
                let (scene, step, go) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
                let go = match go {
                    "next" => Move::Next,
                    "decide" => Move::Decide,
                    pick => Move::Pick(pick.strip_prefix("pick")?.parse().ok()?),
                };
                Action::Scene { scene: SceneId::new(scene), step, go }
            }
            _ => return None,
        })
    }
}

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

fn said_yes(text: &str) -> Option<bool> {
    match text {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_survive_the_trip_and_fit_discord() {
        for action in [
            Action::Answer(RoundId::new("abcdefghijklmnop")),
            Action::Hint(RoundId::new("abcdefghijklmnop")),
            Action::MyResult(RoundId::new("abcdefghijklmnop")),
            Action::Drill { drill: DrillId::new("abcdefghijklmnop"), at: 19, verb: Verb::Pick(3) },
            Action::Drill { drill: DrillId::new("abcdefghijklmnop"), at: 0, verb: Verb::Next },
            Action::Scene { scene: SceneId::new("abcdefghijklmnop"), step: 4, go: Move::Pick(3) },
            Action::Scene { scene: SceneId::new("abcdefghijklmnop"), step: 0, go: Move::Next },
            Action::Scene { scene: SceneId::new("abcdefghijklmnop"), step: 1, go: Move::Decide },
            Action::Claim { round: RoundId::new("abcdefghijklmnop"), point: Some(11) },
            Action::Claim { round: RoundId::new("abcdefghijklmnop"), point: None },
            Action::Rule { claim: ClaimId::new("abcdefghijklmnop"), covered: true },
            Action::Review(RoundId::new("abcdefghijklmnop")),
            Action::Reviewed(ReviewId::new("abcdefghijklmnop")),
            Action::RuleReview { review: ReviewId::new("abcdefghijklmnop"), point: 11, covered: false },
            Action::Queue(Act::Insist),
            Action::Forget,
            Action::Run("/drill iam".to_owned()),
        ] {
            let text = action.encode();
            assert!(text.len() <= 100, "{text}");
            assert_eq!(Action::decode(&text), Some(action));
        }
        for old in [
            "",
            "answer",
            "drill:x",
            "drill:x:y:next",
            "drill:x:1:jump",
            "vote:1",
            "rule:x:maybe",
            "claim:x:y",
            "decide:x:1",
        ] {
            assert_eq!(Action::decode(old), None, "{old}");
        }
    }
}
