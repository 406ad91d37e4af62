//! The little Markdown that authors may use (`code`, **bold**, fenced code) as spans and blocks, and the splitting of long texts.

use unicode_segmentation::UnicodeSegmentation;

use super::message::{Block, Span};

/// Inline markup of one paragraph. Marks that are not closed are plain characters.
pub fn spans(text: &str) -> Vec<Span> {
    let mut out = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['`', '*']) {
        let (before, tail) = rest.split_at(at);
        plain.push_str(before);
        let (mark, make): (&str, fn(String) -> Span) =
            if tail.starts_with('`') { ("`", |text| Span::Code { text }) } else { ("**", |text| Span::Bold { text }) };
        let inner = tail.strip_prefix(mark).and_then(|body| body.find(mark).map(|end| &body[..end]));
        match inner {
            Some(inner) if !inner.trim().is_empty() => {
                if !plain.is_empty() {
                    out.push(Span::plain(std::mem::take(&mut plain)));
                }
                out.push(make(inner.to_owned()));
                rest = &tail[inner.len() + 2 * mark.len()..];
            }
            _ => {
                plain.push_str(&tail[..1]);
                rest = &tail[1..];
            }
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        out.push(Span::plain(plain));
    }
    out
}

/// The words of a paragraph without its markup.
pub fn plain(text: &str) -> String {
    spans(text).iter().map(Span::as_plain).collect()
}

/// Paragraphs and fenced code of an author's text. Lines of one paragraph are joined.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut out = Vec::new();
    let mut paragraph: Vec<&str> = Vec::new();
    let mut code: Option<Vec<&str>> = None;
    let flush = |paragraph: &mut Vec<&str>, out: &mut Vec<Block>| {
        if !paragraph.is_empty() {
            out.push(Block::Line { spans: spans(&paragraph.join(" ")) });
            paragraph.clear();
        }
    };
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            match code.take() {
                Some(lines) => out.push(Block::Code { text: lines.join("\n") }),
                None => {
                    flush(&mut paragraph, &mut out);
                    code = Some(Vec::new());
                }
            }
        } else if let Some(lines) = &mut code {
            lines.push(line);
        } else if line.trim().is_empty() {
            flush(&mut paragraph, &mut out);
        } else {
            paragraph.push(line.trim());
        }
    }
    if let Some(lines) = code {
        out.push(Block::Code { text: lines.join("\n") });
    }
    flush(&mut paragraph, &mut out);
    out
}

/// Pieces of at most `limit` characters, cut between paragraphs, else sentences, else words, else (one endless word) between
/// user-perceived characters. Never inside inline code unless that code alone is longer than `limit`.
pub fn split(text: &str, limit: usize) -> Vec<String> {
    let limit = limit.max(1);
    let mut pieces = Vec::new();
    let mut current = String::new();
    let mut length = 0;
    for unit in units(text.trim()) {
        let size = unit.chars().count();
        if length + size > limit && length > 0 {
            let cut = best_cut(&current);
            let tail = current.split_off(cut);
            push_trimmed(&mut pieces, &current);
            current = tail.trim_start().to_owned();
            length = current.chars().count();
            if length + size > limit {
                push_trimmed(&mut pieces, &current);
                current.clear();
                length = 0;
            }
        }
        if size > limit {
            for grapheme in unit.graphemes(true) {
                let size = grapheme.chars().count();
                if length + size > limit && length > 0 {
                    push_trimmed(&mut pieces, &current);
                    current.clear();
                    length = 0;
                }
                current.push_str(grapheme);
                length += size;
            }
        } else if !(current.is_empty() && unit.trim().is_empty()) {
            current.push_str(unit);
            length += size;
        }
    }
    push_trimmed(&mut pieces, &current);
    pieces
}

/// Words, white space and whole runs of inline code, which together are the text again.
fn units(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut in_code = false;
    let mut space = false;
    for (at, c) in text.char_indices() {
        if c == '`' {
            in_code = !in_code && text[at + 1..].contains('`');
        }
        if in_code {
            if space && at > start {
                out.push(&text[start..at]);
                start = at;
            }
            space = false;
            continue;
        }
        if c.is_whitespace() != space && at > start {
            out.push(&text[start..at]);
            start = at;
        }
        space = c.is_whitespace();
    }
    if start < text.len() {
        out.push(&text[start..]);
    }
    out
}

/// Where a full piece is best cut: after its last paragraph or sentence in the second half, else at its end.
fn best_cut(piece: &str) -> usize {
    let half = piece.len() / 2;
    if let Some(at) = piece.rfind("\n\n").filter(|at| *at >= half) {
        return at;
    }
    ["! ", "? ", ". ", ".\n", "?\n", "!\n"]
        .iter()
        .filter_map(|end| piece.rfind(end).map(|at| at + 1))
        .filter(|at| *at >= half && piece[..*at].matches('`').count().is_multiple_of(2))
        .max()
        .unwrap_or(piece.len())
}

fn push_trimmed(pieces: &mut Vec<String>, piece: &str) {
    let piece = piece.trim();
    if !piece.is_empty() {
        pieces.push(piece.to_owned());
    }
}

/// At most `limit` characters, cut at a word with an ellipsis; never inside a user-perceived character.
pub fn shorten(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut length = 0;
    for grapheme in text.graphemes(true) {
        length += grapheme.chars().count();
        if length + 1 > limit {
            break;
        }
        out.push_str(grapheme);
    }
    if let Some(at) = out.rfind(char::is_whitespace).filter(|at| *at > out.len() / 2) {
        out.truncate(at);
    }
    format!("{}…", out.trim_end())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn inline_marks_become_spans_and_unclosed_ones_stay_characters() {
        let show = |text: &str| {
            spans(text)
                .iter()
                .map(|span| match span {
                    Span::Code { text } => format!("<c>{text}</c>"),
                    Span::Bold { text } => format!("<b>{text}</b>"),
                    other => other.as_plain(),
                })
                .collect::<String>()
        };
        for (input, expect) in [
            ("plain", "plain"),
            ("set `a = 1` now", "set <c>a = 1</c> now"),
            ("**must** and `x*y`", "<b>must</b> and <c>x*y</c>"),
            ("a ` b", "a ` b"),
            ("2 * 3 ** 4", "2 * 3 ** 4"),
            ("``", "``"),
            ("é`ü`**ß**", "é<c>ü</c><b>ß</b>"),
        ] {
            assert_eq!(show(input), expect, "{input}");
        }
    }

    #[test]
    fn paragraphs_and_code_become_blocks() {
        let made = blocks("One\ntwo.\n\n```hcl\na = 1\n\nb\n```\nAfter.");
        assert_eq!(
            made,
            vec![Block::line("One two."), Block::Code { text: "a = 1\n\nb".into() }, Block::line("After.")]
        );
    }

    #[test]
    fn a_long_text_is_cut_at_a_sentence_and_never_in_inline_code() {
        assert_eq!(split("One two three. Four five six.", 20), ["One two three.", "Four five six."]);
        assert_eq!(split("see `terraform plan -out x` now", 24), ["see", "`terraform plan -out x`", "now"]);
        assert_eq!(split("aaaaaaaa", 3), ["aaa", "aaa", "aa"]);
        assert_eq!(split("  ", 3), Vec::<String>::new());
    }

    #[test]
    fn shortening_keeps_whole_words_and_characters() {
        assert_eq!(shorten("hello brave world", 12), "hello brave…");
        assert_eq!(shorten("short", 12), "short");
        assert_eq!(shorten("👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 9), "👩‍👩‍👧‍👦…");
    }

    proptest! {
        #[test]
        fn splitting_keeps_every_word_in_order_and_the_limit(text in "[a-z`. \n👍é]{0,300}", limit in 1usize..60) {
            let pieces = split(&text, limit);
            for piece in &pieces {
                prop_assert!(piece.chars().count() <= limit, "{piece:?} over {limit}");
            }
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&pieces.concat()), letters(&text));
        }

        #[test]
        fn spans_never_panic(text in "\\PC{0,200}") {
            let _ = spans(&text);
            let _ = blocks(&text);
            let _ = shorten(&text, 10);
        }
    }
}
