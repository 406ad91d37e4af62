//! A database for one test: a SQLite file in a folder of its own, or a PostgreSQL database that is dropped afterwards.

use std::path::Path;
use std::str::FromStr;

use drillbot::store::Store;
use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, AssertSqlSafe, ConnectOptions, Connection};
use tempfile::TempDir;

use super::setting;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

pub struct Database {
    pub url: String,
    /// A folder for this test, also for files beside the database.
    folder: TempDir,
    /// The server's own address and the name of our database on it.
    server: Option<(String, String)>,
}

const HOW: &str = "\n\nThis test needs a PostgreSQL server:\n    \
    DRILLBOT_TEST_POSTGRES=$(tests/postgres.sh start /tmp/drillbot-postgres) cargo test\n    \
    tests/postgres.sh stop /tmp/drillbot-postgres\n\
    or leave these tests out, knowingly: DRILLBOT_TEST_SKIP_POSTGRES=1 cargo test\n";

impl Database {
    pub async fn sqlite() -> Database {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let url = format!("sqlite:{}", folder.path().join("drill.db").display());
        Database { url, folder, server: None }
    }

    /// None when PostgreSQL is left out on purpose.
    pub async fn postgres() -> Option<Database> {
        let Some(server) = setting("DRILLBOT_TEST_POSTGRES") else {
            assert!(setting("DRILLBOT_TEST_SKIP_POSTGRES").as_deref() == Some("1"), "{HOW}");
            return None;
        };
        let name = format!("t_{}", drillbot::app::random_id().expect("random bytes"));
        let mut conn = connect(&server).await;
        run(&mut conn, &format!("create database {name}")).await;
        conn.close().await.expect("a connection that closes");
        let url = format!("{}/{name}", server.rsplit_once('/').expect("an address like postgres://host/postgres").0);
        let folder = tempfile::tempdir().expect("a folder for the test");
        Some(Database { url, folder, server: Some((server, name)) })
    }

    pub async fn of(kind: Kind) -> Option<Database> {
        match kind {
            Kind::Sqlite => Some(Database::sqlite().await),
            Kind::Postgres => Database::postgres().await,
        }
    }

    pub async fn open(&self) -> Store {
        Store::open(&self.url).await.expect("a store")
    }

    /// A connection beside the store, also while a bot is using the database.
    pub async fn connect(&self) -> AnyConnection {
        connect(&self.url).await
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Some((server, name)) = self.server.take() else { return };
        // A thread of its own, since a runtime cannot wait inside another one.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let options = AnyConnectOptions::from_str(&server).expect("the server's address");
                // The server may be stopped already: then there is nothing to drop.
                if let Ok(mut conn) = AnyConnection::connect_with(&options).await {
                    let sql = format!("drop database if exists {name} with (force)");
                    let _ = sqlx::query(AssertSqlSafe(sql)).execute(&mut conn).await;
                }
            });
        });
        let _ = dropped.join();
    }
}

async fn connect(url: &str) -> AnyConnection {
    sqlx::any::install_default_drivers();
    let options = AnyConnectOptions::from_str(url).expect("a database's address").disable_statement_logging();
    AnyConnection::connect_with(&options).await.expect("a connection")
}

/// Runs one statement and insists that it works.
pub async fn run(conn: &mut AnyConnection, sql: &str) {
    sqlx::query(AssertSqlSafe(sql.to_owned())).execute(conn).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}
