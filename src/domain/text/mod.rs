//! Every sentence the bot says. Adapters lay out, they do not phrase.

mod boards;
mod card;
mod claim;
mod confidence;
mod copying;
mod daily;
mod drill;
mod feedback;
mod flag;
mod form;
mod general;
pub mod install;
mod local;
mod prep;
pub mod queue;
mod result;
mod review;
mod scene;
mod suggestion;
pub mod trouble;

use super::markup;
use super::message::{Block, Span};
use super::question::Exhibit;

pub use boards::{Me, Recent, Standing, board_size, board_title, home, leaderboard, me};
pub use card::{
    CardView, NamedAnswer, Reveal, SAVE_AS_ANSWER, all_hints, answer_form, blank_form, card, erased_part, hint, reveal,
    thread_title,
};
pub use claim::{
    CLAIM_CHARS, ClaimView, cannot_be_claimed, claim, claim_any_form, claim_buttons, claim_form, claim_gone,
    claim_made, claim_options, claim_too_long, claimable, claimed_already, decided_already, empty_claim, may_claim,
    not_this_point, not_your_words, nothing_to_claim, own_claim, ruled, ruling_line, rulings_heading, stands_so,
    thanks_for_ruling,
};
pub use confidence::{CONFIDENCE, SureAndWrong, graded_without, read_confidence, saved_without};
pub use copying::{CopiedAnswer, copying_notice, erased_copies};
pub use daily::{
    ScheduleView, bad_schedule, changed, history_line, history_state, low_on_questions, no_schedule, nobody_to_call,
    not_posted, nothing_open, nothing_to_ask, opened_now, paused, resumed, revealing, several_schedules,
    show_schedules, skipped,
};
pub use drill::{
    drill_answer, drill_form, drill_view, empty_drill_answer, no_choice_questions, no_options_to_choose,
    no_questions_of_level, question_title, resume, resume_offer, stale_button, topic_help, what_to_drill,
};
pub use flag::{
    flag_button, flag_form, flag_outcome, flag_slip, flagged, no_fault, no_question_to_flag, not_flagged,
    nothing_to_flag, too_many_flags,
};
pub use form::{no_pick, not_an_option, pick_by_number, pick_placeholder};
pub use general::{
    Ways, answer_late, answer_saved, answer_too_long, empty_answer, everyone_not_called, forget_question, forgotten,
    form_submit, help, help_for, message_saved, no_question, no_topic, no_user_group, not_in_a_question,
    not_your_message, offer, one_moment, one_moment_with, only_in_channels, organiser_unknown, organisers_only,
    question_closed, refused, refused_with, round_gone, shortened, too_late_for_a_form, topics, unknown_button, usage,
};
pub use local::{Local, localized};
pub use prep::{card_of, cards};
pub use result::{my_result, no_answer_of_yours, not_revealed_yet};
pub use review::{
    Disputed, confirmed_by_readers, dispute, dispute_erased, dispute_gone, not_these_points, nothing_to_review,
    only_who_answered, own_answer, point_options, review_button, review_form, review_gone, reviewed, reviewed_already,
    rulings_are_for_organisers,
};
pub use scene::{
    Playable, Together, decided, nobody_voted, not_your_scene, scenarios, scene_begun, scene_gone, scene_needs_channel,
    scene_opening, scene_part, scene_thread, scene_undelivered, scene_under_way, scene_view, voted,
};
pub use suggestion::{
    changed_meanwhile, declined_before, my_suggestions, no_group, nothing_typed, resembles, suggested,
    suggested_and_approved, suggested_by_another, suggestion_form, suggestion_outcome, suggestion_slip,
    suggestion_slips, too_many_suggestions, withdrawn,
};
pub use trouble::{
    CHANNEL_DELETED, channel_deleted, channel_trouble, half_posted, half_revealed, in_trouble, step_fails, undelivered,
    unread,
};

/// "1 question", "2 questions".
pub fn count(n: i64, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

/// "1 file", "2 files", for words with a plain plural.
pub fn counted(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// A length as a number to count with.
fn len(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A paragraph longer than this is broken up, and about how long its parts become.
const LONG: usize = 480;
const COMFORTABLE: usize = 320;

/// An author's text for reading: long paragraphs become several, between sentences.
fn readable(text: &str) -> Vec<Block> {
    let mut out = Vec::new();
    for block in markup::blocks(text) {
        match block {
            Block::Line { spans } => out.extend(paragraphs(spans).into_iter().map(|spans| Block::Line { spans })),
            other => out.push(other),
        }
    }
    out
}

/// What is laid on the table beside a question or a situation.
fn exhibit(exhibit: &Exhibit) -> [Block; 2] {
    let name = Block::Note { spans: vec![Span::code(exhibit.name.clone())] };
    [name, Block::Code { text: exhibit.text.trim_end().to_owned() }]
}

fn paragraphs(spans: Vec<Span>) -> Vec<Vec<Span>> {
    let length = |spans: &[Span]| spans.iter().map(|span| span.as_plain().chars().count()).sum::<usize>();
    let mut left = length(&spans);
    if left <= LONG {
        return vec![spans];
    }
    let parts = ((left + COMFORTABLE / 2) / COMFORTABLE).max(2);
    let target = left / parts;
    let (mut out, mut current) = (Vec::new(), Vec::new());
    for span in spans {
        let Span::Plain { text } = span else {
            current.push(span);
            continue;
        };
        let mut rest = text.as_str();
        while let Some(end) = sentence_end(rest) {
            let (sentence, tail) = rest.split_at(end);
            current.push(Span::plain(sentence));
            rest = tail;
            let done = length(&current);
            // Nearer to the target now than after another sentence of the usual size, and something worth a paragraph left.
            if done + 50 >= target && left - done >= target / 2 {
                trim_end(&mut current);
                out.push(std::mem::take(&mut current));
                left -= done;
            }
        }
        if !rest.is_empty() {
            current.push(Span::plain(rest));
        }
    }
    if !current.is_empty() {
        out.push(current);
    }
    out.into_iter().map(joined).collect()
}

/// Where the first sentence of a text ends: behind the space after its full stop, if another one begins there.
fn sentence_end(text: &str) -> Option<usize> {
    text.match_indices(['.', '?', '!']).find_map(|(at, _)| {
        let tail = &text[at + 1..];
        let rest = tail.trim_start();
        let begins = rest.chars().next().is_none_or(|first| first.is_uppercase() || first.is_ascii_digit());
        (rest.len() < tail.len() && begins).then_some(text.len() - rest.len())
    })
}

fn trim_end(spans: &mut [Span]) {
    if let Some(Span::Plain { text }) = spans.last_mut() {
        text.truncate(text.trim_end().len());
    }
}

/// Neighbouring plain spans as one.
fn joined(spans: Vec<Span>) -> Vec<Span> {
    let mut out: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match (out.last_mut(), span) {
            (Some(Span::Plain { text }), Span::Plain { text: more }) => text.push_str(&more),
            (_, span) => out.push(span),
        }
    }
    out
}

/// Inline markup in bold; code stays code.
fn bold(text: &str) -> Vec<Span> {
    let thicken = |span| match span {
        Span::Plain { text } => Span::Bold { text },
        other => other,
    };
    markup::spans(text).into_iter().map(thicken).collect()
}

/// "best practices (docs.aws.amazon.com)" says more than a long address.
fn reference(url: &str) -> Span {
    let address = url.trim_start_matches("https://");
    let (host, path) = address.split_once('/').unwrap_or((address, ""));
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let page = path.rsplit('/').next().unwrap_or_default();
    let page = page.rsplit_once('.').map_or(page, |(name, _)| name).replace(['-', '_'], " ");
    let text = if page.is_empty() { host.to_owned() } else { format!("{page} ({host})") };
    Span::Link { text: markup::shorten(&text, 90), url: url.to_owned() }
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
    fn long_paragraphs_are_broken_up_between_sentences() {
        let sentence = "The role `a.B` lists what it may do, e.g. reading one bucket, and nothing besides that. ";
        assert_eq!(readable(&sentence.repeat(3)).len(), 1);
        let blocks = readable(&sentence.repeat(12));
        assert_eq!(blocks.len(), 3);
        for block in &blocks {
            let Block::Line { spans } = block else { panic!("{block:?}") };
            let text: String = spans.iter().map(Span::as_plain).collect();
            assert!(text.starts_with("The role") && text.ends_with("besides that."), "{text}");
        }
    }

    #[test]
    fn references_are_named_after_their_page() {
        let text = |url: &str| reference(url).as_plain();
        assert_eq!(text("https://docs.aws.amazon.com/IAM/id_roles.html#top"), "id roles (docs.aws.amazon.com)");
        assert_eq!(text("https://kubernetes.io/docs/pod-security/"), "pod security (kubernetes.io)");
        assert_eq!(text("https://kubernetes.io"), "kubernetes.io");
    }

    #[test]
    fn lists_of_names_stay_short() {
        let all: Vec<String> = ["Ann", "Bob", "Cleo", "Dan"].map(String::from).to_vec();
        assert_eq!(names(&all[..0], 3), "");
        assert_eq!(names(&all[..1], 3), "Ann");
        assert_eq!(names(&all[..3], 3), "Ann, Bob and Cleo");
        assert_eq!(names(&all, 3), "Ann, Bob, Cleo and 1 more");
    }
}
