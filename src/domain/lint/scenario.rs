//! A staged scenario: whether every way through it ends, and whether there is something to decide on each.

use std::collections::HashSet;

use super::{Notes, exhibit_fits, is_kebab};
use crate::domain::question::{BEST_TURN, Scenario, Stage};

const TITLE_CHARS: usize = 60;
const SITUATION_CHARS: usize = 700;
const ASK_CHARS: usize = 160;
const OPTION_CHARS: usize = 140;
const THEN_CHARS: usize = 600;
const DEBRIEF_WORDS: std::ops::RangeInclusive<usize> = 60..=200;

pub(super) fn check(scenario: &Scenario, notes: &mut Notes<'_>) {
    if !is_kebab(&scenario.name) {
        notes.must("scenario.name", format!("`{}` is not kebab-case", scenario.name));
    }
    notes.length("scenario.title", &scenario.title, TITLE_CHARS);
    let count = scenario.debrief.split_whitespace().count();
    if !DEBRIEF_WORDS.contains(&count) {
        let (least, most) = (DEBRIEF_WORDS.start(), DEBRIEF_WORDS.end());
        notes.must("scenario.debrief", format!("has {count} words; {least} to {most} close a round"));
    }
    let stages = &scenario.stages;
    if !(3..=5).contains(&stages.len()) {
        notes.must("scenario.stages", format!("has {} stages; give 3 to 5", stages.len()));
    }
    if !stages.iter().any(|stage| stage.injected) {
        notes.should("scenario.stages", "has no `injected = true`; let something else break on the way");
    }
    let mut reached: HashSet<&str> = stages.first().map(|stage| stage.id.as_str()).into_iter().collect();
    for (at, stage) in stages.iter().enumerate() {
        let field = format!("scenario.stages[{at}]");
        if !reached.contains(stage.id.as_str()) {
            notes.must(&field, format!("`{}` is never reached; name it in the `to` of an earlier option", stage.id));
        }
        if stages[..at].iter().any(|earlier| earlier.id == stage.id) {
            notes.must(&format!("{field}.id"), format!("`{}` is there twice", stage.id));
        }
        decision(&field, stage, notes);
        for (nth, option) in stage.options.iter().enumerate() {
            let Some(to) = &option.to else { continue };
            // Forward only: so every way ends.
            if stages[at + 1..].iter().any(|later| later.id == *to) {
                reached.insert(to);
            } else {
                let message = format!("`{to}` is not a stage further down; leave `to` out to go to the debrief");
                notes.must(&format!("{field}.options[{nth}].to"), message);
            }
        }
    }
    let recoverable = stages.iter().flat_map(|stage| &stage.options).any(|turn| turn.points == 0 && turn.to.is_some());
    if !recoverable {
        notes.must("scenario.stages", "ends at every wrong turn; let one of them go on, so that people can recover");
    }
}

fn decision(field: &str, stage: &Stage, notes: &mut Notes<'_>) {
    if !is_kebab(&stage.id) {
        notes.must(&format!("{field}.id"), format!("`{}` is not kebab-case", stage.id));
    }
    notes.length(&format!("{field}.situation"), &stage.situation, SITUATION_CHARS);
    notes.length(&format!("{field}.ask"), &stage.ask, ASK_CHARS);
    if let Some(exhibit) = &stage.exhibit {
        exhibit_fits(&format!("{field}.exhibit"), exhibit, notes);
    }
    if !(2..=4).contains(&stage.options.len()) {
        notes.must(&format!("{field}.options"), format!("has {} options; give 2 to 4", stage.options.len()));
    }
    let best = stage.options.iter().filter(|turn| turn.points == BEST_TURN).count();
    if best != 1 {
        let message = format!("has {best} options of {BEST_TURN} points; one decision is the best");
        notes.must(&format!("{field}.options"), message);
    }
    for (nth, turn) in stage.options.iter().enumerate() {
        let field = format!("{field}.options[{nth}]");
        notes.length(&format!("{field}.text"), &turn.text, OPTION_CHARS);
        notes.length(&format!("{field}.then"), &turn.then, THEN_CHARS);
        if turn.points > BEST_TURN {
            notes.must(&format!("{field}.points"), format!("is {}; it is 0, 1 or {BEST_TURN}", turn.points));
        }
    }
}
