//! What an answer holds for each key point: terms found, and why some of them do not count.

use std::cmp::Reverse;
use std::collections::HashSet;

use super::rubric::{Point, Role, Rubric, Term, Way};
use super::text::{Class, Stem, Token, UNKNOWN};
use super::{Decider, PointGrade, PointState, Void, Voided, rank};

/// Words that may stand between two neighbouring words of a term.
const TERM_GAP: usize = 2;
/// Further apart, words of two sentences hardly say one thing.
const FAR_WORDS: usize = 30;
/// How many words of one group are tried as the middle of a point.
const ANCHORS: usize = 12;
/// Words between the parts of a `contradicts` pattern.
const PATTERN_GAP: usize = 10;

/// A term found in an answer: the tokens `first..=last`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    pub(super) group: usize,
    pub(super) nth: usize,
    pub(super) first: usize,
    pub(super) last: usize,
    sentence: usize,
    clause: usize,
    echo: bool,
    rarity: u32,
    is_denial: bool,
    /// Says that something is not so.
    denies: bool,
    /// Counts only together with the denial that it stands under.
    denied: bool,
    /// Another term of its group stands near it.
    in_company: bool,
}

/// What an answer holds for one point.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// By way, in the order of the answer.
    pub(super) hits: Vec<Vec<Hit>>,
    /// Where the subject (true) or a rival (false) is named: first and last token.
    subjects: Vec<(usize, usize, bool)>,
    contradictions: Vec<Contradiction>,
    /// Hits of the first way that do not count: (group, why, first and last token).
    voids: Vec<(usize, Void, usize, usize)>,
    /// Every token run that is a term of this point, whether it counts or not.
    pub(super) marks: Vec<(usize, usize)>,
}

/// A misconception found in an answer: the tokens `first..=last`, with room for other words in `gap`.
#[derive(Clone, Debug)]
struct Contradiction {
    first: usize,
    last: usize,
    gap: std::ops::Range<usize>,
}

impl Rubric {
    pub(super) fn search(&self, tokens: &[Token]) -> Vec<Found> {
        let mut found: Vec<Found> = self
            .points
            .iter()
            .map(|point| Found { hits: vec![Vec::new(); point.ways.len()], ..Found::default() })
            .collect();
        for at in 0..tokens.len() {
            let token = &tokens[at];
            // A word can begin one term alone and another together with its neighbour.
            for stem in [token.stem, token.joined].into_iter().filter(|stem| *stem != UNKNOWN) {
                for term in self.starts.get(&stem).into_iter().flatten().map(|index| &self.terms[*index]) {
                    if term.slashed && !token.slashed {
                        continue;
                    }
                    let Some(last) = match_stems(tokens, at, &term.stems, TERM_GAP + term.links) else { continue };
                    self.note(&mut found[term.point], term, tokens, at, last);
                }
            }
            // "Nothing of it" denies as "not" does.
            if matches!(token.class, Class::Not | Class::No) {
                for term in self.terms.iter().filter(|term| term.is_denial && is_denial_in_general(token, term)) {
                    self.note(&mut found[term.point], term, tokens, at, at);
                }
            }
        }
        for (found, point) in found.iter_mut().zip(&self.points) {
            if point.has_subject {
                let Found { hits, subjects, contradictions, voids, .. } = found;
                let subjects = &longest(subjects);
                for (way, hits) in hits.iter_mut().enumerate() {
                    hits.retain(|hit| {
                        let right = is_said_of_subject(hit, subjects, tokens);
                        if !right && way == 0 {
                            voids.push((hit.group, Void::Rival, hit.first, hit.last));
                        }
                        right
                    });
                }
                // "RTO is the downtime and RPO the data loss" says nothing about the data loss of an RTO.
                contradictions.retain(|found| {
                    let from = subjects.partition_point(|(at, _)| *at < found.gap.start);
                    !subjects[from..].iter().take_while(|(at, _)| *at < found.gap.end).any(|(_, right)| !right)
                });
            }
        }
        found
    }

    fn note(&self, found: &mut Found, term: &Term, tokens: &[Token], first: usize, last: usize) {
        let here = &tokens[first..=last];
        let in_salad = here.iter().any(|token| token.salad);
        let is_refuted = here.iter().any(|token| token.refuted);
        let is_denied = !term.denies && here.iter().any(|token| token.denied);
        match &term.role {
            Role::Evidence { way, group, nth } => {
                if first == last && tokens[first].in_path {
                    return;
                }
                found.marks.push((first, last));
                let may_be_denied = self.points[term.point].ways[*way].groups.iter().any(|group| group.may_deny);
                let why = match () {
                    () if in_salad => Some(Void::Salad),
                    () if is_refuted => Some(Void::Refuted),
                    () if is_denied && !may_be_denied => Some(Void::Denied),
                    () => None,
                };
                if let Some(why) = why {
                    if *way == 0 {
                        found.voids.push((*group, why, first, last));
                    }
                    return;
                }
                let hit = Hit {
                    group: *group,
                    nth: *nth,
                    first,
                    last,
                    sentence: tokens[first].sentence,
                    clause: tokens[first].clause,
                    echo: term.echo,
                    rarity: term.rarity,
                    is_denial: term.is_denial,
                    denies: term.denies,
                    denied: is_denied,
                    in_company: false,
                };
                // "lock file" and "lockfile" are found in the same place.
                let mut known = found.hits[*way].iter().rev().take_while(|known| known.first == first);
                if !known.any(|known| (known.group, known.last) == (*group, last)) {
                    found.hits[*way].push(hit);
                }
            }
            Role::Subject => found.subjects.push((first, last, true)),
            Role::Rival => found.subjects.push((first, last, false)),
            Role::Contradiction { rest } => {
                if let Some((gap_end, end)) = match_rest(tokens, last, rest)
                    && !is_possessor(tokens, end)
                    && tokens[first..=end]
                        .iter()
                        .all(|token| !token.salad && !token.refuted && (term.denies || !token.denied))
                {
                    found.contradictions.push(Contradiction { first, last: end, gap: last + 1..gap_end });
                }
            }
        }
    }
}

/// "No", "none" and "nothing" deny what "not" denies; "without" is a word of its own.
fn is_denial_in_general(token: &Token, term: &Term) -> bool {
    term.stems.len() == 1 && token.stem != term.stems[0] && token.general_denial && term.general_denial
}

/// "the private subnet's route table" is about the table.
fn is_possessor(tokens: &[Token], at: usize) -> bool {
    tokens[at].possessive && tokens.get(at + 1).is_some_and(|next| next.clause == tokens[at].clause)
}

impl Found {
    /// The clauses that hold a misconception.
    pub(super) fn mistaken<'a>(&'a self, tokens: &'a [Token]) -> impl Iterator<Item = usize> + 'a {
        self.contradictions.iter().flat_map(|found| tokens[found.first].clause..=tokens[found.last].clause)
    }
}

impl Point {
    /// `mistaken`: the clauses that hold a misconception about any point.
    pub(super) fn grade(&self, found: &Found, tokens: &[Token], mistaken: &HashSet<usize>) -> PointGrade {
        let by = Decider::Grader;
        if !found.contradictions.is_empty() {
            let spans = spans(found.contradictions.iter().map(|found| (found.first, found.last)), tokens);
            return PointGrade { state: PointState::Contradicted, spans, missing: None, by, void: None };
        }
        let mut best = PointGrade { state: PointState::Missing, spans: Vec::new(), missing: None, by, void: None };
        let mut best_met = vec![None; self.ways[0].groups.len()];
        for (index, way) in self.ways.iter().enumerate() {
            let met = way.meet(&found.hits[index]);
            let mut state = way.state(&met);
            // Who is wrong in a clause has hardly made another point in it.
            let in_mistake = |hit: &Hit| mistaken.contains(&hit.clause);
            if state == PointState::Covered && (is_far_apart(&met) || met.iter().flatten().any(in_mistake)) {
                state = PointState::Unclear;
            }
            if index == 0 {
                best_met.clone_from(&met);
            }
            if rank(state) > rank(best.state) {
                best.state = state;
                best.spans = spans(met.iter().flatten().map(|hit| (hit.first, hit.last)), tokens);
            }
        }
        if best.state != PointState::Covered && self.ways[0].authored {
            best.missing = best_met.iter().position(Option::is_none);
        }
        if best.state != PointState::Covered {
            let lacking = |group: usize| best_met.get(group).is_none_or(Option::is_none);
            best.void = found
                .voids
                .iter()
                .find(|(group, ..)| lacking(*group))
                .map(|(_, why, first, last)| Voided { why: *why, span: (tokens[*first].start, tokens[*last].end) });
        }
        best
    }
}

impl Way {
    /// The best choice of hits, one a group, within two neighbouring sentences.
    fn meet(&self, hits: &[Hit]) -> Vec<Option<Hit>> {
        let mut best = vec![None; self.groups.len()];
        let mut most = (0, false, 0, Reverse(usize::MAX));
        let mut start = 0;
        while start < hits.len() {
            let sentence = hits[start].sentence;
            let here = hits[start..].iter().take_while(|hit| hit.sentence == sentence).count();
            let window = hits[start..].iter().take_while(|hit| hit.sentence <= sentence + 1).count();
            let window = &hits[start..start + window];
            let order = self.order(window);
            let anchors = window.iter().enumerate().filter(|(_, hit)| order.first() == Some(&hit.group));
            for (anchor, _) in anchors.take(ANCHORS) {
                let met = self.assign(window, &order, anchor);
                let count = met.iter().flatten().count();
                let worth = (count, !is_far_apart(&met), self.weight(&met), Reverse(extent(&met)));
                if worth > most && met.iter().flatten().any(|hit| !hit.echo) {
                    (best, most) = (met, worth);
                }
            }
            start += here;
        }
        best
    }

    /// The groups that have hits, those with the fewest first; what is denied is chosen before its denial.
    fn order(&self, window: &[Hit]) -> Vec<usize> {
        let mut counts = vec![0_usize; self.groups.len()];
        for hit in window {
            counts[hit.group] += 1;
        }
        let mut order: Vec<usize> = (0..self.groups.len()).filter(|group| counts[*group] > 0).collect();
        order.sort_by_key(|group| (self.groups[*group].may_deny, counts[*group]));
        order
    }

    /// Gives each group a hit of its own, the first one in `order` the hit at `anchor`, the others what is near it. What is not an
    /// echo of the prompt is preferred.
    fn assign(&self, window: &[Hit], order: &[usize], anchor: usize) -> Vec<Option<Hit>> {
        let anchor = window[anchor];
        let denials: Vec<usize> = window.iter().filter(|hit| hit.denies).map(|hit| hit.clause).collect();
        let mut met: Vec<Option<Hit>> = vec![None; self.groups.len()];
        for group in order.iter().copied() {
            let free = window.iter().filter(|hit| {
                let is_taken = met.iter().flatten().any(|taken| hit.first <= taken.last && taken.first <= hit.last);
                // A denial is evidence of what it denies only; one among other terms may be a contrast, "roles and not keys".
                let strict = self.groups[group].denies;
                let near =
                    |taken: &Hit| if strict { taken.clause == hit.clause } else { taken.sentence == hit.sentence };
                let denies_something = || self.groups.len() == 1 || met.iter().flatten().any(near);
                // And what is denied counts only together with its denial.
                let is_allowed = !hit.denied || denials.contains(&hit.clause);
                hit.group == group && !is_taken && is_allowed && (!hit.is_denial || denies_something())
            });
            met[group] = free
                .max_by_key(|hit| {
                    let wanted = self.groups[group].may_deny || denials.contains(&hit.clause) || !self.denies();
                    let distance = hit.first.abs_diff(anchor.first);
                    let is_near = hit.sentence == anchor.sentence || distance <= FAR_WORDS;
                    let is_anchor = hit.group == anchor.group && distance == 0;
                    (
                        wanted,
                        is_anchor,
                        !hit.echo,
                        !hit.denied,
                        is_near,
                        hit.clause == anchor.clause,
                        hit.rarity,
                        Reverse(distance),
                        Reverse(hit.first),
                    )
                })
                .copied();
        }
        let denied_with: Vec<usize> = met.iter().flatten().filter(|hit| hit.denies).map(|hit| hit.clause).collect();
        for hit in &mut met {
            *hit = hit.filter(|hit| !hit.denied || denied_with.contains(&hit.clause));
            if let Some(hit) = hit {
                let apart = |other: &Hit| other.nth != hit.nth && (other.last < hit.first || hit.last < other.first);
                hit.in_company =
                    window.iter().any(|other| other.group == hit.group && !other.denied && !other.echo && apart(other));
            }
        }
        met
    }

    /// The point is that something is not so.
    fn denies(&self) -> bool {
        self.groups.iter().any(|group| group.denies)
    }

    /// How much of the way is met, by the weights of its groups and of the words that met them.
    fn weight(&self, met: &[Option<Hit>]) -> u32 {
        let worth = |(index, group): (usize, &super::rubric::Group)| {
            let hit = met[index]?;
            let factor = if index == 0 { super::rubric::CORE } else { super::rubric::SIDE };
            Some(match hit {
                _ if hit.echo => 0,
                _ if hit.in_company => group.weight * super::rubric::CORE / super::rubric::SIDE,
                _ => group.weight.min(hit.rarity * factor),
            })
        };
        self.groups.iter().enumerate().filter_map(worth).sum()
    }

    fn state(&self, met: &[Option<Hit>]) -> PointState {
        let total: u32 = self.groups.iter().map(|group| group.weight).sum();
        let weight = self.weight(met);
        if !self.authored {
            // Three words of five are enough: a text of its own words seldom shares more.
            let enough = |parts: usize| {
                let count = met.iter().flatten().count();
                count * parts * 5 >= self.groups.len() * 3
                    && u64::from(weight) * parts as u64 * 5 >= u64::from(total) * 3
            };
            return match weight {
                0 => PointState::Missing,
                _ if enough(1) => PointState::Covered,
                _ if enough(2) => PointState::Unclear,
                _ => PointState::Missing,
            };
        }
        let count = met.iter().flatten().count();
        let lacks_denial = met.iter().zip(&self.groups).any(|(hit, group)| hit.is_none() && group.denies);
        let groups = u32::try_from(self.groups.len()).unwrap_or(u32::MAX).max(1);
        let needed = total * u32::try_from(self.need).unwrap_or(u32::MAX).min(groups) / groups;
        match count {
            _ if count >= self.need => PointState::Covered,
            _ if count > 0 && !lacks_denial && 5 * weight >= 2 * needed => PointState::Unclear,
            _ => PointState::Missing,
        }
    }
}

/// From the first word to the last, in words.
fn extent(met: &[Option<Hit>]) -> usize {
    let hits = || met.iter().flatten();
    hits().map(|hit| hit.last).max().unwrap_or(0) - hits().map(|hit| hit.first).min().unwrap_or(0)
}

/// The words stand in two sentences, with many others between them.
fn is_far_apart(met: &[Option<Hit>]) -> bool {
    let mut hits: Vec<&Hit> = met.iter().flatten().collect();
    hits.sort_by_key(|hit| hit.first);
    hits.windows(2).any(|pair| pair[0].sentence != pair[1].sentence && pair[1].first > pair[0].last + FAR_WORDS)
}

/// The last token of a term that begins at `at`: its stems in order, in one sentence, with small gaps.
fn match_stems(tokens: &[Token], at: usize, stems: &[Stem], gap: usize) -> Option<usize> {
    let mut last = step(tokens, at, stems[0])?;
    for stem in &stems[1..] {
        let next = (last + 1..tokens.len()).take(gap + 1);
        let mut reached = next.take_while(|i| tokens[*i].sentence == tokens[at].sentence);
        last = reached.find_map(|i| step(tokens, i, *stem))?;
    }
    Some(last)
}

/// The last token of a stem that begins at `at`: the same one, or the next if the two are written apart.
fn step(tokens: &[Token], at: usize, stem: Stem) -> Option<usize> {
    match tokens[at] {
        token if token.stem == stem => Some(at),
        token if token.joined == stem => Some(at + 1),
        _ => None,
    }
}

/// The first token of the last part of a pattern and its last token. The parts follow `last` in order, in the same clause;
/// a conjunction of the pattern, the "unless" of "open .. unless", may open the next one.
fn match_rest(tokens: &[Token], mut last: usize, rest: &[Vec<Stem>]) -> Option<(usize, usize)> {
    let mut start = last + 1;
    for part in rest {
        let clause = tokens[last].clause;
        let may_begin = |i: usize| match tokens[i].clause - clause {
            0 => true,
            1 => tokens[i - 1].clause == clause && tokens[i].class == Class::Function,
            _ => false,
        };
        let reached = (last + 1..tokens.len()).take(PATTERN_GAP + 1).filter(|i| may_begin(*i));
        (start, last) = reached.into_iter().find_map(|i| {
            let end = match_stems(tokens, i, part, TERM_GAP)?;
            (tokens[end].clause == tokens[i].clause).then_some((i, end))
        })?;
    }
    Some((start, last))
}

/// Of names that overlap the longest: a "self-managed node" is no "managed node". (first token, whether it is the subject)
fn longest(names: &[(usize, usize, bool)]) -> Vec<(usize, bool)> {
    let mut kept: Vec<(usize, usize, bool)> = Vec::with_capacity(names.len());
    for name in names {
        match kept.last_mut() {
            Some(before) if name.0 <= before.1 => {
                if name.1 - name.0 > before.1 - before.0 {
                    *before = *name;
                }
            }
            _ => kept.push(*name),
        }
    }
    kept.into_iter().map(|(first, _, right)| (first, right)).collect()
}

/// Whether the subject named last before a hit is the right one. A hit before all names belongs to the first of its
/// clause, and a hit without any name in its sentence or the one before is given the benefit of the doubt.
fn is_said_of_subject(hit: &Hit, subjects: &[(usize, bool)], tokens: &[Token]) -> bool {
    let behind = subjects.partition_point(|(at, _)| *at <= hit.last);
    let before = subjects[..behind].last().filter(|(at, _)| tokens[*at].sentence + 1 >= hit.sentence);
    let same_clause = |at: usize| tokens[at].clause == tokens[hit.first].clause;
    let after = subjects.get(behind).filter(|(at, _)| same_clause(*at));
    match (before, after) {
        (Some((at, _)), Some((_, right))) if !same_clause(*at) => *right,
        (Some((_, right)), _) | (None, Some((_, right))) => *right,
        (None, None) => true,
    }
}

/// The byte ranges of runs of tokens, sorted, those that overlap made one.
fn spans(runs: impl Iterator<Item = (usize, usize)>, tokens: &[Token]) -> Vec<(usize, usize)> {
    let mut spans: Vec<(usize, usize)> = runs.map(|(first, last)| (tokens[first].start, tokens[last].end)).collect();
    spans.sort_unstable();
    let mut apart: Vec<(usize, usize)> = Vec::with_capacity(spans.len());
    for span in spans {
        match apart.last_mut() {
            Some(before) if span.0 < before.1 => before.1 = before.1.max(span.1),
            _ => apart.push(span),
        }
    }
    apart
}
