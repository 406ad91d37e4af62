//! Anki packages: a zip archive with a database of notes. What is unpacked is bounded, whatever the archive says of itself.

use std::io::{Read, Seek};

use ruzstd::decoding::StreamingDecoder;
use zip::ZipArchive;

pub use super::cards::Note;
use super::{Reading, Trouble};

/// The largest database of notes; pictures and sounds are never unpacked.
pub const MAX_DATABASE: u64 = 100 * 1024 * 1024;
/// Notes pack to a tenth; what packs this much better is made to fill a disk.
const MAX_RATIO: u64 = 200;
/// Below this size the ratio says nothing.
const SMALL: u64 = 1024 * 1024;
/// One entry a picture or sound, and few others.
const MAX_ENTRIES: usize = 100_000;

/// The newest first: beside it Anki lays an older one that only says "please update".
const DATABASES: [&str; 3] = ["collection.anki21b", "collection.anki21", "collection.anki2"];

/// Whether a file is a zip archive.
pub fn is_zip(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
}

/// The database of a package, unpacked.
///
/// # Errors
/// When it is no package, or larger than a package can honestly be.
pub fn unpack(reader: impl Read + Seek) -> Result<Vec<u8>, Trouble> {
    let no_package = |error: &dyn std::fmt::Display| {
        Trouble::new(1, format!("this zip archive cannot be read: {error}; export the deck from Anki again"))
    };
    let mut archive = ZipArchive::new(reader).map_err(|error| no_package(&error))?;
    if archive.len() > MAX_ENTRIES {
        return Err(Trouble::new(
            1,
            format!("this archive has {} entries; an Anki package has at most {MAX_ENTRIES}", archive.len()),
        ));
    }
    let Some(name) = DATABASES.iter().find(|name| archive.index_for_name(name).is_some()) else {
        return Err(Trouble::new(
            1,
            "this archive has no collection of Anki; if it is a document, save it as text or CSV and import that",
        ));
    };
    let entry = archive.by_name(name).map_err(|error| no_package(&error))?;
    let packed = entry.compressed_size().max(1);
    let unpacked = bounded(entry, packed, name)?;
    let database = if name.ends_with('b') {
        let decoder = StreamingDecoder::new(unpacked.as_slice()).map_err(|error| no_package(&error))?;
        bounded(decoder, unpacked.len() as u64, name)?
    } else {
        unpacked
    };
    if !database.starts_with(b"SQLite format 3\0") {
        return Err(Trouble::new(1, format!("{name} in this archive is no database; export the deck from Anki again")));
    }
    Ok(database)
}

/// Reads to the end, or until it is too much.
fn bounded(mut reader: impl Read, packed: u64, name: &str) -> Result<Vec<u8>, Trouble> {
    let most = MAX_DATABASE.min(packed.saturating_mul(MAX_RATIO).max(SMALL));
    let mut out = Vec::new();
    let read = reader.by_ref().take(most + 1).read_to_end(&mut out);
    if let Err(error) = read {
        return Err(Trouble::new(
            1,
            format!("{name} in this archive is damaged: {error}; export the deck from Anki again"),
        ));
    }
    if out.len() as u64 > most {
        return Err(Trouble::new(
            1,
            format!(
                "{name} in this archive unpacks to more than {} MB, {MAX_RATIO} times its size or a size that no deck has; it is not read",
                most / 1024 / 1024
            ),
        ));
    }
    Ok(out)
}

/// What the notes of a package become. The number of a note takes the place of a line.
pub fn read_notes(notes: &[Note]) -> Reading {
    super::cards::read_notes(notes)
}
