//! Connections and transactions: one grouped writer and a few readers on SQLite, a pool on PostgreSQL.

use std::fmt;
use std::fs::File;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::ids::ChannelId;
use anyhow::{Context, Result, anyhow, bail};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::any::{AnyArguments, AnyConnectOptions, AnyPoolOptions, AnyRow};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, ConnectOptions, Connection, Row};
use tokio::sync::{mpsc, oneshot};

/// A connection inside a transaction.
pub type Conn = AnyConnection;

/// The database cannot be read or written just now; the same call may succeed later.
#[derive(Debug)]
pub struct Unavailable(String);

impl Unavailable {
    pub fn new(words: impl Into<String>) -> Unavailable {
        Unavailable(words.into())
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}

/// The migrations in order; embedded, so that the binary is all there is to install.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "drill", include_str!("../../migrations/0001_drill.sql")),
    (2, "web", include_str!("../../migrations/0002_web.sql")),
    (3, "channels", include_str!("../../migrations/0003_channels.sql")),
    (4, "erased", include_str!("../../migrations/0004_erased.sql")),
    (5, "troubles", include_str!("../../migrations/0005_troubles.sql")),
    (6, "slack", include_str!("../../migrations/0006_slack.sql")),
    (7, "confidence", include_str!("../../migrations/0007_confidence.sql")),
    (8, "verdicts", include_str!("../../migrations/0008_verdicts.sql")),
    (9, "copying", include_str!("../../migrations/0009_copying.sql")),
    (10, "rulings", include_str!("../../migrations/0010_rulings.sql")),
    (11, "suggestions", include_str!("../../migrations/0011_suggestions.sql")),
    (12, "scenes", include_str!("../../migrations/0012_scenes.sql")),
    (13, "refresh", include_str!("../../migrations/0013_refresh.sql")),
];

/// How many writes one commit may carry on SQLite.
const GROUP: usize = 512;
/// Rows of one multi-row insert; stays far below SQLite's 32,766 and PostgreSQL's 65,535 bound values.
const ROWS: usize = 400;

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    readers: AnyPool,
    writer: Writer,
    sqlite: Option<PathBuf>,
    /// Held while the process lives: two processes cannot share one SQLite file.
    _lock: Option<File>,
}

enum Writer {
    Grouped(mpsc::Sender<Box<dyn Job>>),
    Pool(AnyPool),
}

impl Store {
    /// Opens `url` (`sqlite:FILE` or `postgres://..`), migrates it and, on SQLite, takes the file for this process alone.
    pub async fn open(url: &str) -> Result<Store> {
        sqlx::any::install_default_drivers();
        if is_postgres(url) {
            migrate(url).await?;
            let pool = AnyPoolOptions::new()
                .max_connections(10)
                .acquire_timeout(Duration::from_secs(5))
                .connect_with(options(url)?)
                .await
                .map_err(|error| unreachable_database(&error))?;
            let inner = Inner { readers: pool.clone(), writer: Writer::Pool(pool), sqlite: None, _lock: None };
            return Ok(Store { inner: Arc::new(inner) });
        }
        let path = sqlite_path(url)?;
        let lock = lock_file(&path)?;
        migrate_sqlite(&path).await?;
        let writer = connect_sqlite(&path, true).await?;
        let (jobs, queue) = mpsc::channel(4 * GROUP);
        tokio::spawn(write_in_groups(writer, queue));
        let readers = AnyPoolOptions::new()
            .max_connections(3)
            .acquire_timeout(Duration::from_secs(5))
            .after_connect(|conn, _| {
                Box::pin(async move {
                    set_up_sqlite(conn).await?;
                    sqlx::query("pragma query_only = on").execute(conn).await.map(drop)
                })
            })
            .connect_with(options(&sqlite_url(&path, "rwc"))?)
            .await
            .with_context(|| format!("cannot open {}", path.display()))?;
        let inner = Inner { readers, writer: Writer::Grouped(jobs), sqlite: Some(path), _lock: Some(lock) };
        Ok(Store { inner: Arc::new(inner) })
    }

    /// True when only this process can be using the database.
    pub fn is_exclusive(&self) -> bool {
        self.inner.sqlite.is_some()
    }

    /// Runs `work` in one transaction: all of it happens, durably, or nothing. `name` is for the logs.
    ///
    /// # Errors
    /// [`Unavailable`] when the database cannot be written just now; else what `work` returned.
    pub async fn write<T, F>(&self, name: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        match &self.inner.writer {
            Writer::Grouped(jobs) => {
                let (reply, answer) = oneshot::channel();
                let job = Box::new(Work { name, work: Some(work), result: None, reply: Some(reply) });
                jobs.send(job).await.map_err(|_| anyhow!(Unavailable("the database is closed".to_owned())))?;
                answer.await.map_err(|_| anyhow!(Unavailable("the database is closed".to_owned())))?
            }
            Writer::Pool(pool) => {
                let mut tx = pool.begin().await.map_err(|error| unavailable(name, &error))?;
                match work(&mut tx).await {
                    Ok(value) => {
                        tx.commit().await.map_err(|error| unavailable(name, &error))?;
                        Ok(value)
                    }
                    Err(error) => {
                        // The server may be gone: then there is nothing left to roll back.
                        let _ = tx.rollback().await;
                        Err(classify(name, error))
                    }
                }
            }
        }
    }

    /// Runs `work` on a connection for reading.
    pub async fn read<T, F>(&self, name: &'static str, work: F) -> Result<T>
    where
        T: Send,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T>> + Send,
    {
        let mut conn = self.inner.readers.acquire().await.map_err(|error| unavailable(name, &error))?;
        work(&mut conn).await.map_err(|error| classify(name, error))
    }

    /// True when the database answers.
    pub async fn is_alive(&self) -> bool {
        let probe = async {
            let mut conn = self.inner.readers.acquire().await.ok()?;
            sqlx::query("select 1").execute(&mut *conn).await.ok()
        };
        matches!(tokio::time::timeout(Duration::from_secs(2), probe).await, Ok(Some(_)))
    }

    /// Ends the connections; writes already accepted are finished first.
    pub async fn close(&self) {
        if let Writer::Grouped(_) = self.inner.writer {
            // It comes behind everything that waits; when it fails, so has all of that, and its callers know.
            let _ = self.write("finish writing", |_| Box::pin(async { Ok(()) })).await;
        }
        self.inner.readers.close().await;
    }
}

/// A consistent copy of the database at `url` in the new file `target`, also while a bot is using it.
pub async fn backup(url: &str, target: &Path) -> Result<()> {
    if is_postgres(url) {
        bail!(
            "this command copies SQLite files; for PostgreSQL use pg_dump: pg_dump --format=custom --file={} \"$DRILLBOT_DATABASE_URL\"",
            target.display()
        );
    }
    let path = sqlite_path(url)?;
    if !path.exists() {
        bail!("there is no database at {}; start drillbot once, or set database.url", path.display());
    }
    if target.exists() {
        bail!("{} exists already; name a new file", target.display());
    }
    sqlx::any::install_default_drivers();
    let mut conn = connect_sqlite(&path, false).await?;
    let name = target.to_str().context("the file's name is not UTF-8; choose another")?;
    sqlx::query("vacuum into $1").bind(name).execute(&mut conn).await.context("cannot write the copy")?;
    conn.close().await.context("cannot finish the copy")
}

/// A connection beside a bot that may be running, to look only; None when there is no database yet.
async fn beside(url: &str) -> Result<Option<AnyConnection>> {
    sqlx::any::install_default_drivers();
    if is_postgres(url) {
        return AnyConnection::connect_with(&options(url)?)
            .await
            .map(Some)
            .map_err(|error| unreachable_database(&error));
    }
    let path = sqlite_path(url)?;
    if path.exists() { connect_sqlite(&path, false).await.map(Some) } else { Ok(None) }
}

/// The channels of a platform whose schedules run, with their names; a bot may be using the database.
///
/// # Errors
/// When the database cannot be read, or no drillbot has been here yet.
pub async fn scheduled(url: &str, platform: &str) -> Result<Vec<(ChannelId, String)>> {
    let Some(mut conn) = beside(url).await? else { return Ok(Vec::new()) };
    let found = super::channels::scheduled(&mut conn, platform).await?;
    conn.close().await.context("cannot close the connection")?;
    Ok(found)
}

/// The workspaces of Slack that installed the app, read beside a bot that may be running.
///
/// # Errors
/// As [`scheduled`].
pub async fn installed(url: &str) -> Result<Vec<super::slack::Installed>> {
    let Some(mut conn) = beside(url).await? else { return Ok(Vec::new()) };
    let found = super::slack::all(&mut conn).await?;
    conn.close().await.context("cannot close the connection")?;
    Ok(found)
}

/// The approved questions of every group, read beside a bot that may be running.
///
/// # Errors
/// As [`scheduled`].
pub async fn suggested(url: &str) -> Result<Vec<crate::domain::suggestion::Suggestion>> {
    let Some(mut conn) = beside(url).await? else { return Ok(Vec::new()) };
    let found = super::suggestions::approved(&mut conn).await?;
    conn.close().await.context("cannot close the connection")?;
    Ok(found)
}

/// How the database at `url` is, in words; changes nothing, and a bot may be using it.
///
/// # Errors
/// When a bot could not use it.
pub async fn look(url: &str) -> Result<String> {
    let Some(mut conn) = beside(url).await? else {
        return Ok(format!("{} is not there yet; the first start makes it", sqlite_path(url)?.display()));
    };
    // No such table: nobody has migrated it yet.
    let row = sqlx::query("select max(version) as version from _sqlx_migrations").fetch_one(&mut conn).await.ok();
    let found = row.and_then(|row| row.try_get::<Option<i64>, _>("version").ok().flatten()).unwrap_or(0);
    conn.close().await.context("cannot close the connection")?;
    let newest = MIGRATIONS.last().map_or(0, |(version, ..)| *version);
    if found > newest {
        bail!("a newer drillbot has changed its schema (it is at {found}, this one knows {newest}); update this one");
    }
    Ok(if found == newest {
        "reachable, and its schema is the newest".to_owned()
    } else {
        "reachable; the next start brings its schema to the newest".to_owned()
    })
}

/// Brings the database at `url` to the newest schema; creates a SQLite file. Doing it twice is doing it once.
pub async fn migrate(url: &str) -> Result<()> {
    sqlx::any::install_default_drivers();
    if is_postgres(url) {
        // A connection of its own: the advisory lock of the migrator belongs to the session.
        let mut conn =
            AnyConnection::connect_with(&options(url)?).await.map_err(|error| unreachable_database(&error))?;
        migrator().run_direct(None, &mut conn, false).await.context("cannot migrate the database")?;
        conn.close().await.context("cannot close the migration's connection")
    } else {
        let path = sqlite_path(url)?;
        let _lock = lock_file(&path)?;
        migrate_sqlite(&path).await
    }
}

async fn migrate_sqlite(path: &Path) -> Result<()> {
    let mut conn = connect_sqlite(path, true).await?;
    migrator()
        .run_direct(None, &mut conn, false)
        .await
        .with_context(|| format!("cannot migrate {}", path.display()))?;
    conn.close().await.context("cannot close the migration's connection")
}

fn migrator() -> Migrator {
    let migrations = MIGRATIONS
        .iter()
        .map(|(version, name, sql)| {
            Migration::new(*version, (*name).into(), MigrationType::Simple, sqlx::SqlSafeStr::into_sql_str(*sql), false)
        })
        .collect();
    let mut migrator = Migrator::with_migrations(migrations);
    migrator.set_ignore_missing(false);
    migrator
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

fn options(url: &str) -> Result<AnyConnectOptions> {
    // The address may carry a password: no error of the parser goes out.
    let options = AnyConnectOptions::from_str(url).map_err(|_| {
        anyhow!("database.url cannot be read; write sqlite:drillbot.db or postgres://user:password@host/name")
    })?;
    Ok(options.disable_statement_logging())
}

/// The file behind `sqlite:FILE` or `sqlite://FILE`.
pub fn sqlite_path(url: &str) -> Result<PathBuf> {
    let rest = url
        .strip_prefix("sqlite:")
        .context("database.url must begin with sqlite: or postgres://, for example sqlite:drillbot.db")?;
    let path = rest.strip_prefix("//").unwrap_or(rest).split('?').next().unwrap_or_default();
    if path.is_empty() || path.contains(":memory:") {
        bail!("database.url names no file; write for example sqlite:drillbot.db");
    }
    Ok(PathBuf::from(path))
}

fn sqlite_url(path: &Path, mode: &str) -> String {
    let path = path.to_string_lossy().replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    format!("sqlite://{path}?mode={mode}")
}

fn lock_file(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create the folder {}", folder.display()))?;
    }
    let name = PathBuf::from(format!("{}.lock", path.display()));
    let file = File::options().create(true).truncate(false).write(true).open(&name).with_context(|| {
        format!("cannot write {}; choose a folder you may write to with database.url", name.display())
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => bail!(
            "{} is in use by another drillbot; stop that one first, or give this one its own database.url \
             (two on one database need PostgreSQL)",
            path.display()
        ),
        Err(std::fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", name.display()))
        }
    }
}

async fn connect_sqlite(path: &Path, create: bool) -> Result<AnyConnection> {
    let url = sqlite_url(path, if create { "rwc" } else { "rw" });
    let mut conn = AnyConnection::connect_with(&options(&url)?)
        .await
        .with_context(|| format!("cannot open {}", path.display()))?;
    set_up_sqlite(&mut conn).await.with_context(|| format!("{} is no usable SQLite file", path.display()))?;
    Ok(conn)
}

async fn set_up_sqlite(conn: &mut AnyConnection) -> sqlx::Result<()> {
    for pragma in [
        "pragma busy_timeout = 5000",
        "pragma journal_mode = wal",
        "pragma synchronous = full",
        "pragma foreign_keys = on",
        // An upper bound, used only under load.
        "pragma cache_size = -16000",
        "pragma wal_autocheckpoint = 4000",
        "pragma temp_store = memory",
    ] {
        sqlx::query(pragma).execute(&mut *conn).await?;
    }
    Ok(())
}

fn unreachable_database(error: &sqlx::Error) -> anyhow::Error {
    // Only the kind of the failure: a connection error can repeat the address, and with it the password.
    let why = match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::PoolTimedOut => "no answer within 5 seconds".to_owned(),
        _ => "the connection failed".to_owned(),
    };
    anyhow!("cannot reach the PostgreSQL database ({why}); check database.url and that the server is up")
}

fn unavailable(name: &str, error: &sqlx::Error) -> anyhow::Error {
    let why = match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::PoolTimedOut => "no connection within 5 seconds".to_owned(),
        sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => "it is closed".to_owned(),
        other => other.to_string(),
    };
    anyhow!(Unavailable(format!("cannot {name}: the database says: {why}")))
}

/// Errors of the database itself become [`Unavailable`]; everything else stays what it is.
fn classify(name: &str, error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref::<sqlx::Error>() {
        // A broken constraint is a bug of ours: the same call would fail again.
        Some(sqlx::Error::Database(inner)) if !matches!(inner.kind(), sqlx::error::ErrorKind::Other) => {
            error.context(format!("cannot {name}"))
        }
        Some(
            inner @ (sqlx::Error::Database(_)
            | sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed),
        ) => unavailable(name, inner),
        _ => error.context(format!("cannot {name}")),
    }
}

/// One write waiting for its place in a commit, its type erased.
trait Job: Send {
    /// Runs inside the group's transaction; false asks for a rollback to before this job.
    fn run<'c>(&'c mut self, conn: &'c mut Conn) -> BoxFuture<'c, bool>;
    /// Tells the waiting caller, after the commit.
    fn finish(self: Box<Self>, commit: Result<(), String>);
}

struct Work<T, F> {
    name: &'static str,
    work: Option<F>,
    result: Option<Result<T>>,
    reply: Option<oneshot::Sender<Result<T>>>,
}

impl<T, F> Job for Work<T, F>
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T>> + Send + 'static,
{
    fn run<'c>(&'c mut self, conn: &'c mut Conn) -> BoxFuture<'c, bool> {
        Box::pin(async move {
            let Some(work) = self.work.take() else { return false };
            // A job that breaks down must not take the only writer with it.
            let result = match AssertUnwindSafe(work(conn)).catch_unwind().await {
                Ok(result) => result.map_err(|error| classify(self.name, error)),
                Err(_) => Err(anyhow!("cannot {}: it broke down half-way", self.name)),
            };
            let ok = result.is_ok();
            self.result = Some(result);
            ok
        })
    }

    fn finish(mut self: Box<Self>, commit: Result<(), String>) {
        let result = match (self.result.take(), commit) {
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (_, Err(why)) => Err(anyhow!(Unavailable(format!("cannot {}: the database says: {why}", self.name)))),
            (None, Ok(())) => Err(anyhow!(Unavailable(format!("cannot {}: it was not tried", self.name)))),
        };
        if let Some(reply) = self.reply.take() {
            // Nobody waits any more: the caller went away, the write stands.
            let _ = reply.send(result);
        }
    }
}

/// The writer of a SQLite file: everything that waits goes into one commit, each job behind a savepoint of its own.
async fn write_in_groups(mut conn: AnyConnection, mut queue: mpsc::Receiver<Box<dyn Job>>) {
    let mut group: Vec<Box<dyn Job>> = Vec::new();
    while let Some(first) = queue.recv().await {
        group.push(first);
        let outcome = run_group(&mut conn, &mut group, &mut queue).await;
        if outcome.is_err() {
            // Harmless when the failed statement has ended the transaction already.
            let _ = sqlx::query("rollback").execute(&mut conn).await;
        }
        for job in group.drain(..) {
            job.finish(outcome.clone());
        }
    }
    let _ = conn.close().await;
}

async fn run_group(
    conn: &mut AnyConnection,
    group: &mut Vec<Box<dyn Job>>,
    queue: &mut mpsc::Receiver<Box<dyn Job>>,
) -> Result<(), String> {
    let words = |error: sqlx::Error| match &error {
        sqlx::Error::Database(inner) => inner.message().to_owned(),
        _ => error.to_string(),
    };
    sqlx::query("begin immediate").execute(&mut *conn).await.map_err(words)?;
    let mut done = 0;
    while done < group.len() {
        sqlx::query("savepoint job").execute(&mut *conn).await.map_err(words)?;
        if !group[done].run(conn).await {
            sqlx::query("rollback to job").execute(&mut *conn).await.map_err(words)?;
        }
        sqlx::query("release job").execute(&mut *conn).await.map_err(words)?;
        done += 1;
        if done == group.len() && done < GROUP {
            group.extend(queue.try_recv().ok());
        }
    }
    sqlx::query("commit").execute(&mut *conn).await.map(drop).map_err(words)
}

/// A value of a bound parameter.
#[derive(Clone, Debug)]
pub enum Bind {
    Int(i64),
    Text(String),
    NoInt,
    NoText,
}

impl From<i64> for Bind {
    fn from(value: i64) -> Self {
        Bind::Int(value)
    }
}

impl From<&str> for Bind {
    fn from(value: &str) -> Self {
        Bind::from(value.to_owned())
    }
}

impl From<String> for Bind {
    /// PostgreSQL keeps no NUL in a text: what somebody sends with one must not make every later attempt fail.
    fn from(value: String) -> Self {
        Bind::Text(if value.contains('\0') { value.replace('\0', "\u{fffd}") } else { value })
    }
}

impl From<Option<i64>> for Bind {
    fn from(value: Option<i64>) -> Self {
        value.map_or(Bind::NoInt, Bind::Int)
    }
}

impl From<Option<String>> for Bind {
    fn from(value: Option<String>) -> Self {
        value.map_or(Bind::NoText, Bind::from)
    }
}

/// Binds `values` to `$1`, `$2`, .. of `sql`. A count that does not fit is a bug that SQLite would hide as NULLs, so it is an error.
fn query(sql: String, values: Vec<Bind>) -> Result<sqlx::query::Query<'static, sqlx::Any, AnyArguments>> {
    let wanted = highest_parameter(&sql);
    if wanted != values.len() {
        bail!("{wanted} parameters, {} values: {sql}", values.len());
    }
    Ok(bind(sql, values))
}

fn bind(sql: String, values: Vec<Bind>) -> sqlx::query::Query<'static, sqlx::Any, AnyArguments> {
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for value in values {
        query = match value {
            Bind::Int(value) => query.bind(value),
            Bind::Text(value) => query.bind(value),
            Bind::NoInt => query.bind(None::<i64>),
            Bind::NoText => query.bind(None::<String>),
        };
    }
    query
}

fn highest_parameter(sql: &str) -> usize {
    sql.split('$')
        .skip(1)
        .filter_map(|tail| {
            let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
            tail[..digits].parse::<usize>().ok()
        })
        .max()
        .unwrap_or(0)
}

/// Runs a statement; how many rows it touched.
pub async fn execute(conn: &mut Conn, sql: impl Into<String>, values: Vec<Bind>) -> Result<u64> {
    Ok(query(sql.into(), values)?.execute(conn).await?.rows_affected())
}

pub async fn fetch_all(conn: &mut Conn, sql: impl Into<String>, values: Vec<Bind>) -> Result<Vec<AnyRow>> {
    Ok(query(sql.into(), values)?.fetch_all(conn).await?)
}

pub async fn fetch_optional(conn: &mut Conn, sql: impl Into<String>, values: Vec<Bind>) -> Result<Option<AnyRow>> {
    Ok(query(sql.into(), values)?.fetch_optional(conn).await?)
}

/// Inserts many rows in few statements: `insert into <head> values (..), (..) <tail>`; how many rows it touched.
pub async fn insert_many(conn: &mut Conn, head: &str, tail: &str, rows: Vec<Vec<Bind>>) -> Result<u64> {
    let mut touched = 0;
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut values = Vec::new();
        let mut sql = format!("insert into {head} values ");
        let sqlite = conn.backend_name() == "SQLite";
        for (at, row) in rows.by_ref().take(ROWS).enumerate() {
            if at > 0 {
                sql.push_str(", ");
            }
            sql.push('(');
            for (column, value) in row.into_iter().enumerate() {
                if column > 0 {
                    sql.push_str(", ");
                }
                values.push(value);
                if sqlite {
                    // SQLite looks a named parameter up in a list: thousands of them cost millions of steps. These have no names.
                    sql.push('?');
                } else {
                    sql.push_str(&format!("${}", values.len()));
                }
            }
            sql.push(')');
        }
        sql.push(' ');
        sql.push_str(tail);
        touched += bind(sql, values).execute(&mut *conn).await?.rows_affected();
    }
    Ok(touched)
}

/// `$3, $4, $5` for three values behind two others.
pub fn places(from: usize, count: usize) -> String {
    (from..from + count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}

pub fn int(row: &AnyRow, column: &str) -> Result<i64> {
    Ok(row.try_get::<i64, _>(column)?)
}

pub fn text(row: &AnyRow, column: &str) -> Result<String> {
    Ok(row.try_get::<String, _>(column)?)
}

pub fn maybe_int(row: &AnyRow, column: &str) -> Result<Option<i64>> {
    Ok(row.try_get::<Option<i64>, _>(column)?)
}

pub fn maybe_text(row: &AnyRow, column: &str) -> Result<Option<String>> {
    Ok(row.try_get::<Option<String>, _>(column)?)
}

/// The next `count` numbers of a counter, in commit order also with several writers: the last of them.
pub async fn count_up(conn: &mut Conn, name: &str, count: i64) -> Result<i64> {
    let row = fetch_optional(
        conn,
        "update counters set value = value + $2 where name = $1 returning value",
        vec![name.into(), count.into()],
    )
    .await?
    .with_context(|| format!("the counter {name} is missing; run drillbot db migrate"))?;
    int(&row, "value")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_counted() {
        assert_eq!(highest_parameter("select $1, $12, $2"), 12);
        assert_eq!(highest_parameter("select 1"), 0);
    }

    #[test]
    fn a_count_of_values_that_does_not_fit_is_an_error() {
        let sql = "select $1, $2";
        assert!(query(sql.to_owned(), vec![1.into(), 2.into()]).is_ok());
        for values in [vec![], vec![1.into()], vec![1.into(), 2.into(), 3.into()]] {
            let error = query(sql.to_owned(), values).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains("2 parameters"), "{error}");
        }
    }

    #[test]
    fn addresses_of_sqlite_files_are_read() {
        for (url, path) in
            [("sqlite:a.db", "a.db"), ("sqlite://a/b.db", "a/b.db"), ("sqlite:///tmp/a.db?x=1", "/tmp/a.db")]
        {
            assert_eq!(sqlite_path(url).unwrap(), PathBuf::from(path));
        }
        for wrong in ["a.db", "mysql://x", "sqlite:", "sqlite::memory:"] {
            assert!(sqlite_path(wrong).is_err(), "{wrong}");
        }
    }
}
