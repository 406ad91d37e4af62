//! The notes of an Anki collection, a SQLite database that somebody else made: read in memory, read only, and not for long.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteOwnedBuf};
use sqlx::{ConnectOptions, Connection, Row};

/// More notes than any deck has.
const MAX_NOTES: i64 = 200_000;
/// What a deck's notes never need.
const PATIENCE: Duration = Duration::from_secs(20);

/// A note with the names of its fields, as the collection has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// (name, HTML).
    pub fields: Vec<(String, String)>,
    pub tags: Vec<String>,
    /// `AWS::IAM`.
    pub deck: Option<String>,
}

/// Reads the notes in the order of their making.
///
/// # Errors
/// When the database is damaged, or none of Anki's.
pub async fn notes(database: &[u8]) -> Result<Vec<Note>> {
    let broken = "the notes of this package cannot be read; export the deck from Anki again";
    let order = |a: &str, b: &str| -> Ordering { a.to_lowercase().cmp(&b.to_lowercase()) };
    // Anki has an order of names of its own.
    let options = SqliteConnectOptions::new().in_memory(true).collation("unicase", order);
    let mut connection = options.connect().await.context("cannot open a database in memory")?;
    let buffer = SqliteOwnedBuf::try_from(database).context("cannot hold the database of this package")?;
    connection.deserialize(None, buffer, true).await.context(broken)?;
    let begun = Instant::now();
    connection.lock_handle().await?.set_progress_handler(10_000, move || begun.elapsed() < PATIENCE);
    let found = read(&mut connection).await.context(broken);
    let _ = connection.close().await;
    found
}

async fn read(connection: &mut SqliteConnection) -> Result<Vec<Note>> {
    sqlx::query("pragma trusted_schema = off").execute(&mut *connection).await?;
    // A view, or a column that is computed, could go on for ever.
    for table in ["notes", "cards", "col"] {
        plain_table(connection, table).await?;
    }
    let named = if plain_table(connection, "notetypes").await? && plain_table(connection, "fields").await? {
        names_of_tables(connection).await?
    } else {
        Names::of_col(connection).await?
    };
    let decks = sqlx::query("select nid, min(did) as did from cards group by nid limit $1")
        .bind(MAX_NOTES)
        .fetch_all(&mut *connection)
        .await?;
    let decks: HashMap<i64, i64> = decks.iter().map(|row| (row.get("nid"), row.get("did"))).collect();
    let rows = sqlx::query(
        "select id, mid, cast(flds as text) as flds, cast(tags as text) as tags from notes order by id limit $1",
    )
    .bind(MAX_NOTES + 1)
    .fetch_all(&mut *connection)
    .await?;
    if rows.len() as i64 > MAX_NOTES {
        bail!("it has more than {MAX_NOTES} notes");
    }
    let mut notes = Vec::new();
    for row in rows {
        let (id, kind): (i64, i64) = (row.try_get("id")?, row.try_get("mid")?);
        let (fields, tags): (String, String) = (row.try_get("flds")?, row.try_get("tags")?);
        let names = named.fields.get(&kind);
        let name = |index: usize| names.and_then(|names| names.get(index)).cloned().unwrap_or_default();
        notes.push(Note {
            fields: fields.split('\u{1f}').enumerate().map(|(index, text)| (name(index), text.to_owned())).collect(),
            tags: tags.split_whitespace().map(str::to_owned).collect(),
            deck: decks.get(&id).and_then(|deck| named.decks.get(deck)).cloned(),
        });
    }
    Ok(notes)
}

/// Whether a table is there; an error when something else has its name.
async fn plain_table(connection: &mut SqliteConnection, name: &str) -> Result<bool> {
    let row = sqlx::query("select type, cast(coalesce(sql, '') as text) as sql from sqlite_master where name = $1")
        .bind(name)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else {
        if matches!(name, "notes" | "cards" | "col") {
            bail!("it has no table {name}");
        }
        return Ok(false);
    };
    let (kind, sql): (String, String) = (row.try_get("type")?, row.try_get("sql")?);
    let computed = sqlx::query("select 1 from pragma_table_xinfo($1) where hidden <> 0 limit 1")
        .bind(name)
        .fetch_optional(&mut *connection)
        .await?;
    if kind != "table" || sql.to_lowercase().contains("virtual table") || computed.is_some() {
        bail!("its {name} is no table of Anki's");
    }
    Ok(true)
}

/// What the fields of each kind of note and the decks are called.
#[derive(Default)]
struct Names {
    fields: HashMap<i64, Vec<String>>,
    decks: HashMap<i64, String>,
}

async fn names_of_tables(connection: &mut SqliteConnection) -> Result<Names> {
    let mut names = Names::default();
    let rows = sqlx::query("select ntid, ord, name from fields order by ntid, ord limit 100000")
        .fetch_all(&mut *connection)
        .await?;
    for row in rows {
        names.fields.entry(row.try_get("ntid")?).or_default().push(row.try_get("name")?);
    }
    if plain_table(connection, "decks").await? {
        let rows = sqlx::query("select id, name from decks limit 100000").fetch_all(&mut *connection).await?;
        for row in rows {
            let name: String = row.try_get("name")?;
            names.decks.insert(row.try_get("id")?, name.replace('\u{1f}', "::"));
        }
    }
    Ok(names)
}

impl Names {
    /// Older collections have them as JSON in their one row of settings.
    async fn of_col(connection: &mut SqliteConnection) -> Result<Names> {
        let mut names = Names::default();
        let row = sqlx::query("select cast(models as text) as models, cast(decks as text) as decks from col limit 1")
            .fetch_optional(&mut *connection)
            .await?;
        let Some(row) = row else { return Ok(names) };
        let json = |key: &str| -> Value {
            row.try_get::<String, _>(key).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
        };
        let named = |value: &Value| value.get("name").and_then(Value::as_str).map(str::to_owned);
        for (id, model) in json("models").as_object().into_iter().flatten() {
            let fields = model.get("flds").and_then(Value::as_array);
            let fields = fields.into_iter().flatten().map(|field| named(field).unwrap_or_default()).collect();
            names.fields.extend(id.parse().ok().map(|id| (id, fields)));
        }
        for (id, deck) in json("decks").as_object().into_iter().flatten() {
            names.decks.extend(id.parse().ok().zip(named(deck)));
        }
        Ok(names)
    }
}
