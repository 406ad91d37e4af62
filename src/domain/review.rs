//! A review: what somebody who answered too sees in another's answer, beside what the grader sees.

use super::grade::{Decider, Grade, PointState};

/// What a review is worth, and how much reviews are worth in a week in a channel; tenths of points.
pub const REVIEW_POINTS: i64 = 50;
pub const POINTS_A_WEEK: i64 = 250;

/// What the next review of the week is worth.
pub fn worth(earned: i64) -> i64 {
    (POINTS_A_WEEK - earned).clamp(0, REVIEW_POINTS)
}

/// Whether a reader who ticked a point, or did not, sees it as the grade has it; None where there is nothing to compare: what people
/// decided is not asked again, and half a point that is not ticked is left at that.
pub fn agrees(grade: &Grade, point: usize, ticked: bool) -> Option<bool> {
    let point = grade.points.get(point)?;
    match (point.state, ticked) {
        _ if point.by == Decider::Ruling => None,
        (PointState::Covered, ticked) => Some(ticked),
        (PointState::Unclear, true) => Some(false),
        (PointState::Unclear, false) => None,
        (PointState::Missing | PointState::Contradicted, ticked) => Some(!ticked),
    }
}

/// The points that a reader sees otherwise.
pub fn disputed(grade: &Grade, ticked: &[usize]) -> Vec<usize> {
    (0..grade.points.len()).filter(|point| agrees(grade, *point, ticked.contains(point)) == Some(false)).collect()
}

/// How many points a reader sees as the grade has them.
pub fn agreed(grade: &Grade, ticked: &[usize]) -> usize {
    (0..grade.points.len()).filter(|point| agrees(grade, *point, ticked.contains(point)) == Some(true)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::grade::PointGrade;

    #[test]
    fn a_reader_agrees_differs_or_says_nothing_about_each_point() {
        let point = |state, by| PointGrade { state, by, spans: vec![], missing: None, void: None };
        let states = [PointState::Covered, PointState::Unclear, PointState::Missing, PointState::Contradicted];
        let mut points: Vec<PointGrade> = states.map(|state| point(state, Decider::Grader)).to_vec();
        points.push(point(PointState::Covered, Decider::Ruling));
        let grade = Grade { score: 50, points, rough: false, guard: None, copied: None };
        assert_eq!((disputed(&grade, &[0]), agreed(&grade, &[0])), (vec![], 3));
        assert_eq!((disputed(&grade, &[]), agreed(&grade, &[])), (vec![0], 2));
        assert_eq!((disputed(&grade, &[1, 2, 3, 4]), agreed(&grade, &[1, 2, 3, 4])), (vec![0, 1, 2, 3], 0));
        assert_eq!(disputed(&grade, &[9]), [0]);
    }

    #[test]
    fn the_sixth_review_of_a_week_is_worth_nothing() {
        let mut earned = 0;
        let all: Vec<i64> = (0..6)
            .map(|_| {
                let next = worth(earned);
                earned += next;
                next
            })
            .collect();
        assert_eq!(all, [50, 50, 50, 50, 50, 0]);
        assert_eq!((worth(230), worth(400)), (20, 0));
    }
}
