//! The real binary, as an operator runs it.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const BINARY: &str = env!("CARGO_BIN_EXE_drillbot");

/// A folder with settings: what a bot is started with.
#[derive(Clone, Debug)]
pub struct Setup {
    pub folder: PathBuf,
    pub environment: Vec<(String, String)>,
    pub arguments: Vec<String>,
    /// A shell line around the binary, which it finds as `"$0" "$@"`.
    pub around: Option<String>,
}

impl Setup {
    /// `database` is an address; `settings` go into drillbot.toml.
    pub fn new(folder: &Path, database: &str, settings: &str) -> Setup {
        std::fs::write(folder.join("drillbot.toml"), settings).expect("a settings file");
        let environment = vec![
            ("DRILLBOT_WEB_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            ("DRILLBOT_DATABASE_URL".to_owned(), database.to_owned()),
        ];
        Setup { folder: folder.to_owned(), environment, arguments: Vec::new(), around: None }
    }

    /// Without settings of ours.
    pub fn bare(folder: &Path) -> Setup {
        Setup { folder: folder.to_owned(), environment: Vec::new(), arguments: Vec::new(), around: None }
    }

    pub fn with(mut self, name: &str, value: &str) -> Setup {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn argue(mut self, arguments: &[&str]) -> Setup {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    pub fn around(mut self, line: &str) -> Setup {
        self.around = Some(line.to_owned());
        self
    }

    fn command(&self) -> Command {
        let mut command = match &self.around {
            Some(line) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", line, BINARY]);
                shell
            }
            None => Command::new(BINARY),
        };
        command.args(&self.arguments).current_dir(&self.folder).env_clear().env("PATH", "/usr/bin:/bin");
        command.envs(self.environment.iter().cloned());
        command
    }

    /// Starts it without waiting for anything.
    pub fn spawn(&self) -> Bot {
        let mut command = self.command();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let said = Arc::new(Said::default());
        let (out, err) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        let listeners = [
            listen(out, said.clone(), |said, line| said.out.lock().unwrap_or_else(PoisonError::into_inner).push(line)),
            listen(err, said.clone(), |said, line| said.err.lock().unwrap_or_else(PoisonError::into_inner).push(line)),
        ];
        Bot { child, said, listeners: Some(listeners), begun: Instant::now() }
    }

    /// Starts it and waits until it says that it is ready.
    pub async fn start(&self) -> Bot {
        let mut bot = self.spawn();
        bot.ready().await;
        bot
    }

    /// Runs it to its end.
    pub fn run(&self) -> Output {
        self.command().stdin(Stdio::null()).output().expect("the binary runs")
    }
}

#[derive(Default)]
struct Said {
    out: Mutex<Vec<String>>,
    err: Mutex<Vec<String>>,
}

fn listen(
    pipe: impl std::io::Read + Send + 'static,
    said: Arc<Said>,
    keep: impl Fn(&Said, String) + Send + 'static,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines() {
            match line {
                Ok(line) => keep(&said, line),
                Err(_) => return,
            }
        }
    })
}

/// A running bot; killed when it is dropped.
pub struct Bot {
    child: Child,
    said: Arc<Said>,
    listeners: Option<[std::thread::JoinHandle<()>; 2]>,
    begun: Instant,
}

/// How a bot ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub took: Duration,
}

impl Bot {
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The address of its web chat, once it has said so.
    pub fn url(&self) -> Option<String> {
        let out = self.said.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.iter().find_map(|line| {
            let (_, url) = line.strip_prefix("drillbot is ready in ")?.split_once(" ms: ")?;
            Some(url.to_owned())
        })
    }

    /// Waits for its address.
    pub async fn ready(&mut self) -> String {
        loop {
            if let Some(url) = self.url() {
                return url;
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("the bot has ended with {status} before it was ready\n{}", self.words());
            }
            assert!(self.begun.elapsed() < Duration::from_secs(30), "not ready after 30 s\n{}", self.words());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What stands in its log so far.
    pub fn log(&self) -> Vec<String> {
        self.said.err.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Everything it said, for a failed test.
    pub fn words(&self) -> String {
        let mut words = String::new();
        for (name, lines) in [("standard output", &self.said.out), ("standard error", &self.said.err)] {
            let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = writeln!(words, "--- {name}, the last 60 lines of {}", lines.len());
            for line in lines.iter().skip(lines.len().saturating_sub(60)) {
                let _ = writeln!(words, "{line}");
            }
        }
        words
    }

    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        // It may have ended by itself, which the caller finds out from the log.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.listen_to_the_end();
    }

    pub fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &line]).status().expect("a shell");
        assert!(status.success(), "{line}");
    }

    /// SIGTERM, and how it ended.
    pub async fn stop(&mut self) -> Ended {
        self.signal("TERM");
        self.ended(Duration::from_secs(20)).await
    }

    /// Waits for its end.
    pub async fn ended(&mut self, within: Duration) -> Ended {
        let begun = Instant::now();
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                self.listen_to_the_end();
                return Ended { code: status.code(), took: begun.elapsed() };
            }
            assert!(begun.elapsed() < within, "still running after {within:?}\n{}", self.words());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn listen_to_the_end(&mut self) {
        for listener in self.listeners.take().into_iter().flatten() {
            let _ = listener.join();
        }
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
