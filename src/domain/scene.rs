//! One playing of a scenario, alone or together: which decisions were taken, and where that leads. Votes are kept by the store.

use serde::{Deserialize, Serialize};

use super::ids::{ChannelId, MemberId, QuestionId, SceneId, seed_of};
use super::question::{BEST_TURN, Scenario, Stage, Turn};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    pub id: SceneId,
    pub channel: ChannelId,
    /// Who began it; kept beside the rest, because they may be erased.
    #[serde(skip, default = "nobody")]
    pub member: MemberId,
    pub question: QuestionId,
    /// The hash of the question as it was at the beginning.
    pub snapshot: String,
    pub together: bool,
    /// What was decided so far, one a step.
    pub path: Vec<Decision>,
    /// Alone: what came of the last decision is in front of the member, and not yet the next stage.
    pub told: bool,
}

fn nobody() -> MemberId {
    MemberId::new("")
}

/// Both count in the author's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub stage: usize,
    pub option: usize,
}

/// One member's vote in a step of a scene that is played together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    pub step: usize,
    pub member: MemberId,
    /// In the author's order.
    pub option: usize,
}

impl Scene {
    /// How many decisions were taken.
    pub fn step(&self) -> usize {
        self.path.len()
    }

    /// The stage that is to be decided, by its place in the scenario; none when only the debrief is left.
    pub fn at(&self, scenario: &Scenario) -> Option<usize> {
        let Some(last) = self.path.last() else { return (!scenario.stages.is_empty()).then_some(0) };
        let to = turn(scenario, *last)?.to.as_ref()?;
        // Forward only, as the lint has it: a scene ends whatever its author wrote.
        scenario.stages.iter().position(|stage| stage.id == *to).filter(|next| *next > last.stage)
    }

    pub fn is_finished(&self, scenario: &Scenario) -> bool {
        self.at(scenario).is_none()
    }

    /// The options of a stage as this scene shows them: author's indices, shuffled once and for all.
    pub fn order(&self, at: usize, stage: &Stage) -> Vec<usize> {
        let mut order: Vec<usize> = (0..stage.options.len()).collect();
        order.sort_by_key(|option| seed_of(&[self.id.as_str(), &at.to_string(), &option.to_string()]));
        order
    }

    /// The option that is shown at a place in the stage that is to be decided, if `step` is about that.
    pub fn shown(&self, scenario: &Scenario, step: usize, place: usize) -> Option<Decision> {
        let at = self.at(scenario).filter(|_| step == self.step() && !self.told)?;
        let option = *self.order(at, &scenario.stages[at]).get(place)?;
        Some(Decision { stage: at, option })
    }

    pub fn decide(&mut self, decision: Decision) {
        self.path.push(decision);
        self.told = !self.together;
    }

    /// What most have voted for in the step that is to be decided. Of options with as many votes the one that who began the scene is for
    /// wins, else the one that came to its first vote earlier; `votes` are in the order in which they were cast.
    pub fn choice_of(&self, votes: &[Vote]) -> Option<usize> {
        let of_step = || votes.iter().filter(|vote| vote.step == self.step());
        let count = |option: usize| of_step().filter(|vote| vote.option == option).count();
        let own = of_step().find(|vote| vote.member == self.member).map(|vote| vote.option);
        // The last of the greatest is what `max_by_key` gives, so the earliest comes last.
        let order: Vec<usize> = of_step().map(|vote| vote.option).collect();
        order.iter().rev().copied().max_by_key(|option| (count(*option), Some(*option) == own))
    }

    /// 0 to 100: how good the decisions were, of the steps that were played.
    pub fn coverage(&self, scenario: &Scenario) -> i64 {
        coverage(self.path.iter().filter_map(|decision| turn(scenario, *decision)), self.path.len())
    }

    /// As [`Scene::coverage`], for what one member voted; a step without their vote counts nothing.
    pub fn coverage_of(&self, scenario: &Scenario, member: &MemberId, votes: &[Vote]) -> i64 {
        let own = votes.iter().filter(|vote| vote.member == *member).filter_map(|vote| {
            let stage = self.path.get(vote.step)?.stage;
            turn(scenario, Decision { stage, option: vote.option })
        });
        coverage(own, self.path.len())
    }
}

/// What was decided.
pub fn turn(scenario: &Scenario, decision: Decision) -> Option<&Turn> {
    scenario.stages.get(decision.stage)?.options.get(decision.option)
}

fn coverage<'a>(turns: impl Iterator<Item = &'a Turn>, steps: usize) -> i64 {
    let most = i64::try_from(steps).unwrap_or(i64::MAX).saturating_mul(i64::from(BEST_TURN));
    if most == 0 {
        return 0;
    }
    turns.map(|turn| i64::from(turn.points.min(BEST_TURN))).sum::<i64>() * 100 / most
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn_to(points: u8, to: Option<&str>) -> Turn {
        Turn { text: format!("for {points}"), points, then: String::new(), to: to.map(str::to_owned) }
    }

    fn stage(id: &str, options: Vec<Turn>) -> Stage {
        let (situation, ask) = (String::new(), String::new());
        Stage { id: id.to_owned(), situation, injected: false, exhibit: None, ask, options }
    }

    fn scenario() -> Scenario {
        Scenario {
            name: "night".into(),
            title: "A night".into(),
            stages: vec![
                stage("a", vec![turn_to(2, Some("b")), turn_to(0, Some("c")), turn_to(1, None)]),
                stage("b", vec![turn_to(2, None), turn_to(0, Some("a"))]),
                stage("c", vec![turn_to(2, Some("b")), turn_to(0, None)]),
            ],
            debrief: String::new(),
        }
    }

    fn scene(together: bool) -> Scene {
        Scene {
            id: SceneId::new("s1"),
            channel: ChannelId::new("web:c"),
            member: MemberId::new("web:ann"),
            question: QuestionId::new("q"),
            snapshot: String::new(),
            together,
            path: vec![],
            told: false,
        }
    }

    fn take(scene: &mut Scene, scenario: &Scenario, option: usize) {
        let stage = scene.at(scenario).expect("a stage to decide");
        scene.decide(Decision { stage, option });
        scene.told = false;
    }

    #[test]
    fn decisions_lead_from_stage_to_stage_and_always_to_an_end() {
        let scenario = scenario();
        let mut best = scene(false);
        take(&mut best, &scenario, 0);
        assert_eq!(best.at(&scenario), Some(1));
        take(&mut best, &scenario, 0);
        assert_eq!((best.at(&scenario), best.coverage(&scenario)), (None, 100));
        let mut early = scene(false);
        take(&mut early, &scenario, 2);
        assert_eq!((early.at(&scenario), early.coverage(&scenario)), (None, 50));
        // "c" leads back to "b", which is forbidden: the scene ends instead of going round.
        let mut back = scene(false);
        take(&mut back, &scenario, 1);
        assert_eq!(back.at(&scenario), Some(2));
        take(&mut back, &scenario, 0);
        assert_eq!((back.at(&scenario), back.coverage(&scenario)), (None, 50));
        assert_eq!(scene(false).coverage(&scenario), 0);
    }

    #[test]
    fn a_press_on_an_older_step_means_nothing() {
        let scenario = scenario();
        let mut scene = scene(false);
        assert!(scene.shown(&scenario, 1, 0).is_none());
        assert!(scene.shown(&scenario, 0, 3).is_none());
        let decision = scene.shown(&scenario, 0, 1).expect("an option");
        assert_eq!(decision.option, scene.order(0, &scenario.stages[0])[1]);
        scene.decide(decision);
        // What came of it is still in front of the member.
        assert!(scene.told && scene.shown(&scenario, 1, 0).is_none() && scene.shown(&scenario, 0, 1).is_none());
    }

    #[test]
    fn most_votes_decide_and_who_began_breaks_a_tie() {
        let scene = scene(true);
        let vote = |member: &str, option| Vote { step: 0, member: MemberId::new(format!("web:{member}")), option };
        assert_eq!(scene.choice_of(&[]), None);
        assert_eq!(scene.choice_of(&[vote("bob", 2), vote("ann", 1), vote("cleo", 2)]), Some(2));
        assert_eq!(scene.choice_of(&[vote("bob", 2), vote("ann", 1)]), Some(1));
        assert_eq!(scene.choice_of(&[vote("bob", 2), vote("cleo", 0)]), Some(2));
        assert_eq!(scene.choice_of(&[Vote { step: 1, ..vote("bob", 2) }]), None);
    }

    #[test]
    fn each_member_is_worth_what_they_voted_for() {
        let scenario = scenario();
        let mut scene = scene(true);
        take(&mut scene, &scenario, 0);
        take(&mut scene, &scenario, 0);
        let vote = |step, member: &str, option| Vote { step, member: MemberId::new(member), option };
        let votes = [vote(0, "web:ann", 0), vote(0, "web:bob", 2), vote(1, "web:ann", 0), vote(1, "web:cleo", 1)];
        let of = |member: &str| scene.coverage_of(&scenario, &MemberId::new(member), &votes);
        assert_eq!((of("web:ann"), of("web:bob"), of("web:cleo")), (100, 25, 0));
    }
}
