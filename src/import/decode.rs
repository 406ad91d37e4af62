//! From the bytes of a file to its text: byte order marks, code pages, line ends, and text that went through the wrong code page.

use super::{Trouble, Warning};

/// Questions have kilobytes. What is larger was taken by mistake.
pub const MAX_BYTES: usize = 20 * 1024 * 1024;

#[derive(Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Lines end with `\n` only.
    pub text: String,
    pub warnings: Vec<Warning>,
}

/// # Errors
/// When it is empty, too large, or no text.
pub fn decode(bytes: &[u8]) -> Result<Decoded, Trouble> {
    if bytes.len() > MAX_BYTES {
        return Err(too_large());
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Trouble::new(1, "this file is empty; there is nothing to import"));
    }
    let known = [
        (&b"%PDF"[..], "a PDF; copy its text into a .txt file and import that"),
        (
            b"PK\x03\x04",
            "a zip archive (Word, Excel and LibreOffice files are such); save it as text or CSV and import that",
        ),
        (b"SQLite format 3\0", "a database; export its notes from Anki as text or .apkg and import that"),
        (b"\x1f\x8b", "compressed; unpack it with gunzip and import what comes out"),
        (b"\x28\xb5\x2f\xfd", "compressed; unpack it with zstd -d and import what comes out"),
    ];
    if let Some((_, what)) = known.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(Trouble::new(1, format!("this is {what}")));
    }
    let mut warnings = Vec::new();
    let text = match unicode(bytes) {
        Some(text) => text?,
        None => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            match std::str::from_utf8(bytes) {
                Ok(text) => text.to_owned(),
                Err(error) => {
                    let line = line_of(bytes, error.valid_up_to());
                    if let Some(at) = bytes.iter().position(|byte| is_binary(*byte)) {
                        return Err(binary(line_of(bytes, at)));
                    }
                    let detail = "the text is not UTF-8 and was read as Windows-1252; look at its accents";
                    warnings.push(Warning::new(line, "read-as-windows-1252", detail));
                    bytes.iter().map(|byte| from_cp1252(*byte)).collect()
                }
            }
        }
    };
    if let Some(at) = text.bytes().position(is_binary) {
        return Err(binary(line_of(text.as_bytes(), at)));
    }
    let text = line_ends(&text, &mut warnings);
    let (text, repaired) = repair(&text);
    if repaired > 0 {
        let detail = if repaired == 1 { "1 sequence".to_owned() } else { format!("{repaired} sequences") };
        warnings.insert(0, Warning { line: None, code: "mojibake-repaired", detail });
    }
    Ok(Decoded { text, warnings })
}

/// For who knows the size before the bytes.
pub fn too_large() -> Trouble {
    Trouble::new(1, format!("this file is larger than {} MB; split it and import the parts", MAX_BYTES / 1024 / 1024))
}

fn binary(line: usize) -> Trouble {
    Trouble::new(line, "this is a binary file, not text; export it as text, CSV or .apkg and import that")
}

fn is_binary(byte: u8) -> bool {
    byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0x1b | 0x1a)
}

fn line_of(bytes: &[u8], at: usize) -> usize {
    1 + bytes[..at.min(bytes.len())].iter().filter(|byte| **byte == b'\n').count()
}

/// UTF-16, told by its mark or by the zeros beside its letters.
fn unicode(bytes: &[u8]) -> Option<Result<String, Trouble>> {
    let (rest, big) = match bytes {
        [0xff, 0xfe, rest @ ..] => (rest, false),
        [0xfe, 0xff, rest @ ..] => (rest, true),
        _ => {
            let head = &bytes[..bytes.len().min(2048) & !1];
            let zeros = |parity: usize| head.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
            let (even, odd) = (zeros(0), zeros(1));
            let half = head.len() / 2;
            match () {
                () if half > 1 && odd * 10 >= half * 7 && even * 10 < half => (bytes, false),
                () if half > 1 && even * 10 >= half * 7 && odd * 10 < half => (bytes, true),
                () => return None,
            }
        }
    };
    let (pairs, left) = rest.as_chunks::<2>();
    if !left.is_empty() {
        return Some(Err(Trouble::new(1, "this UTF-16 text ends in the middle of a character; save it as UTF-8")));
    }
    let units = pairs.iter().map(|pair| if big { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) });
    let text: Result<String, _> = char::decode_utf16(units).collect();
    Some(text.map_err(|_| Trouble::new(1, "this looks like UTF-16 and is not; save it as UTF-8")))
}

fn line_ends(text: &str, warnings: &mut Vec<Warning>) -> String {
    let crlf = text.matches("\r\n").count();
    let cr = text.matches('\r').count() - crlf;
    let lf = text.matches('\n').count() - crlf;
    let kinds: Vec<String> = [(lf, "LF"), (crlf, "CRLF"), (cr, "CR")]
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    if kinds.len() > 1 {
        warnings.push(Warning { line: None, code: "mixed-line-ends", detail: kinds.join(", ") });
    }
    if crlf + cr == 0 { text.to_owned() } else { text.replace("\r\n", "\n").replace('\r', "\n") }
}

/// What Windows-1252 has at 0x80 to 0x9f; the five that it leaves out stand for themselves.
const CP1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

pub(super) fn from_cp1252(byte: u8) -> char {
    if (0x80..0xa0).contains(&byte) { CP1252[usize::from(byte - 0x80)] } else { char::from(byte) }
}

fn to_cp1252(c: char) -> Option<u8> {
    match u32::from(c) {
        code @ 0xa0..=0xff => u8::try_from(code).ok(),
        code if code < 0x80 => None,
        _ => {
            let at = CP1252.iter().position(|known| *known == c)?;
            u8::try_from(at + 0x80).ok()
        }
    }
}

/// Undoes UTF-8 that was read as Windows-1252, also twice; how many sequences were broken. What is whole stays as it is.
pub fn repair(text: &str) -> (String, usize) {
    let (mut text, first) = once(text);
    let mut found = first;
    while found > 0 {
        // Each turn makes it shorter.
        (text, found) = once(&text);
    }
    (text, first)
}

fn once(text: &str) -> (String, usize) {
    if text.is_ascii() {
        return (text.to_owned(), 0);
    }
    let mut out = String::with_capacity(text.len());
    let (mut run, mut broken) = (Vec::new(), 0);
    for c in text.chars() {
        match to_cp1252(c) {
            Some(byte) => run.push(byte),
            None => {
                broken += flush(&mut run, &mut out);
                out.push(c);
            }
        }
    }
    broken += flush(&mut run, &mut out);
    (out, broken)
}

/// Writes a run of characters of Windows-1252, those mended that were one character once.
fn flush(run: &mut Vec<u8>, out: &mut String) -> usize {
    let mut sequences = 0;
    let mut at = 0;
    while at < run.len() {
        let mut end = at;
        while let Some(length) = sequence(&run[end..]) {
            end += length;
        }
        match std::str::from_utf8(&run[at..end]) {
            Ok(mended) if end > at && is_evident(mended) => {
                out.push_str(mended);
                sequences += 1;
                at = end;
            }
            _ => {
                out.push(from_cp1252(run[at]));
                at += 1;
            }
        }
    }
    run.clear();
    sequences
}

/// The length of the character of UTF-8 at the beginning, if one is there.
fn sequence(bytes: &[u8]) -> Option<usize> {
    let length = match bytes.first()? {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    std::str::from_utf8(bytes.get(..length)?).ok().map(|_| length)
}

/// Whether this can hardly have been meant as it stood: `É»` and `é…”` end a quotation, `â€™` ends nothing.
fn is_evident(mended: &str) -> bool {
    mended.chars().count() > 1
        || mended
            .chars()
            .all(|c| matches!(u32::from(c), 0x80..=0xff | 0x2000..=0x2fff | 0xf000..=0xffff | 0x1_0000..=0x1_ffff))
}
