//! What a grade means, in sentences: what was said, what is missing, what to correct.

use crate::domain::grade::{Decider, Grade, Guard, PointGrade, PointState, Void};
use crate::domain::markup;
use crate::domain::message::{Block, Span};
use crate::domain::question::{KeyPoint, Mistake, Question};

/// Of an answer's own words, so many characters are quoted back.
const QUOTED: usize = 80;
/// Terms of a group that is not met, as a help.
const TERMS: usize = 2;

pub(super) fn feedback(question: &Question, answer: &str, grade: &Grade) -> Vec<Block> {
    let mut blocks: Vec<Block> = grade.guard.as_ref().map(whole).into_iter().collect();
    let of = |state: PointState| {
        let points = question.key_points.iter().zip(&grade.points).filter(move |(_, point)| point.state == state);
        let mut points: Vec<(&KeyPoint, &PointGrade)> = points.collect();
        if state != PointState::Covered {
            // The heaviest first: that is what to learn.
            points.sort_by_key(|(point, _)| std::cmp::Reverse(point.weight));
        }
        points
    };
    let sections = [
        (PointState::Covered, "You said", "✓"),
        (PointState::Unclear, "Begun, not finished", "½"),
        (PointState::Missing, "Missing", "–"),
        (PointState::Contradicted, "To correct", "✗"),
    ];
    for (state, title, mark) in sections {
        let points = of(state);
        if !points.is_empty() {
            blocks.push(Block::heading(title));
        }
        for (point, grade) in points {
            let mut spans = markup::spans(&point.text);
            spans.extend(because(point, grade, answer).map(|why| Span::plain(format!(" ({why})"))));
            blocks.push(Block::item(mark, spans));
            if state == PointState::Contradicted {
                let said = grade.spans.first().and_then(|span| quoted(answer, *span)).unwrap_or_default();
                blocks
                    .extend(correction(question, &said).map(|mistake| Block::item("→", markup::spans(&mistake.right))));
            }
        }
    }
    if grade.rough {
        blocks.push(Block::note("This question has no rubric yet, so the result is rough."));
    }
    blocks
}

/// What is wrong with the answer as a whole, and what to do instead.
fn whole(guard: &Guard) -> Block {
    match guard {
        Guard::Echo => Block::line("This says little more than the question does. Say what you would do, and why."),
        Guard::List => Block::line("A list of terms counts half. Say in a sentence what each of them is for."),
        Guard::Glued | Guard::Shuffled => {
            Block::line("I found terms here, but no sentences that say something of them, so nothing counts.")
        }
        Guard::Pasted => Block::line("This is the model answer to another question, so nothing counts."),
        Guard::TooLong { words } => Block::line(format!(
            "This has {words} words, more than anybody listens to. Beyond 900 an answer is worth less the longer it is; 150 to 300 are enough."
        )),
    }
}

/// Why a point has the state that it has, where that is not plain to see.
fn because(point: &KeyPoint, grade: &PointGrade, answer: &str) -> Option<String> {
    if grade.by == Decider::Ruling {
        return Some("decided by people".to_owned());
    }
    match grade.state {
        PointState::Covered => None,
        PointState::Contradicted => grade
            .spans
            .first()
            .and_then(|span| quoted(answer, *span))
            .map(|said| format!("you wrote \u{201c}{said}\u{201d}")),
        PointState::Unclear | PointState::Missing => {
            let voided = grade.void.and_then(|void| {
                let said = quoted(answer, void.span)?;
                Some(match void.why {
                    Void::Denied => format!("you wrote \u{201c}{said}\u{201d}, but in words that deny it"),
                    Void::Refuted => format!("you wrote \u{201c}{said}\u{201d}, and that it is not true"),
                    Void::Salad => format!("\u{201c}{said}\u{201d} stands in a row of words, not in a sentence"),
                    Void::Rival => format!("you wrote \u{201c}{said}\u{201d}, but of something else"),
                })
            });
            voided.or_else(|| {
                let group = point.all_of.get(grade.missing?).filter(|_| grade.state == PointState::Unclear)?;
                let terms: Vec<String> =
                    group.iter().take(TERMS).map(|term| format!("\u{201c}{term}\u{201d}")).collect();
                Some(format!("not a word like {}", terms.join(" or ")))
            })
        }
    }
}

/// Words of the answer, shortened.
fn quoted(answer: &str, (start, end): (usize, usize)) -> Option<String> {
    let said = answer.get(start..end)?.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(markup::shorten(&said, QUOTED)).filter(|said| !said.is_empty())
}

/// The mistake of the question's author that is most like what was written.
fn correction<'a>(question: &'a Question, said: &str) -> Option<&'a Mistake> {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 3);
        words.map(str::to_lowercase).collect()
    };
    let said = words(said);
    let alike = |mistake: &Mistake| words(&mistake.wrong).iter().filter(|word| said.contains(word)).count();
    question.mistakes.iter().rev().max_by_key(|mistake| alike(mistake)).filter(|mistake| alike(mistake) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::bank::tests::example;
    use crate::domain::grade::grade;

    fn lines(answer: &str) -> String {
        let question = example();
        let blocks = feedback(&question, answer, &grade(&question, answer));
        crate::domain::message::Message { blocks, ..Default::default() }.as_text()
    }

    #[test]
    fn what_to_correct_is_quoted_and_set_right() {
        let shown = lines("S3 with use_lockfile = true; DynamoDB is the recommended way though.");
        assert!(shown.contains("(you wrote \u{201c}DynamoDB is the recommended\u{201d})"), "{shown}");
    }

    #[test]
    fn why_words_do_not_count_is_said() {
        let shown = lines("The state is not locked by use_lockfile.");
        assert!(shown.contains("but in words that deny it"), "{shown}");
        let question = example();
        assert!(lines(&question.prompt).contains("little more than the question"), "{}", lines(&question.prompt));
    }
}
