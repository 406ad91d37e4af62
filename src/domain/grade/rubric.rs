//! The key points of a question, made ready for many answers.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::lexicon::Lexicon;
use super::text::{self, Class, Stem, Token, Vocabulary, spelled_out};
use super::words::is_link;
use super::{Decider, Grade, Guard, PointGrade, PointState, guard, score};
use crate::domain::ids::QuestionId;
use crate::domain::question::{Alternative, KeyPoint, Question};

/// The key points of a question, stemmed and indexed by the words that begin a term.
#[derive(Clone, Debug)]
pub struct Rubric {
    pub(super) question: QuestionId,
    pub(super) lexicon: Arc<Lexicon>,
    pub(super) vocabulary: Vocabulary,
    /// The stems of the prompt.
    pub(super) prompt: BTreeSet<Stem>,
    pub(super) points: Vec<Point>,
    pub(super) terms: Vec<Term>,
    /// Terms by their first stem.
    pub(super) starts: HashMap<Stem, Vec<usize>>,
}

#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) weight: u64,
    pub(super) required: bool,
    pub(super) rough: bool,
    /// It is said of one subject and must not be said of another.
    pub(super) has_subject: bool,
    pub(super) ways: Vec<Way>,
}

/// One way to cover a point: `need` of its groups. The first way is `all_of`, each `alt` is a way of its own.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) groups: Vec<Group>,
    pub(super) need: usize,
    pub(super) authored: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Group {
    /// How much it says to meet it, from how rare its words are in the bank.
    pub(super) weight: u32,
    /// Its terms are mostly negations: the point is that something is not so.
    pub(super) denies: bool,
    /// Some of its terms are negations.
    pub(super) may_deny: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Term {
    pub(super) point: usize,
    pub(super) role: Role,
    pub(super) stems: Vec<Stem>,
    /// Contains its negation.
    pub(super) denies: bool,
    /// Is a negation and nothing else.
    pub(super) is_denial: bool,
    /// Any other negation says the same.
    pub(super) general_denial: bool,
    /// Made of words of the prompt, and so no evidence by itself.
    pub(super) echo: bool,
    /// The first word was "each" or the like, for which a slash stands too: "one per AZ", "one/AZ".
    pub(super) slashed: bool,
    pub(super) rarity: u32,
    /// How many of its words it need not keep: so many more may stand between the others.
    pub(super) links: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Role {
    Evidence {
        way: usize,
        group: usize,
        /// Which term of its group.
        nth: usize,
    },
    /// The subject a point is said of.
    Subject,
    Rival,
    /// The first part of a `contradicts` pattern, with the parts that follow.
    Contradiction {
        rest: Vec<Vec<Stem>>,
    },
}

/// The most that one word can say.
const MOST_RARE: u32 = 8;
/// How a group weighs: the first one is the core of its point.
pub(super) const CORE: u32 = 5;
pub(super) const SIDE: u32 = 4;

impl Rubric {
    pub fn of(question: &Question, lexicon: &Arc<Lexicon>) -> Rubric {
        let mut vocabulary = Vocabulary::default();
        let prompt = prompt_stems(&question.prompt, &mut vocabulary);
        let mut rubric = Rubric {
            question: question.id.clone(),
            lexicon: lexicon.clone(),
            vocabulary,
            prompt,
            points: Vec::with_capacity(question.key_points.len()),
            terms: Vec::new(),
            starts: HashMap::new(),
        };
        for (index, key_point) in question.key_points.iter().enumerate() {
            let point = if key_point.all_of.is_empty() && key_point.alt.is_empty() {
                rubric.rough_point(index, key_point, question)
            } else {
                rubric.authored_point(index, key_point, question)
            };
            rubric.points.push(point);
        }
        for (index, term) in rubric.terms.iter().enumerate() {
            rubric.starts.entry(term.stems[0]).or_default().push(index);
        }
        rubric
    }

    fn authored_point(&mut self, index: usize, key_point: &KeyPoint, question: &Question) -> Point {
        let mut ways = Vec::with_capacity(1 + key_point.alt.len());
        let groups = key_point.all_of.len();
        // A point without groups keeps its `alt`s as the only ways.
        let need = key_point.need.unwrap_or(groups).clamp(1, groups.max(1));
        let groups = self.groups(index, 0, &key_point.all_of);
        ways.push(Way { groups, need, authored: true });
        for alternative in &key_point.alt {
            let single;
            let groups = match alternative {
                Alternative::Term(term) => {
                    single = vec![vec![term.clone()]];
                    &single
                }
                Alternative::Groups(groups) => groups,
            };
            let groups = self.groups(index, ways.len(), groups);
            ways.push(Way { need: groups.len().max(1), groups, authored: true });
        }
        let (about, rivals) = subjects(key_point, question);
        for term in about {
            self.add(index, Role::Subject, term);
        }
        for term in rivals {
            self.add(index, Role::Rival, term);
        }
        self.add_contradictions(index, key_point);
        Point {
            weight: u64::from(key_point.weight),
            required: key_point.required,
            rough: false,
            has_subject: !about.is_empty() && !rivals.is_empty(),
            ways,
        }
    }

    fn groups(&mut self, point: usize, way: usize, groups: &[Vec<String>]) -> Vec<Group> {
        let mut out = Vec::with_capacity(groups.len());
        for (group, terms) in groups.iter().enumerate() {
            let before = self.terms.len();
            for (nth, term) in terms.iter().enumerate() {
                self.add(point, Role::Evidence { way, group, nth }, term);
            }
            let added = &self.terms[before..];
            let denials = added.iter().filter(|term| term.is_denial).count();
            let may_deny = added.iter().any(|term| term.denies);
            let rarities: u32 = added.iter().map(|term| term.rarity).sum();
            let count = u32::try_from(added.len()).unwrap_or(u32::MAX).max(1);
            let weight = (rarities / count).max(1) * if group == 0 { CORE } else { SIDE };
            out.push(Group { weight, denies: denials > 0 && denials * 3 >= added.len(), may_deny });
        }
        out
    }

    /// A point without terms: words in common with its text, or with the sentence of the model answer that is next to it.
    fn rough_point(&mut self, index: usize, key_point: &KeyPoint, question: &Question) -> Point {
        let wanted = self.content_words(&key_point.text);
        let stems: Vec<Stem> = wanted.iter().map(|(stem, _)| *stem).collect();
        let mut denies = text::words(&key_point.text).iter().any(|word| word.class().denies());
        let mut ways = Vec::new();
        let nearest = self.nearest_sentence(&question.model_answer, &stems);
        denies |= nearest.as_ref().is_some_and(|(_, denies)| *denies);
        ways.push(self.rough_way(index, 0, &wanted, denies));
        if let Some((nearest, _)) = nearest {
            ways.push(self.rough_way(index, 1, &nearest, denies));
        }
        self.add_contradictions(index, key_point);
        Point {
            weight: u64::from(key_point.weight),
            required: key_point.required,
            rough: true,
            has_subject: false,
            ways,
        }
    }

    fn rough_way(&mut self, point: usize, way: usize, words: &[(Stem, u32)], denies: bool) -> Way {
        let mut groups = Vec::with_capacity(words.len());
        for (group, (stem, rarity)) in words.iter().enumerate() {
            let role = Role::Evidence { way, group, nth: 0 };
            let (stems, rarity) = (vec![*stem], *rarity);
            self.terms.push(Term {
                point,
                role,
                stems,
                denies,
                is_denial: false,
                general_denial: false,
                echo: false,
                slashed: false,
                rarity,
                links: 0,
            });
            groups.push(Group { weight: rarity, denies: false, may_deny: false });
        }
        Way { need: groups.len().max(1), groups, authored: false }
    }

    /// The different content words of a text that the prompt does not have, with how rare they are.
    fn content_words(&mut self, text: &str) -> Vec<(Stem, u32)> {
        let mut stems: Vec<(Stem, u32)> = Vec::new();
        for word in text::words(text).iter().filter(|word| word.class() == Class::Content) {
            for word in spelled_out(&word.text).words() {
                let stem = self.vocabulary.learn(word);
                if !self.prompt.contains(&stem) && !stems.iter().any(|(known, _)| *known == stem) {
                    stems.push((stem, self.lexicon.rarity(word)));
                }
            }
        }
        stems
    }

    /// The sentence of the model answer with the most of the wanted words, as stems, and whether it denies something.
    fn nearest_sentence(&mut self, model: &str, wanted: &[Stem]) -> Option<(Vec<(Stem, u32)>, bool)> {
        let tokens = text::read(model, &self.vocabulary, &self.lexicon);
        let mut best: Option<(usize, &[Token])> = None;
        for sentence in tokens.chunk_by(|a, b| a.sentence == b.sentence) {
            let shared = wanted.iter().filter(|stem| sentence.iter().any(|token| token.stem == **stem)).count();
            if shared > best.map_or(0, |(most, _)| most) {
                best = Some((shared, sentence));
            }
        }
        let (_, sentence) = best?;
        let text = &model[sentence[0].start..sentence[sentence.len() - 1].end];
        let denies = sentence.iter().any(|token| token.class.denies());
        Some((self.content_words(text), denies))
    }

    fn add_contradictions(&mut self, index: usize, key_point: &KeyPoint) {
        for pattern in &key_point.contradicts {
            let mut parts = pattern.split("..").map(str::trim).filter(|part| !part.is_empty());
            let Some(first) = parts.next() else { continue };
            let rest: Vec<&str> = parts.collect();
            let denies = text::words(pattern).iter().any(|word| word.class().denies());
            let rest = rest.iter().map(|part| self.learn(part)).filter(|stems| !stems.is_empty()).collect();
            let before = self.terms.len();
            self.add(index, Role::Contradiction { rest }, first);
            for term in &mut self.terms[before..] {
                term.denies = denies;
            }
        }
    }

    fn learn(&mut self, term: &str) -> Vec<Stem> {
        let words = text::words(term);
        words
            .iter()
            .flat_map(|word| spelled_out(&word.text).words().into_iter().map(str::to_owned).collect::<Vec<_>>())
            .map(|word| self.vocabulary.learn(&word))
            .collect()
    }

    /// Adds a term with its joined spellings.
    fn add(&mut self, point: usize, role: Role, term: &str) {
        let found = text::words(term);
        let raw: Vec<&str> = found.iter().map(|word| word.text.as_str()).collect();
        let spelled: Vec<String> = raw
            .iter()
            .flat_map(|word| spelled_out(word).words().into_iter().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        let classes: Vec<Class> = raw.iter().map(|word| text::class(word)).collect();
        let denies = classes.iter().any(|class| class.denies());
        let is_denial = !raw.is_empty() && classes.iter().all(|class| class.denies());
        let general_denial = raw.len() == 1 && text::denies_in_general(raw[0]);
        let rarest = spelled.iter().map(|word| self.lexicon.rarity(word)).max().unwrap_or(1);
        let rarity = (rarest + u32::from(spelled.len() > 1)).min(MOST_RARE);
        let mut spellings = Vec::new();
        match raw.as_slice() {
            [] => return,
            [a, b] => spellings.push(vec![format!("{a}{b}")]),
            [a, b, c] => {
                spellings.push(vec![format!("{a}{b}"), (*c).to_owned()]);
                spellings.push(vec![(*a).to_owned(), format!("{b}{c}")]);
                spellings.push(vec![format!("{a}{b}{c}")]);
            }
            _ => {}
        }
        let content: Vec<String> = spelled.iter().filter(|word| !is_link(word)).cloned().collect();
        let links = if content.len() >= 2 { spelled.len() - content.len() } else { 0 };
        let main = if links > 0 { content } else { spelled.clone() };
        spellings.insert(0, main);
        // "multi-stage" echoes a prompt that says "multistage", so all spellings are echoes if one is.
        let stems: Vec<Vec<Stem>> =
            spellings.iter().map(|words| words.iter().map(|word| self.vocabulary.learn(word)).collect()).collect();
        let echo = stems.iter().any(|stems: &Vec<Stem>| stems.iter().all(|stem| self.prompt.contains(stem)));
        let initials: Vec<&str> = raw.iter().copied().filter(|word| !is_link(word)).collect();
        self.vocabulary.learn_initials(&initials, &stems[0]);
        let per = spelled.len() > 1 && spelled[0] == "each";
        let behind_slash = per.then(|| stems[0][1..].to_vec());
        let make = |stems: Vec<Stem>, slashed| Term {
            point,
            role: role.clone(),
            stems,
            denies,
            is_denial,
            general_denial,
            echo,
            slashed,
            rarity,
            links,
        };
        self.terms.extend(
            stems.into_iter().map(|stems| make(stems, false)).chain(behind_slash.map(|stems| make(stems, true))),
        );
    }

    pub fn grade(&self, answer: &str) -> Grade {
        let words = text::words(answer);
        let tokens = text::tokens(answer, &words, &self.vocabulary, &self.lexicon);
        let found = self.search(&tokens);
        let guard = guard::of(self, answer, &words, &tokens, &found);
        let mistaken = found.iter().flat_map(|found| found.mistaken(&tokens)).collect();
        let mut points: Vec<PointGrade> =
            found.iter().zip(&self.points).map(|(found, point)| point.grade(found, &tokens, &mistaken)).collect();
        match &guard {
            Some(guard) if guard.voids() => {
                points
                    .iter_mut()
                    .for_each(|point| *point = nothing(point.missing.or(Some(0)).filter(|_| !self.is_rough())));
            }
            Some(Guard::List) => {
                let covered = points.iter_mut().filter(|point| point.state == PointState::Covered);
                covered.for_each(|point| point.state = PointState::Unclear);
            }
            _ => {}
        }
        let weights = self.points.iter().map(|point| (point.weight, point.required));
        let score = score(weights, &points, guard.as_ref());
        Grade { score, points, rough: self.is_rough(), guard, copied: None }
    }

    fn is_rough(&self) -> bool {
        self.points.iter().any(|point| point.rough)
    }

    /// The authored groups, as (key point, group), that no word of a text meets, wherever it stands.
    pub(crate) fn unmet_groups(&self, text: &str) -> Vec<(usize, usize)> {
        let tokens = text::read(text, &self.vocabulary, &self.lexicon);
        let mut unmet = Vec::new();
        for (index, (found, point)) in self.search(&tokens).iter().zip(&self.points).enumerate() {
            let way = &point.ways[0];
            let is_met = |group: &usize| found.hits[0].iter().any(|hit| hit.group == *group);
            unmet.extend(
                (0..way.groups.len()).filter(|group| way.authored && !is_met(group)).map(|group| (index, group)),
            );
        }
        unmet
    }

    /// The terms of `all_of` that the prompt already says, as (key point, group, term).
    pub(crate) fn echoes(&self) -> BTreeSet<(usize, usize, usize)> {
        let place = |term: &Term| match term.role {
            Role::Evidence { way: 0, group, nth } if term.echo => Some((term.point, group, nth)),
            _ => None,
        };
        self.terms.iter().filter_map(place).collect()
    }
}

/// What a point is said of, and what it must not be said of. Where its author says neither and its text begins with a subject of
/// another point, without a word of that one's rivals, it is that.
fn subjects<'a>(point: &'a KeyPoint, question: &'a Question) -> (&'a [String], &'a [String]) {
    if !point.about.is_empty() || !point.rivals.is_empty() {
        return (&point.about, &point.rivals);
    }
    let lower = |text: &str| {
        format!(" {} ", text::words(text).iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" "))
    };
    let text = lower(&point.text);
    let names = |terms: &[String]| terms.iter().any(|term| text.contains(&lower(term)));
    let begins = |terms: &[String]| terms.iter().any(|term| text.starts_with(&lower(term)));
    question
        .key_points
        .iter()
        .flat_map(|other| [(&other.about, &other.rivals), (&other.rivals, &other.about)])
        .find(|(about, rivals)| !rivals.is_empty() && begins(about) && !names(rivals))
        .map_or((&[], &[]), |(about, rivals)| (about, rivals))
}

/// A point of which nothing counts.
fn nothing(missing: Option<usize>) -> PointGrade {
    PointGrade { state: PointState::Missing, spans: Vec::new(), missing, by: Decider::Grader, void: None }
}

/// The stems of a prompt, with those of neighbours written as one.
fn prompt_stems(prompt: &str, vocabulary: &mut Vocabulary) -> BTreeSet<Stem> {
    let words = text::words(prompt);
    let mut stems = BTreeSet::new();
    for word in &words {
        stems.extend(spelled_out(&word.text).words().into_iter().map(|word| vocabulary.learn(word)));
    }
    stems.extend(words.windows(2).map(|pair| vocabulary.learn(&format!("{}{}", pair[0].text, pair[1].text))));
    for size in 2..=3 {
        for run in words.windows(size) {
            // Names only: "Secrets Manager".
            let is_name = |word: &text::Word| prompt[word.start..].starts_with(char::is_uppercase);
            if run.iter().all(is_name) && run.windows(2).all(|pair| &prompt[pair[0].end..pair[1].start] == " ") {
                let names: Vec<&str> = run.iter().map(|word| word.text.as_str()).collect();
                let known: Vec<Stem> = names.iter().map(|name| vocabulary.learn(name)).collect();
                vocabulary.learn_initials(&names, &known);
            }
        }
    }
    stems
}
