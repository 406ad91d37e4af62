//! Points, ranks and streaks. Points are kept in tenths, because a level factor may be 1.5.

use super::question::Level;

/// What one hint takes off the coverage.
pub const HINT_COST: i64 = 10;

/// Coverage 0-100 after hints.
pub fn after_hints(coverage: i64, hints: i64) -> i64 {
    (coverage - HINT_COST * hints).clamp(0, 100)
}

/// Tenths of a point: coverage x level factor (beginner 1, intermediate 1.5, advanced 2).
pub fn points_tenths(coverage: i64, level: Level) -> i64 {
    coverage.clamp(0, 100) * level.factor_tenths()
}

/// `1425` tenths as people read them: `142.5`.
pub fn show_points(tenths: i64) -> String {
    if tenths % 10 == 0 { (tenths / 10).to_string() } else { format!("{}.{}", tenths / 10, (tenths % 10).abs()) }
}

/// Competition ranking (1, 2, 2, 4) of points that are already in falling order; `first` is the rank of the first.
pub fn ranks(points: &[i64], first: usize) -> Vec<usize> {
    let mut out = Vec::with_capacity(points.len());
    for (at, value) in points.iter().enumerate() {
        match at.checked_sub(1).filter(|before| points[*before] == *value) {
            Some(before) => out.push(out[before]),
            None => out.push(first + at),
        }
    }
    out
}

/// The streak that ends with the newest of `answered`, and the longest one, for question numbers in rising order.
pub fn streaks(answered: &[i64]) -> (i64, i64) {
    let (mut current, mut best, mut last) = (0, 0, None);
    for number in answered {
        current = if last == Some(number - 1) { current + 1 } else { 1 };
        best = best.max(current);
        last = Some(*number);
    }
    (current, best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_points_share_a_rank_and_the_next_rank_is_skipped() {
        assert_eq!(ranks(&[50, 40, 40, 30], 1), [1, 2, 2, 4]);
        assert_eq!(ranks(&[7, 7], 1), [1, 1]);
        assert_eq!(ranks(&[], 1), Vec::<usize>::new());
        assert_eq!(ranks(&[3, 2], 11), [11, 12]);
    }

    #[test]
    fn points_are_coverage_times_level() {
        assert_eq!(show_points(points_tenths(95, Level::Intermediate)), "142.5");
        assert_eq!(show_points(points_tenths(100, Level::Advanced)), "200");
        assert_eq!(show_points(points_tenths(33, Level::Beginner)), "33");
    }

    #[test]
    fn hints_cost_ten_each_and_never_go_below_nothing() {
        assert_eq!(after_hints(85, 2), 65);
        assert_eq!(after_hints(10, 3), 0);
    }

    #[test]
    fn a_streak_breaks_at_a_gap() {
        assert_eq!(streaks(&[1, 2, 3, 5, 6]), (2, 3));
        assert_eq!(streaks(&[]), (0, 0));
        assert_eq!(streaks(&[9]), (1, 1));
    }
}
