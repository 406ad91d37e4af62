//! All SQL, one aggregate a file, one text for SQLite and PostgreSQL. Decides nothing about the drill.

pub mod anki;
pub mod answers;
pub mod channels;
pub mod claims;
pub mod confidence;
pub mod copies;
mod db;
pub mod drafts;
pub mod drills;
pub mod erased;
pub mod flags;
pub mod members;
pub mod notes;
pub mod outbox;
pub mod reviews;
pub mod rounds;
pub mod rulings;
pub mod scenes;
pub mod schedules;
pub mod scores;
pub mod slack;
pub mod standings;
pub mod suggestions;
pub mod verdicts;
pub mod web;

pub use db::{Conn, Store, Unavailable, backup, installed, look, migrate, scheduled, suggested};
