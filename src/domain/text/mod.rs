//! Every sentence the bot says. Adapters lay out, they do not phrase.

mod boards;
mod card;
mod daily;
mod drill;
mod general;
mod result;

pub use boards::{Me, Standing, board_size, board_title, leaderboard, me};
pub use card::{CardView, NamedAnswer, Reveal, all_hints, answer_form, card, erased_part, hint, reveal, thread_title};
pub use daily::{
    ScheduleView, bad_schedule, changed, history_line, history_state, low_on_questions, no_schedule, not_posted,
    nothing_open, nothing_to_ask, opened_now, paused, resumed, revealing, several_schedules, show_schedules, skipped,
    undelivered,
};
pub use drill::{drill_form, drill_view, no_choice_questions, resume_offer, stale_button, topic_help};
pub use general::{
    answer_late, answer_saved, answer_too_long, empty_answer, forget_question, forgotten, help, help_for, no_topic,
    organisers_only, question_closed, refused, round_gone, topics, unknown_button, usage,
};
pub use result::{my_result, no_answer_of_yours, not_revealed_yet};

/// "1 question", "2 questions".
pub fn count(n: i64, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

/// A length as a number to count with.
fn len(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// "Ann", "Ann and Bob", "Ann, Bob and 3 more".
pub fn names(all: &[String], limit: usize) -> String {
    match all {
        [] => String::new(),
        [one] => one.clone(),
        many if many.len() <= limit => {
            let (last, rest) = many.split_last().unwrap_or((&many[0], &[]));
            format!("{} and {last}", rest.join(", "))
        }
        many => format!("{} and {} more", many[..limit].join(", "), many.len() - limit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_names_stay_short() {
        let all: Vec<String> = ["Ann", "Bob", "Cleo", "Dan"].map(String::from).to_vec();
        assert_eq!(names(&all[..0], 3), "");
        assert_eq!(names(&all[..1], 3), "Ann");
        assert_eq!(names(&all[..3], 3), "Ann, Bob and Cleo");
        assert_eq!(names(&all, 3), "Ann, Bob, Cleo and 1 more");
    }
}
