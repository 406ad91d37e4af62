//! Text as the grader reads it: words with their places and stems, cut into sentences and clauses, and which of the
//! words do not count because they are denied or stand in a bare list.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use rust_stemmers::{Algorithm, Stemmer};
use strsim::osa_distance;
use unicode_normalization::UnicodeNormalization;

use super::lexicon::Lexicon;
pub(crate) use super::words::{Class, class};
use super::words::{is_auxiliary, is_common, may_stand_for, read_as};

/// A stem as a number. [`UNKNOWN`] stands for every stem that the rubric does not mention.
pub(crate) type Stem = u32;
pub(crate) const UNKNOWN: Stem = 0;

/// Longer "words" are no words; stemming them would only cost time.
const LONGEST_STEMMED: usize = 40;
/// From how many letters on a word may have one slip of the pen, and from how many on two.
const TYPO_LETTERS: usize = 5;
const LONG_TYPO_LETTERS: usize = 8;
/// A stretch of this many words with at most [`SALAD_GLUE`] function words and no punctuation is no sentence.
const SALAD_WORDS: usize = 12;
const SALAD_GLUE: usize = 2;
/// How far "no" and "without" reach.
const NO_REACH: usize = 6;
/// How far "not" reaches inside a condition: "if it is not healthy the group replaces it" denies one thing only.
const CONDITION_REACH: usize = 2;

/// The stems a rubric knows, numbered from 1.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vocabulary {
    stems: HashMap<String, Stem>,
    /// The first two letters of the stems: what begins otherwise need not be stemmed.
    starts: HashSet<[u8; 2]>,
    /// What the stems begin with: a word that is none of these is not the first half of one.
    halves: HashSet<String>,
    /// The words as they are written, by their first letter: what a misspelled word may have meant.
    spellings: HashMap<char, Vec<(String, Stem)>>,
    /// What initials stand for.
    initials: HashMap<String, Vec<Stem>>,
}

impl Vocabulary {
    /// The number of a word's stem, given out now if it is new. `word` is in lower case and spelled out.
    pub(crate) fn learn(&mut self, word: &str) -> Stem {
        let stem = stem(word);
        if let Some(known) = self.stems.get(stem.as_ref()) {
            let known = *known;
            self.learn_spelling(word, known);
            return known;
        }
        let number = self.stems.len() as Stem + 1;
        if let [first, second, ..] = stem.as_bytes() {
            self.starts.insert([*first, *second]);
        }
        self.halves.extend(stem.char_indices().skip(1).map(|(end, _)| stem[..end].to_owned()));
        self.stems.insert(stem.into_owned(), number);
        self.learn_spelling(word, number);
        number
    }

    fn learn_spelling(&mut self, word: &str, stem: Stem) {
        let Some(first) = word.chars().next().filter(|_| word.len() >= TYPO_LETTERS) else {
            return;
        };
        let known = self.spellings.entry(first).or_default();
        if !known.iter().any(|(spelling, _)| spelling == word) {
            known.push((word.to_owned(), stem));
        }
    }

    /// Lets the initials of a term stand for it, unless they are a word already.
    pub(crate) fn learn_initials(&mut self, words: &[&str], stems: &[Stem]) {
        let initials: String = words.iter().filter_map(|word| word.chars().next()).collect();
        let fits = (2..=4).contains(&words.len()) && words.iter().all(|word| word.len() > 1 && word.is_ascii());
        let is_free = read_as(&initials).is_none() && may_stand_for(&initials, words);
        if fits && class(&initials) == Class::Content && is_free {
            self.initials.entry(initials).or_insert_with(|| stems.to_vec());
        }
    }

    fn find(&self, word: &str) -> Stem {
        // Stemming keeps the first two letters, but for "dying" and its like.
        if let [first, second, _, ..] = word.as_bytes()
            && *second != b'y'
            && !self.starts.contains(&[*first, *second])
        {
            return UNKNOWN;
        }
        self.stems.get(stem(word).as_ref()).copied().unwrap_or(UNKNOWN)
    }

    /// The one word of the rubric that is a slip of the pen away: one letter from five on, two from eight on, never the first.
    fn repair(&self, word: &str) -> Stem {
        let letters = word.chars().count();
        let Some(first) = word.chars().next().filter(|_| (TYPO_LETTERS..=LONGEST_STEMMED).contains(&letters)) else {
            return UNKNOWN;
        };
        let allowed = if letters >= LONG_TYPO_LETTERS { 2 } else { 1 };
        let near = self.spellings.get(&first).into_iter().flatten().filter_map(|(known, stem)| {
            let off = known.len().abs_diff(word.len());
            (off <= allowed).then(|| osa_distance(known, word)).filter(|off| *off <= allowed).map(|off| (off, *stem))
        });
        near.min().map_or(UNKNOWN, |(_, stem)| stem)
    }

    /// The stems of a word of an answer: several for shorthand.
    fn read(&self, word: &Word, lexicon: &Lexicon) -> Vec<Stem> {
        if word.capitals
            && let Some(stems) = self.initials.get(&word.text)
            && self.find(&word.text) == UNKNOWN
        {
            return stems.clone();
        }
        match spelled_out(&word.text) {
            Spelled::Several(words) => words.iter().map(|word| self.find(word)).collect(),
            Spelled::One(spelled) => {
                let found = self.find(&spelled);
                let known = found != UNKNOWN
                    || class(&word.text) != Class::Content
                    || is_common(&spelled)
                    || lexicon.knows(&stem(&spelled));
                vec![if known { found } else { self.repair(&spelled) }]
            }
        }
    }
}

/// A word as it is read.
pub(crate) enum Spelled<'a> {
    One(Cow<'a, str>),
    Several(&'static [&'static str]),
}

impl Spelled<'_> {
    pub(crate) fn words(&self) -> Vec<&str> {
        match self {
            Spelled::One(word) => vec![word],
            Spelled::Several(words) => words.to_vec(),
        }
    }
}

/// Shorthand written out; British spellings as American ones.
pub(crate) fn spelled_out(word: &str) -> Spelled<'_> {
    match read_as(word) {
        Some([one]) => Spelled::One(Cow::Borrowed(one)),
        Some(several) => Spelled::Several(several),
        None => Spelled::One(american(word)),
    }
}

/// "organise" and "utilisation" as "organize" and "utilization". Words that only look alike become no others.
fn american(word: &str) -> Cow<'_, str> {
    for (british, american) in [("is", "iz"), ("ys", "yz")] {
        for ending in ["e", "es", "ed", "ing", "er", "ers", "ation", "ations"] {
            if let Some(base) = word.strip_suffix(ending).and_then(|base| base.strip_suffix(british))
                && base.len() >= 4
            {
                return Cow::Owned(format!("{base}{american}{ending}"));
            }
        }
    }
    Cow::Borrowed(word)
}

/// A word of a text, in lower case, and the bytes it stands on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Written in capitals.
    pub(crate) capitals: bool,
}

impl Word {
    pub(crate) fn class(&self) -> Class {
        class(&self.text)
    }
}

/// A word as the grader sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) stem: Stem,
    /// The stem of this word and the next one written as one: "multi stage" is "multistage".
    pub(crate) joined: Stem,
    pub(crate) class: Class,
    pub(crate) sentence: usize,
    pub(crate) clause: usize,
    /// The word of the text that it is (part of).
    pub(crate) word: usize,
    /// Directly behind a slash: the "AZ" of "1 NAT/AZ".
    pub(crate) slashed: bool,
    /// "The subnet's ..": something that belongs to it follows.
    pub(crate) possessive: bool,
    /// "Not", "no", "none", "nothing", "nobody", "never": any of these says that something is not so.
    pub(crate) general_denial: bool,
    /// Read together with the "not" before it.
    pub(crate) opposite: bool,
    /// A folder of a path: "/var/log/messages" is not about logs.
    pub(crate) in_path: bool,
    /// In the reach of a negation.
    pub(crate) denied: bool,
    /// Its whole sentence is said not to be true.
    pub(crate) refuted: bool,
    /// Part of a bare list of terms.
    pub(crate) salad: bool,
}

/// The Porter2 stem of a word in lower case.
pub(crate) fn stem(word: &str) -> Cow<'_, str> {
    if word.len() > LONGEST_STEMMED || !word.bytes().all(|b| b.is_ascii_lowercase()) {
        return Cow::Borrowed(word);
    }
    Stemmer::create(Algorithm::English).stem(word)
}

/// Reads a text into tokens. Linear in its length.
pub(crate) fn read(text: &str, vocabulary: &Vocabulary, lexicon: &Lexicon) -> Vec<Token> {
    tokens(text, &words(text), vocabulary, lexicon)
}

/// The same for who has the text's words already.
pub(super) fn tokens(text: &str, words: &[Word], vocabulary: &Vocabulary, lexicon: &Lexicon) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::with_capacity(words.len());
    let mut cache: HashMap<(&str, bool), (Vec<Stem>, Class)> = HashMap::new();
    let mut pair = String::new();
    // Where the present run without punctuation began.
    let mut run = 0;
    let (mut sentence, mut clause) = (0, 0);
    // Clauses that only narrow down what stands before them: "which repository uses the role".
    let mut narrowing = HashSet::new();
    let mut line_start = true;
    for (i, word) in words.iter().enumerate() {
        let (stems, class) = cache
            .entry((&word.text, word.capitals))
            .or_insert_with(|| (vocabulary.read(word, lexicon), class(&word.text)))
            .clone();
        let mut slashed = false;
        if i > 0 {
            let before = &words[i - 1];
            let gap = &text[before.end..word.start];
            slashed = gap == "/";
            let cut = if line_start && before.text.bytes().all(|b| b.is_ascii_digit()) && gap.starts_with(['.', ')']) {
                // The number of a list item.
                Cut::Clause
            } else {
                cut(&before.text, gap, &word.text)
            };
            line_start = gap.contains('\n');
            match cut {
                Cut::Sentence => {
                    sentence += 1;
                    clause += 1;
                }
                Cut::Clause => clause += 1,
                Cut::None if opens_clause(&words[i..]) => clause += 1,
                Cut::None if narrows(&word.text) => {
                    clause += 1;
                    narrowing.insert(clause);
                }
                Cut::None => {}
            }
            if gap.chars().any(|c| !matches!(c, ' ' | '\t' | '-' | '_' | '\'' | '’' | '"') && !c.is_alphanumeric()) {
                mark_salad(&mut tokens[run..]);
                run = tokens.len();
            }
            if vocabulary.halves.contains(&before.text) && may_join(gap) {
                pair.clear();
                pair.push_str(&before.text);
                pair.push_str(&word.text);
                if let Some(token) = tokens.last_mut().filter(|_| stems.len() == 1) {
                    token.joined = vocabulary.find(&pair);
                }
            }
        }
        // "Not healthy" is "unhealthy", where the rubric has that.
        let opposite = (i > 0 && words[i - 1].text == "not" && stems.len() == 1)
            .then(|| vocabulary.find(&format!("un{}", word.text)))
            .filter(|stem| *stem != UNKNOWN);
        let (start, end) = (word.start, word.end);
        let (joined, denied, refuted, salad) = (UNKNOWN, false, false, false);
        for (nth, stem) in opposite.map_or(stems, |stem| vec![stem]).into_iter().enumerate() {
            tokens.push(Token {
                start,
                end,
                stem,
                joined,
                class,
                sentence,
                clause,
                word: i,
                slashed: slashed && nth == 0,
                possessive: is_possessive(text, word.end),
                general_denial: denies_in_general(&word.text),
                opposite: opposite.is_some(),
                in_path: false,
                denied,
                refuted,
                salad,
            });
        }
    }
    mark_salad(&mut tokens[run..]);
    mark_paths(&mut tokens, text);
    mark_denied(&mut tokens, words, &narrowing);
    mark_refuted(&mut tokens, words);
    tokens
}

/// The words of a text in lower case, letters in their plain form (NFKD without accents). "don't" is "do" and "not", "it's" is
/// "it", "VMs" is "vm", "w/o" is "without", "5%" is "5 percent"; zero-width characters do not part a word.
pub(crate) fn words(text: &str) -> Vec<Word> {
    let mut found: Vec<Word> = Vec::with_capacity(text.len() / 6);
    let mut chars = text.char_indices().peekable();
    let mut before = None;
    while let Some((start, first)) = chars.next() {
        let last_char = before.replace(first);
        if !first.is_alphanumeric() {
            let next = chars.peek().map(|(_, c)| *c);
            if let Some(word) = sign(first, last_char, next) {
                let end = start + first.len_utf8();
                found.push(Word { text: word.to_owned(), start, end, capitals: false });
            }
            continue;
        }
        let mut word = String::new();
        push_plain(&mut word, first);
        let mut end = start + first.len_utf8();
        let mut capitals = first.is_uppercase() || first.is_numeric();
        let mut last = first;
        while let Some(&(at, c)) = chars.peek() {
            if c.is_alphanumeric() {
                capitals &= last.is_uppercase() || last.is_numeric();
                push_plain(&mut word, c);
                last = c;
            } else if !is_ignorable(c) {
                break;
            }
            end = at + c.len_utf8();
            before = Some(c);
            chars.next();
        }
        let plural = capitals && last == 's' && word.len() > 2;
        // The plural of an abbreviation, whose stem would keep the s.
        if plural {
            word.pop();
        }
        let capitals = capitals && (plural || last.is_uppercase() || last.is_numeric());
        match apostrophe_tail(&text[end..]) {
            Some((length, tail)) if tail == "t" && word.len() > 1 && word.ends_with('n') => {
                word.pop();
                let word = match word.as_str() {
                    "ca" => "can".to_owned(),
                    "wo" => "will".to_owned(),
                    "sha" => "shall".to_owned(),
                    _ => word,
                };
                // The n belongs to both halves in writing; the span of "not" starts behind it.
                found.push(Word { text: word, start, end, capitals });
                found.push(Word { text: "not".to_owned(), start: end, end: end + length, capitals: false });
                skip_to(&mut chars, end + length);
            }
            Some((length, tail)) if matches!(tail.as_str(), "s" | "re" | "ve" | "ll" | "d" | "m") => {
                found.push(Word { text: word, start, end, capitals });
                skip_to(&mut chars, end + length);
            }
            _ => match found.last_mut() {
                // "w/o", "B/G", "I/O"
                Some(first) if is_letter(&word) && is_letter(&first.text) && &text[first.end..start] == "/" => {
                    first.text = match (first.text.as_str(), word.as_str()) {
                        ("w", "o") => "without".to_owned(),
                        (a, b) => format!("{a}{b}"),
                    };
                    first.end = end;
                    first.capitals &= capitals;
                }
                _ => found.push(Word { text: word, start, end, capitals }),
            },
        }
    }
    found
}

fn is_letter(word: &str) -> bool {
    word.len() == 1 && word.bytes().all(|b| b.is_ascii_lowercase())
}

fn push_plain(word: &mut String, c: char) {
    if c.is_ascii() {
        word.push(c.to_ascii_lowercase());
    } else {
        word.extend(c.nfkd().filter(|c| !is_ignorable(*c)).flat_map(char::to_lowercase));
    }
}

/// A sign that is read as a word: "5%", "$$$", "no *".
fn sign(sign: char, before: Option<char>, next: Option<char>) -> Option<&'static str> {
    let apart = |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || matches!(c, ';' | ',' | '.' | ')' | '"' | '`'));
    match sign {
        '%' if before.is_some_and(|c| c.is_ascii_digit()) => Some("percent"),
        '$' | '€' if before != Some('$') && before != Some('€') && !next.is_some_and(char::is_alphabetic) => {
            Some("cost")
        }
        '*' if matches!(before, Some(' ' | '"' | '`')) && apart(next) && next.is_none_or(|c| c != ' ') => {
            Some("wildcard")
        }
        '*' if before == Some(' ') && next == Some(' ') => Some("wildcard"),
        _ => None,
    }
}

/// What follows an apostrophe directly behind a word: its bytes with the apostrophe, and up to three letters in lower case.
fn apostrophe_tail(rest: &str) -> Option<(usize, String)> {
    let apostrophe = rest.chars().next().filter(|c| matches!(c, '\'' | '’'))?.len_utf8();
    let tail: String = rest[apostrophe..].chars().take_while(|c| c.is_alphanumeric()).take(3).collect();
    (!tail.is_empty()).then(|| (apostrophe + tail.len(), tail.to_lowercase()))
}

/// Marks the folders of absolute paths.
fn mark_paths(tokens: &mut [Token], text: &str) {
    let mut inside = false;
    for at in 0..tokens.len() {
        let before = &text[..tokens[at].start];
        let opens =
            before.strip_suffix('/').is_some_and(|rest| rest.is_empty() || rest.ends_with([' ', '`', '"', '\n']));
        inside = opens || inside && before.ends_with('/');
        let end = tokens[at].end;
        tokens[at].in_path = inside && text[end..].starts_with('/');
    }
}

/// Whether a word ends before "'s".
fn is_possessive(text: &str, end: usize) -> bool {
    matches!(apostrophe_tail(&text[end..]), Some((_, tail)) if tail == "s")
}

/// "Without" and its like name what is denied; these deny anything.
pub(super) fn denies_in_general(word: &str) -> bool {
    matches!(word, "not" | "no" | "none" | "nothing" | "nobody" | "never" | "hardly")
}

fn skip_to(chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>, end: usize) {
    while chars.next_if(|(at, _)| *at < end).is_some() {}
}

/// Zero-width characters, soft hyphens and combining accents.
fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{300}'..='\u{36f}')
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cut {
    None,
    Clause,
    Sentence,
}

/// What the characters between two words part.
fn cut(before: &str, gap: &str, after: &str) -> Cut {
    let mut cut = Cut::None;
    let mut chars = gap.chars().peekable();
    let mut newlines = 0;
    let mut spaced = false;
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        cut = cut.max(match c {
            // "terraform.tfstate" and "e.g." go on; so does ".5".
            '.' if before.len() == 1 || matches!(before, "vs" | "etc") => Cut::None,
            '.' if next.is_some_and(|c| !matches!(c, '/' | '-' | '_')) => Cut::Sentence,
            '!' | '?' | '。' | '！' | '？' | '؟' | '।' => Cut::Sentence,
            '…' if next.is_some() => Cut::Sentence,
            '\n' => {
                newlines += 1;
                if newlines > 1 { Cut::Sentence } else { Cut::None }
            }
            '-' | '*' | '•' | '·' if newlines > 0 => Cut::Sentence,
            '-' if spaced || next == Some('>') => Cut::Clause,
            '=' if next == Some('>') => Cut::Clause,
            ',' if gap == "," && is_number(before) && is_number(after) => Cut::None,
            ':' if gap == ":" => Cut::None,
            ',' | ';' | ':' | '(' | ')' | '[' | ']' | '—' | '–' | '→' | '،' | '；' | '，' => Cut::Clause,
            _ => Cut::None,
        });
        spaced = c.is_whitespace();
    }
    // "1. first" on a line of its own is an item of a list.
    if newlines > 0 && is_number(after) { Cut::Sentence } else { cut }
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a clause begins at the first of these words without a comma.
fn opens_clause(words: &[Word]) -> bool {
    match words[0].text.as_str() {
        "but" | "however" | "whereas" | "while" | "although" | "though" | "because" | "since" | "unless" | "until"
        | "so" | "yet" | "otherwise" | "if" | "when" => true,
        // "and does not ..": the negation belongs to what follows.
        "and" | "or" | "then" | "nor" => words.iter().skip(1).take(3).any(|word| word.class().denies()),
        _ => false,
    }
}

/// Whether two words with this between them may be one: "multi-stage".
fn may_join(gap: &str) -> bool {
    gap.chars().count() <= 1 && !gap.contains(['.', ',', ';', ':', '\n'])
}

/// Marks the stretches of a run without punctuation that hold no sentence together. Shorthand counts as the one word it is.
fn mark_salad(run: &mut [Token]) {
    let firsts: Vec<usize> = (0..run.len()).filter(|at| *at == 0 || run[*at].word != run[at - 1].word).collect();
    if firsts.len() < SALAD_WORDS {
        return;
    }
    let is_glue: Vec<bool> = firsts.iter().map(|at| run[*at].class != Class::Content).collect();
    let mut glue = is_glue[..SALAD_WORDS].iter().filter(|glue| **glue).count();
    // Tokens before this one are marked.
    let mut marked = 0;
    for start in 0..=firsts.len() - SALAD_WORDS {
        if start > 0 {
            glue -= usize::from(is_glue[start - 1]);
            glue += usize::from(is_glue[start + SALAD_WORDS - 1]);
        }
        if glue <= SALAD_GLUE {
            let end = firsts.get(start + SALAD_WORDS).copied().unwrap_or(run.len());
            for token in &mut run[firsts[start].max(marked)..end] {
                token.salad = true;
            }
            marked = end;
        }
    }
}

/// Whether a clause that begins with this word only says which of several: a denial before it reaches into it.
fn narrows(word: &str) -> bool {
    matches!(word, "which" | "who" | "where" | "whom" | "whose")
}

fn mark_denied(tokens: &mut [Token], words: &[Word], narrowing: &HashSet<usize>) {
    let mut start = 0;
    let mut reaches_on = false;
    while start < tokens.len() {
        let clause = tokens[start].clause;
        let length = tokens[start..].iter().take_while(|t| t.clause == clause).count();
        let here = &mut tokens[start..start + length];
        if reaches_on && narrowing.contains(&clause) {
            here.iter_mut()
                .filter(|token| !token.class.denies() && !token.opposite)
                .for_each(|token| token.denied = true);
        } else {
            reaches_on = deny_clause(here, words);
        }
        start += length;
    }
}

/// Marks what is denied in one clause; whether a denial reaches to its end.
fn deny_clause(tokens: &mut [Token], words: &[Word]) -> bool {
    let text = |at: usize| words[tokens[at].word].text.as_str();
    let next_word = |at: usize| {
        let next = tokens[at..].iter().find(|token| token.word != tokens[at].word);
        next.map_or("", |token| words[token.word].text.as_str())
    };
    let condition = matches!(text(0), "if" | "when" | "unless" | "until" | "where" | "whether");
    let count = |class: Class| tokens.iter().filter(|token| token.class == class).count();
    // "Never deploy without an alarm" asks for the alarm.
    if count(Class::Not) == 1 && count(Class::No) == 1 && (0..tokens.len()).any(|at| text(at) == "without") {
        return false;
    }
    let mut denied = Vec::new();
    for at in 0..tokens.len() {
        let next = next_word(at);
        match tokens[at].class {
            Class::Not if matches!(next, "only" | "just" | "merely" | "simply" | "necessarily") => {}
            Class::No if matches!(next, "matter" | "doubt" | "problem") => {}
            Class::Not if at > 0 && text(at - 1) == "or" => {}
            Class::Not if condition => denied.push(at + 1..at + 1 + CONDITION_REACH),
            // "roles and not keys", "permissions not used": only what follows.
            Class::Not
                if text(at) == "not" && at > 0 && !is_auxiliary(text(at - 1)) && !near_auxiliary(tokens, words, at) =>
            {
                denied.push(at + 1..tokens.len());
            }
            Class::Not => denied.push(0..tokens.len()),
            Class::No if next == "longer" => denied.push(0..tokens.len()),
            Class::No => denied.push(at + 1..at + 1 + NO_REACH),
            Class::Content | Class::Function => {}
        }
    }
    let end = tokens.len();
    let reaches_on = denied.iter().any(|range| range.end >= end);
    // The reaches are joined before they are written, so that a clause of negations only stays linear.
    let from = denied.iter().filter(|range| range.end >= end).map(|range| range.start).min().unwrap_or(end);
    let mut until = 0;
    let mut short = denied.into_iter().filter(|range| range.end < end).peekable();
    for (at, token) in tokens.iter_mut().enumerate() {
        while let Some(range) = short.next_if(|range| range.start <= at) {
            until = until.max(range.end);
        }
        if (at < until || at >= from) && !token.class.denies() && !token.opposite {
            token.denied = true;
        }
    }
    reaches_on
}

/// "is still not", "does really not": an auxiliary two words before.
fn near_auxiliary(tokens: &[Token], words: &[Word], at: usize) -> bool {
    at > 1 && is_auxiliary(&words[tokens[at - 2].word].text) && words[tokens[at - 1].word].text.ends_with("ly")
        || at > 1
            && matches!(words[tokens[at - 1].word].text.as_str(), "still" | "also" | "it" | "you" | "they" | "we" | "i")
}

/// "It is not true that ..", "None of this is true": a denial of a whole sentence, or of all before it.
fn mark_refuted(tokens: &mut [Token], words: &[Word]) {
    let mut start = 0;
    while start < tokens.len() {
        let sentence = tokens[start].sentence;
        let length = tokens[start..].iter().take_while(|token| token.sentence == sentence).count();
        let end = start + length;
        let head: Vec<&str> = {
            let mut seen = Vec::new();
            for token in &tokens[start..end] {
                if seen.last().is_none_or(|(word, _)| *word != token.word) {
                    seen.push((token.word, words[token.word].text.as_str()));
                }
                if seen.len() == REFUTING_WORDS {
                    break;
                }
            }
            seen.into_iter().map(|(_, word)| word).collect()
        };
        match refutes(&head) {
            Some(Refuted::Sentence) => tokens[start..end].iter_mut().for_each(|token| token.refuted = true),
            Some(Refuted::Before) => tokens[..end].iter_mut().for_each(|token| token.refuted = true),
            None => {}
        }
        start = end;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refuted {
    Sentence,
    Before,
}

/// How many words of a sentence tell whether it denies the rest.
const REFUTING_WORDS: usize = 9;

fn refutes(head: &[&str]) -> Option<Refuted> {
    let untrue = |word: &&str| {
        matches!(
            *word,
            "false" | "wrong" | "untrue" | "incorrect" | "myth" | "lie" | "mistaken" | "nonsense" | "fiction"
        )
    };
    let is_true = |word: &&str| matches!(*word, "true" | "correct" | "right" | "case" | "so" | "accurate");
    let denies = |word: &&str| class(word).denies();
    let whole = head.iter().position(|word| *word == "that").map(|at| &head[..at]);
    if let Some(before) = whole {
        let said = before.iter().any(untrue) || (before.iter().any(denies) && before.iter().any(is_true));
        let doubted = before.iter().any(denies)
            && before.iter().any(|word| matches!(*word, "think" | "believe" | "agree" | "claim" | "say" | "mean"));
        let impersonal =
            before.first().is_some_and(|word| matches!(*word, "it" | "is" | "i" | "we" | "not" | "nobody"));
        if before.len() <= 7 && impersonal && (said || doubted) {
            return Some(Refuted::Sentence);
        }
    }
    let all = match head {
        ["none", "of", "this" | "that" | "it" | "these" | "the", rest @ ..] => Some((rest, true)),
        ["nothing", "of", "this" | "that" | "it" | "the", rest @ ..] => Some((rest, true)),
        ["all" | "everything" | "each", "of", "this" | "that" | "it" | "the", rest @ ..] => Some((rest, false)),
        ["this" | "that" | "it", "is" | "was", "all", rest @ ..] => Some((rest, false)),
        _ => None,
    };
    let (rest, negated) = all?;
    let verdict = if negated { rest.iter().any(is_true) } else { rest.iter().any(untrue) };
    (verdict && head.len() < REFUTING_WORDS).then_some(Refuted::Before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, vocabulary: &Vocabulary) -> Vec<Token> {
        super::read(text, vocabulary, &Lexicon::default())
    }

    fn check_words(text: &str, expect: &[&str]) {
        let found = words(text);
        assert_eq!(found.iter().map(|w| w.text.as_str()).collect::<Vec<_>>(), expect, "{text:?}");
        for word in found {
            assert!(text.get(word.start..word.end).is_some_and(|s| !s.is_empty()), "{text:?}: {word:?}");
        }
    }

    #[test]
    fn words_are_cut_at_everything_that_is_no_letter_or_digit() {
        check_words("Use `use_lockfile = true`!", &["use", "use", "lockfile", "true"]);
        check_words("0.0.0.0/0", &["0", "0", "0", "0", "0"]);
        check_words("  ", &[]);
        check_words("État, ÉTÉ, ﬁle, ＫＭＳ", &["etat", "ete", "file", "kms"]);
        check_words("roll-back", &["roll", "back"]);
        check_words(
            "w/o B/G, 5% of $$$, no *; * item",
            &["without", "bg", "5", "percent", "of", "cost", "no", "wildcard", "wildcard", "item"],
        );
    }

    #[test]
    fn short_forms_are_written_out() {
        check_words("I don't", &["i", "do", "not"]);
        check_words("it can’t, it won't", &["it", "can", "not", "it", "will", "not"]);
        check_words("it's AWS's", &["it", "aws"]);
        check_words("N'T n't", &["n", "t", "n", "t"]);
        check_words("O'Reilly", &["o", "reilly"]);
    }

    #[test]
    fn the_plural_of_an_abbreviation_is_the_abbreviation() {
        check_words("VMs SCPs AWS EC2s as Is", &["vm", "scp", "aws", "ec2", "as", "is"]);
    }

    #[test]
    fn invisible_characters_do_not_part_a_word() {
        check_words("ver\u{200b}sion\u{ad}ing", &["versioning"]);
        check_words("cafe\u{301} au lait", &["cafe", "au", "lait"]);
        check_words("\u{202e}abc\u{feff}", &["abc"]);
    }

    /// Sentences parted by `||`, clauses by `|`.
    fn check_cuts(text: &str, expect: &str) {
        let tokens = read(text, &Vocabulary::default());
        let mut shown = String::new();
        for (i, token) in tokens.iter().enumerate() {
            if i > 0 {
                let before = tokens[i - 1];
                shown.push_str(match (token.sentence != before.sentence, token.clause != before.clause) {
                    (true, _) => " || ",
                    (false, true) => " | ",
                    _ => " ",
                });
            }
            shown.push_str(&text[token.start..token.end]);
        }
        assert_eq!(shown, expect);
    }

    #[test]
    fn sentences_end_at_stops_and_list_items() {
        check_cuts("It locks. It waits! Why?", "It locks || It waits || Why");
        check_cuts("terraform.tfstate is e.g. in S3", "terraform tfstate is e g in S3");
        check_cuts("one line\nof two lines", "one line of two lines");
        check_cuts("- one\n- two\n\nthree", "one || two || three");
        check_cuts("1. one\n2. two", "1 | one || 2 | two");
    }

    #[test]
    fn clauses_end_at_commas_arrows_and_conjunctions() {
        check_cuts("two fleets, one switch", "two fleets | one switch");
        check_cuts("JWT -> STS -> role", "JWT | STS | role");
        check_cuts("it is free but slow", "it is free | but slow");
        check_cuts("1,000 users and iam:PassRole", "1 000 users and iam PassRole");
        check_cuts("use roles and not keys", "use roles | and not keys");
    }

    /// Words in the reach of a negation in brackets.
    fn check_denied(text: &str, expect: &str) {
        let shown = read(text, &Vocabulary::default()).into_iter().map(|token| {
            let word = &text[token.start..token.end];
            if token.denied { format!("[{word}]") } else { word.to_owned() }
        });
        assert_eq!(shown.collect::<Vec<_>>().join(" "), expect);
    }

    #[test]
    fn a_negation_reaches_through_its_clause() {
        check_denied("Versioning is not needed, S3 is", "[Versioning] [is] not [needed] S3 is");
        check_denied("encryption without a key", "encryption without [a] [key]");
        check_denied("it is not only cheap", "it is not only cheap");
        check_denied("use roles and not keys", "use roles and not [keys]");
        check_denied("permissions not used are removed", "permissions not [used] [are] [removed]");
        check_denied(
            "you can't limit which repository uses it",
            "[you] [can] 't [limit] [which] [repository] [uses] [it]",
        );
        check_denied("never deploy without an alarm", "never deploy without an alarm");
        check_denied("if it is not healthy yet replace it", "if it is not [healthy] yet replace it");
        check_denied("you can't do it, I do", "[you] [can] 't [do] [it] I do");
        check_denied("it is no longer stored", "[it] [is] no [longer] [stored]");
    }

    #[test]
    fn a_long_list_without_glue_is_salad() {
        let list = "bucket version kms role policy state split environment service radius backend remote";
        assert!(read(list, &Vocabulary::default()).iter().all(|t| t.salad));
        let short = list.strip_suffix(" remote").unwrap_or_default();
        assert!(read(short, &Vocabulary::default()).iter().all(|t| !t.salad));
        let punctuated = list.replace(" role", ", role");
        assert!(read(&punctuated, &Vocabulary::default()).iter().all(|t| !t.salad));
        let sentence = "I keep the state in a bucket of its own that only the pipeline of the team may read or write";
        assert!(read(sentence, &Vocabulary::default()).iter().all(|t| !t.salad));
        let both = format!("{sentence} {list}");
        let tokens = read(&both, &Vocabulary::default());
        assert!(!tokens[0].salad && tokens[tokens.len() - 1].salad);
    }

    #[test]
    fn joined_neighbours_have_a_stem_of_their_own() {
        let mut vocabulary = Vocabulary::default();
        let multistage = vocabulary.learn("multistage");
        for text in ["multi-stage", "multi stage", "Multi_Stage"] {
            assert_eq!(read(text, &vocabulary)[0].joined, multistage, "{text}");
        }
        assert_eq!(read("multi. stage", &vocabulary)[0].joined, UNKNOWN);
        assert_eq!(read("multi, stage", &vocabulary)[0].joined, UNKNOWN);
    }
}
