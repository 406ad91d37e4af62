//! Text as the grader reads it: words with their places and stems, cut into sentences and clauses, and which of the
//! words do not count because they are denied or stand in a bare list.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use rust_stemmers::{Algorithm, Stemmer};

/// A stem as a number. [`UNKNOWN`] stands for every stem that the rubric does not mention.
pub(crate) type Stem = u32;
pub(crate) const UNKNOWN: Stem = 0;

/// Longer "words" are no words; stemming them would only cost time.
const LONGEST_STEMMED: usize = 40;
/// A stretch of this many words with at most [`SALAD_GLUE`] function words and no punctuation is no sentence.
const SALAD_WORDS: usize = 12;
const SALAD_GLUE: usize = 2;
/// How far "no" and "without" reach.
const NO_REACH: usize = 6;
/// How far "not" reaches inside a condition: "if it is not healthy the group replaces it" denies one thing only.
const CONDITION_REACH: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Carries meaning of its own.
    Content,
    /// Holds sentences together.
    Function,
    /// "not", "never", "cannot": denies what stands before and behind it in its clause.
    Not,
    /// "no", "without": denies what follows.
    No,
}

impl Class {
    pub(crate) fn denies(self) -> bool {
        matches!(self, Class::Not | Class::No)
    }
}

/// The stems a rubric knows, numbered from 1.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vocabulary {
    stems: HashMap<String, Stem>,
    /// The first two letters of the stems: what begins otherwise need not be stemmed.
    starts: HashSet<[u8; 2]>,
    /// What the stems begin with: a word that is none of these is not the first half of one.
    halves: HashSet<String>,
}

impl Vocabulary {
    /// The number of a word's stem, given out now if it is new. `word` is in lower case.
    pub(crate) fn learn(&mut self, word: &str) -> Stem {
        let stem = stem(word);
        if let Some(known) = self.stems.get(stem.as_ref()) {
            return *known;
        }
        let number = self.stems.len() as Stem + 1;
        if let [first, second, ..] = stem.as_bytes() {
            self.starts.insert([*first, *second]);
        }
        self.halves.extend(stem.char_indices().skip(1).map(|(end, _)| stem[..end].to_owned()));
        self.stems.insert(stem.into_owned(), number);
        number
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
}

/// A word of a text, in lower case, and the bytes it stands on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) start: usize,
    pub(crate) end: usize,
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
    /// In the reach of a negation.
    pub(crate) denied: bool,
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
pub(crate) fn read(text: &str, vocabulary: &Vocabulary) -> Vec<Token> {
    let words = words(text);
    let mut tokens: Vec<Token> = Vec::with_capacity(words.len());
    let mut cache: HashMap<&str, (Stem, Class)> = HashMap::new();
    let mut pair = String::new();
    // Where the present run without punctuation began.
    let mut run = 0;
    let (mut sentence, mut clause) = (0, 0);
    let mut line_start = true;
    for (i, word) in words.iter().enumerate() {
        let (stem, class) =
            *cache.entry(&word.text).or_insert_with(|| (vocabulary.find(&word.text), class(&word.text)));
        if i > 0 {
            let before = &words[i - 1];
            let gap = &text[before.end..word.start];
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
                Cut::None => {}
            }
            if gap.chars().any(|c| !matches!(c, ' ' | '\t' | '-' | '_' | '\'' | '’' | '"') && !c.is_alphanumeric()) {
                mark_salad(&mut tokens[run..]);
                run = i;
            }
            if vocabulary.halves.contains(&before.text) && may_join(gap) {
                pair.clear();
                pair.push_str(&before.text);
                pair.push_str(&word.text);
                tokens[i - 1].joined = vocabulary.find(&pair);
            }
        }
        let (start, end) = (word.start, word.end);
        let (joined, denied, salad) = (UNKNOWN, false, false);
        tokens.push(Token { start, end, stem, joined, class, sentence, clause, denied, salad });
    }
    mark_salad(&mut tokens[run..]);
    mark_denied(&mut tokens, &words);
    tokens
}

/// The words of a text in lower case. "don't" is "do" and "not", "it's" is "it", "VMs" is "vm"; zero-width characters
/// and combining accents do not part a word.
pub(crate) fn words(text: &str) -> Vec<Word> {
    let mut found = Vec::with_capacity(text.len() / 6);
    let mut chars = text.char_indices().peekable();
    while let Some((start, first)) = chars.next() {
        if !first.is_alphanumeric() {
            continue;
        }
        let mut word = String::new();
        word.extend(first.to_lowercase());
        let mut end = start + first.len_utf8();
        let mut capitals = first.is_uppercase() || first.is_numeric();
        let mut last = first;
        while let Some(&(at, c)) = chars.peek() {
            if c.is_alphanumeric() {
                capitals &= last.is_uppercase() || last.is_numeric();
                word.extend(c.to_lowercase());
                last = c;
            } else if !is_ignorable(c) {
                break;
            }
            end = at + c.len_utf8();
            chars.next();
        }
        // The plural of an abbreviation, whose stem would keep the s.
        if capitals && last == 's' && word.len() > 2 {
            word.pop();
        }
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
                found.push(Word { text: word, start, end });
                found.push(Word { text: "not".to_owned(), start: end, end: end + length });
                skip_to(&mut chars, end + length);
            }
            Some((length, tail)) if matches!(tail.as_str(), "s" | "re" | "ve" | "ll" | "d" | "m") => {
                found.push(Word { text: word, start, end });
                skip_to(&mut chars, end + length);
            }
            _ => found.push(Word { text: word, start, end }),
        }
    }
    found
}

/// What follows an apostrophe directly behind a word: its bytes with the apostrophe, and up to three letters in lower case.
fn apostrophe_tail(rest: &str) -> Option<(usize, String)> {
    let apostrophe = rest.chars().next().filter(|c| matches!(c, '\'' | '’'))?.len_utf8();
    let tail: String = rest[apostrophe..].chars().take_while(|c| c.is_alphanumeric()).take(3).collect();
    (!tail.is_empty()).then(|| (apostrophe + tail.len(), tail.to_lowercase()))
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
        | "so" | "yet" | "otherwise" | "if" | "when" | "which" | "who" | "where" => true,
        // "and does not ..": the negation belongs to what follows.
        "and" | "or" | "then" | "nor" => words.iter().skip(1).take(3).any(|word| word.class().denies()),
        _ => false,
    }
}

/// Whether two words with this between them may be one: "multi-stage".
fn may_join(gap: &str) -> bool {
    gap.chars().count() <= 1 && !gap.contains(['.', ',', ';', ':', '\n'])
}

/// Marks the stretches of a run without punctuation that hold no sentence together.
fn mark_salad(run: &mut [Token]) {
    if run.len() < SALAD_WORDS {
        return;
    }
    let is_glue = |token: &Token| token.class != Class::Content;
    let mut glue = run[..SALAD_WORDS].iter().filter(|t| is_glue(t)).count();
    // Tokens before this one are marked.
    let mut marked = 0;
    for start in 0..=run.len() - SALAD_WORDS {
        if start > 0 {
            glue -= usize::from(is_glue(&run[start - 1]));
            glue += usize::from(is_glue(&run[start + SALAD_WORDS - 1]));
        }
        if glue <= SALAD_GLUE {
            for token in &mut run[start.max(marked)..start + SALAD_WORDS] {
                token.salad = true;
            }
            marked = start + SALAD_WORDS;
        }
    }
}

fn mark_denied(tokens: &mut [Token], words: &[Word]) {
    let mut start = 0;
    while start < tokens.len() {
        let length = tokens[start..].iter().take_while(|t| t.clause == tokens[start].clause).count();
        deny_clause(&mut tokens[start..start + length], &words[start..start + length]);
        start += length;
    }
}

fn deny_clause(tokens: &mut [Token], words: &[Word]) {
    let condition = matches!(words[0].text.as_str(), "if" | "when" | "unless" | "until" | "where" | "whether");
    // The reaches are joined before they are written, so that a clause of negations only stays linear.
    let mut denied_until = 0;
    let mut denied_from_start = 0;
    for at in 0..tokens.len() {
        let next = words.get(at + 1).map_or("", |word| word.text.as_str());
        match tokens[at].class {
            Class::Not if matches!(next, "only" | "just" | "merely" | "simply" | "necessarily") => {}
            Class::No if matches!(next, "matter" | "doubt" | "problem") => {}
            Class::Not if at > 0 && words[at - 1].text == "or" => {}
            Class::Not if condition => denied_until = at + 1 + CONDITION_REACH,
            Class::Not => {
                denied_from_start = at;
                denied_until = tokens.len();
            }
            Class::No if next == "longer" => {
                denied_from_start = at;
                denied_until = tokens.len();
            }
            Class::No => denied_until = denied_until.max(at + 1 + NO_REACH),
            Class::Content | Class::Function => {}
        }
        if at < denied_until && !tokens[at].class.denies() {
            tokens[at].denied = true;
        }
    }
    for token in tokens[..denied_from_start].iter_mut().filter(|t| !t.class.denies()) {
        token.denied = true;
    }
}

pub(crate) fn class(word: &str) -> Class {
    match word {
        "not" | "never" | "cannot" | "dont" | "doesnt" | "didnt" | "cant" | "isnt" | "arent" | "wasnt" | "wont"
        | "shouldnt" | "wouldnt" | "couldnt" | "hasnt" | "havent" | "hardly" => Class::Not,
        "no" | "without" | "nothing" | "nobody" | "none" | "neither" | "nor" => Class::No,
        "a" | "an" | "the" | "this" | "that" | "these" | "those" | "it" | "its" | "i" | "we" | "you" | "he" | "she"
        | "they" | "them" | "us" | "me" | "my" | "our" | "your" | "their" | "his" | "her" | "who" | "which"
        | "what" | "where" | "when" | "why" | "how" | "is" | "are" | "was" | "were" | "be" | "been" | "being"
        | "am" | "do" | "does" | "did" | "done" | "has" | "have" | "had" | "will" | "would" | "can" | "could"
        | "should" | "shall" | "may" | "might" | "must" | "of" | "in" | "on" | "at" | "to" | "from" | "by" | "with"
        | "for" | "as" | "into" | "onto" | "over" | "under" | "through" | "between" | "and" | "or" | "but" | "so"
        | "if" | "then" | "than" | "because" | "while" | "until" | "before" | "after" | "during" | "about" | "also"
        | "too" | "there" | "here" | "such" | "each" | "every" | "any" | "all" | "some" | "both" | "only" | "just"
        | "very" | "more" | "most" | "other" | "same" | "one" | "up" | "down" | "out" | "off" | "however"
        | "whereas" | "although" | "though" | "since" | "unless" | "yet" | "otherwise" | "let" | "lets" | "get"
        | "gets" | "like" => Class::Function,
        _ => Class::Content,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        check_words("État, ÉTÉ", &["état", "été"]);
        check_words("roll-back", &["roll", "back"]);
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
        check_denied("use roles and not keys", "use roles and not [keys]".replace("and", "[and]").as_str());
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
