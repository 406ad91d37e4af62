//! Slack: the drill in its channels, threads, modals and App Home. Types of slack-morphism stop here.

mod api;
pub mod commands;
mod doctor;
mod events;
mod http;
mod ids;
mod inbox;
mod install;
mod interactions;
pub mod manifest;
mod people;
mod posting;
pub mod render;
mod socket;
mod standing;
pub mod vault;
mod words;
mod workspaces;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use crate::app::App;
use crate::app::chat::{Chat, Post, SendError};
use crate::app::inbox::{self as letters, Inbox};
use crate::domain::answer::ThreadMessage;
use crate::domain::effect::{Audience, Place, Posted};
use crate::domain::ids::{ChannelId, MessageId, ThreadId};
use crate::domain::message::Message;
use crate::domain::text::trouble;
use api::{Api, Failure};
use commands::Names;
pub use doctor::doctor;
use events::{Change, Ears};
pub use install::{BEGIN, OAuth};
use people::Person;
pub use socket::Ended;
use workspaces::{Workspace, Workspaces};

use ids::{Ours, Spot, Target, member_id};

pub const PLATFORM: &str = "slack";

/// For the log: the library writes addresses of connections, which let in whoever has them, and bodies, at "error".
pub const LIBRARIES: &str = "slack_morphism=off";

/// What has happened to channels and is not noted yet; more than that is found out when something is sent there.
const CHANGES: usize = 10_000;
/// Messages a page of a history or a thread.
const PAGE: &str = "200";
/// The longest prefix of commands: Slack allows a command 32 characters with its slash.
pub const PREFIX_CHARS: usize = 16;

/// Whether this can stand before each command.
pub fn is_prefix(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    text.len() <= PREFIX_CHARS && text.chars().all(fits)
}

/// How to reach Slack. Shows itself to nobody: it holds tokens.
#[derive(Clone)]
pub struct Settings {
    /// Of the one workspace that the app is made for.
    pub bot_token: Option<String>,
    /// For workspaces that install the app by themselves.
    pub oauth: Option<OAuth>,
    /// For Socket Mode.
    pub app_token: Option<String>,
    /// For the Events API.
    pub signing_secret: Option<String>,
    /// `https://slack.com`, or a proxy.
    pub api_url: String,
    /// What stands before each command, for a workspace in which another app has the names.
    pub command_prefix: String,
    /// Ids of people who steer the drill although they do not look after the workspace.
    pub organisers: Vec<String>,
    /// Whether the channel itself shows the beginning of a reveal too.
    pub broadcast_reveal: bool,
    pub patience: Patience,
}

/// How long the bot waits for what Slack does not say by itself.
#[derive(Clone, Debug)]
pub struct Patience {
    /// Seconds between two pings on a connection.
    pub ping_s: u64,
    /// Without any connection for so long, all is begun anew, beginning with the question whether the token is still good.
    pub deaf: Duration,
    /// Between two attempts at channels that were out of reach.
    pub lost: Duration,
    /// How long what is known of a person is good.
    pub names: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            ping_s: 5,
            deaf: Duration::from_secs(60),
            lost: Duration::from_secs(3_600),
            names: Duration::from_secs(600),
        }
    }
}

/// The service. Clones share everything.
#[derive(Clone)]
pub struct Slack(Arc<Inner>);

struct Inner {
    app: Arc<App>,
    api: Api,
    settings: Settings,
    workspaces: Workspaces,
    inbox: Inbox,
    /// What has happened and is not noted yet, until somebody listens.
    changes: mpsc::Sender<Change>,
    happened: Mutex<Option<mpsc::Receiver<Change>>>,
    receipts: Arc<Semaphore>,
    names: Arc<Semaphore>,
    /// By the id of the member.
    people: Mutex<HashMap<String, Person>>,
    seen: Mutex<interactions::Seen>,
    bells: standing::Bells,
    homes: Mutex<interactions::Homes>,
}

/// What Slack says of a channel.
struct Found {
    name: Option<String>,
    /// Whether the bot is in it.
    has_bot: bool,
}

/// A message in what matters here.
#[derive(Clone, Debug, Deserialize)]
struct Raw {
    ts: String,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    bot_id: Option<String>,
    #[serde(default)]
    subtype: Option<String>,
    #[serde(default)]
    text: String,
    #[serde(default)]
    metadata: Value,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    messages: Vec<Raw>,
    #[serde(default)]
    response_metadata: Cursor,
}

#[derive(Default, Deserialize)]
struct Cursor {
    #[serde(default)]
    next_cursor: String,
}

/// An answer of which only the success matters.
#[derive(Deserialize)]
struct Done {}

impl Slack {
    pub fn new(app: Arc<App>, settings: Settings) -> Slack {
        let (changes, happened) = mpsc::channel(CHANGES);
        Slack(Arc::new(Inner {
            app,
            api: Api::new(&settings.api_url),
            settings,
            workspaces: Workspaces::default(),
            inbox: Inbox::default(),
            changes,
            happened: Mutex::new(Some(happened)),
            receipts: Arc::new(Semaphore::new(inbox::RECEIPTS)),
            names: Arc::new(Semaphore::new(inbox::NAMES)),
            people: Mutex::default(),
            seen: Mutex::default(),
            bells: standing::Bells::default(),
            homes: Mutex::default(),
        }))
    }

    fn app(&self) -> &Arc<App> {
        &self.0.app
    }

    fn api(&self) -> &Api {
        &self.0.api
    }

    /// What commands are called here.
    fn names(&self) -> Names<'_> {
        Names { prefix: &self.0.settings.command_prefix }
    }

    fn patience(&self) -> &Patience {
        &self.0.settings.patience
    }

    /// What a channel is, if Slack says so.
    async fn place(&self, channel: &ChannelId) -> Option<Found> {
        #[derive(Deserialize)]
        struct Told {
            channel: Channel,
        }
        #[derive(Deserialize)]
        struct Channel {
            #[serde(default)]
            name: Option<String>,
            #[serde(default)]
            is_member: bool,
        }
        let spot = Spot::of_channel(channel)?;
        let workspace = self.workspace(spot.team).await.ok()?;
        let asked = [("channel", spot.channel.to_owned())];
        match self.api().get::<Told>(&workspace.token, "conversations.info", &asked).await {
            Ok(Told { channel }) => Some(Found { name: channel.name, has_bot: channel.is_member }),
            // What it is not in and is not public does not exist for it.
            Err(failure) if failure.code() == "channel_not_found" => Some(Found { name: None, has_bot: false }),
            Err(_) => None,
        }
    }

    /// The next messages of a channel or a thread (`ts`), and where to go on.
    async fn page(
        &self,
        workspace: &Workspace,
        place: Where<'_>,
        since: Option<i64>,
        cursor: &str,
    ) -> Result<(Vec<Raw>, Option<String>), Failure> {
        let mut parameters = vec![
            ("channel", place.channel.to_owned()),
            ("limit", PAGE.to_owned()),
            ("include_all_metadata", "true".to_owned()),
        ];
        parameters.extend(place.thread.map(|ts| ("ts", ts.to_owned())));
        parameters.extend(since.map(|ms| ("oldest", ids::ts(ms))));
        if !cursor.is_empty() {
            parameters.push(("cursor", cursor.to_owned()));
        }
        let method = if place.thread.is_some() { "conversations.replies" } else { "conversations.history" };
        let page: Page = self.api().get(&workspace.token, method, &parameters).await?;
        let next = page.response_metadata.next_cursor;
        Ok((page.messages, (!next.is_empty()).then_some(next)))
    }
}

/// A channel, or a thread in it by the time of its first message.
#[derive(Clone, Copy)]
struct Where<'a> {
    channel: &'a str,
    thread: Option<&'a str>,
}

/// What the bot's own web server has for Slack: the address for events, and the pages on which workspaces install the app.
///
/// # Errors
/// When the address of Slack is none.
pub fn router(slack: &Slack) -> anyhow::Result<Router> {
    let settings = &slack.0.settings;
    let mut router = Router::new();
    if let Some(secret) = &settings.signing_secret {
        router = router.merge(http::router(slack, secret));
    }
    if let Some(oauth) = &settings.oauth {
        router = router.merge(install::router(slack, oauth)?);
    }
    Ok(router)
}

/// Listens until `stopping`; once.
///
/// # Errors
/// [`Ended`] when Slack refuses a token for good.
pub async fn listen(slack: Slack, mut stopping: watch::Receiver<bool>) -> anyhow::Result<()> {
    let ears = Ears { slack: slack.clone() };
    let happened = slack.0.happened.lock().unwrap_or_else(PoisonError::into_inner).take();
    // They end with this set, however it ends.
    let mut helpers = JoinSet::new();
    helpers.spawn(letters::work(slack.clone(), stopping.clone()));
    helpers.spawn(letters::catch_up(slack.clone(), stopping.clone()));
    if let Some(happened) = happened {
        helpers.spawn(events::note_changes(slack.clone(), happened));
    }
    helpers.spawn(workspaces::encrypt_anew(slack.clone()));
    helpers.spawn(standing::try_lost_channels(slack.clone()));
    let heard = async {
        match slack.0.settings.app_token.clone() {
            Some(app_token) => socket::listen(ears, &app_token, stopping).await,
            None => {
                // What was written while nobody answered here.
                ears.begun();
                let _ = stopping.wait_for(|stop| *stop).await;
                Ok(())
            }
        }
    };
    tokio::select! {
        ended = heard => ended,
        ended = slack.withdrawn() => Err(ended.into()),
    }
}

/// Nothing is certain to have happened, or it is certain that it has not.
fn unsure(failure: Failure) -> SendError {
    match failure {
        Failure::Busy { after, why } => SendError::Retry { after, why },
        Failure::Refused { why, .. } => SendError::Fatal { why },
        Failure::Lost { why } => SendError::InDoubt { why },
    }
}

/// A person's own words: no app's, nothing that Slack itself says.
fn is_somebodys(message: &Raw) -> bool {
    message.bot_id.is_none()
        && message.user.is_some()
        && matches!(message.subtype.as_deref(), None | Some("thread_broadcast" | "file_share" | "me_message"))
        && !message.text.trim().is_empty()
}

impl Chat for Slack {
    fn platform(&self) -> &'static str {
        PLATFORM
    }

    /// What only one member sees does not last in Slack and cannot be looked for: results come with the "My result" button and stand in
    /// the App Home.
    fn posts_in_private(&self) -> bool {
        false
    }

    async fn post(&self, post: Post<'_>) -> Result<Posted, SendError> {
        let spot = spot(&post.place.channel)?;
        let message = self.names().in_message(post.message);
        let post = Post { message: &message, ..post };
        match (&post.place.audience, post.opens_thread, &post.place.thread) {
            (Audience::Member(member), ..) => self.post_to_member(member, &post).await,
            (Audience::Organisers, ..) => self.post_to_organisers(&post.place.channel, &post).await,
            (Audience::Everyone, Some(_), _) => self.post_question(spot, &post).await,
            (Audience::Everyone, None, Some(thread)) => self.post_in_thread(spot, thread, &post).await,
            (Audience::Everyone, None, None) => self.post_in_channel(spot, &post).await,
        }
    }

    async fn find(&self, post: Post<'_>) -> Result<Option<Posted>, SendError> {
        let spot = spot(&post.place.channel)?;
        let thread = post.place.thread.as_ref().and_then(Target::of_thread);
        match &post.place.audience {
            Audience::Everyone => self.find_in_channel(spot, thread, &post).await,
            Audience::Member(member) => self.find_letter(member, &post).await,
            Audience::Organisers => self.find_notice(&post.place.channel, &post).await,
        }
    }

    async fn edit(&self, place: &Place, target: &MessageId, message: &Message) -> Result<(), SendError> {
        let Some(ours) = Ours::of_message(target) else {
            return Err(SendError::Fatal { why: trouble::message_deleted() });
        };
        let Target { spot, ts } = ours.target;
        let mut body = render::with_key(render::edit(&self.names().in_message(message)), ours.key);
        body["channel"] = json!(spot.channel);
        body["ts"] = json!(ts);
        let edit = async {
            let workspace = self.workspace(spot.team).await?;
            self.api().repeat::<Done>(&workspace.token, "chat.update", &body).await
        };
        match edit.await {
            Ok(_) => Ok(()),
            // Edits can be repeated: nothing is in doubt about them.
            Err(Failure::Lost { why }) => Err(SendError::Retry { after: Duration::from_secs(1), why }),
            Err(failure) => match failure.code() {
                "message_not_found" | "cant_update_message" => {
                    Err(SendError::Fatal { why: trouble::message_deleted() })
                }
                "edit_window_closed" => Err(SendError::Fatal { why: trouble::edits_end() }),
                _ => Err(self.explain(&place.channel, failure).await),
            },
        }
    }

    async fn replies(&self, place: &Place, thread: &ThreadId) -> Result<Vec<ThreadMessage>, SendError> {
        let Some(Target { spot, ts }) = Target::of_thread(thread) else { return Err(SendError::Deleted) };
        let in_thread = Where { channel: spot.channel, thread: Some(ts) };
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let read = async {
                let workspace = self.workspace(spot.team).await?;
                let (page, next) = self.page(&workspace, in_thread, None, &cursor).await?;
                let mut messages = Vec::new();
                for message in page.into_iter().filter(|message| message.ts != ts && is_somebodys(message)) {
                    let user = message.user.unwrap_or_default();
                    messages.push(ThreadMessage {
                        member: member_id(spot.team, &user),
                        name: self.name(&workspace, &user).await,
                        id: MessageId::new(Target { spot, ts: &message.ts }.part()),
                        text: words::as_typed(&message.text),
                        at: ids::micros(&message.ts) / 1_000,
                    });
                }
                Ok::<_, Failure>((messages, next))
            };
            match read.await {
                Ok((messages, next)) => {
                    all.extend(messages);
                    match next {
                        Some(next) => cursor = next,
                        None => break,
                    }
                }
                Err(Failure::Refused { code, .. }) if code == "thread_not_found" => return Err(SendError::Deleted),
                // From the beginning it would take as long again.
                Err(Failure::Busy { after, .. }) if !cursor.is_empty() => tokio::time::sleep(after).await,
                Err(Failure::Lost { why }) => return Err(SendError::Retry { after: Duration::from_secs(1), why }),
                // The reveal can be posted without.
                Err(failure) if failure.code() == "missing_scope" => {
                    return Err(SendError::Fatal { why: trouble::missing_scope(failure.why()) });
                }
                Err(failure) => return Err(self.explain(&place.channel, failure).await),
            }
        }
        all.sort_by(|one: &ThreadMessage, other| one.id.as_str().cmp(other.id.as_str()));
        Ok(all)
    }
}

/// The channel of Slack that an id names.
fn spot(channel: &ChannelId) -> Result<Spot<'_>, SendError> {
    Spot::of_channel(channel).ok_or_else(|| SendError::Fatal { why: format!("{channel} is no channel of Slack") })
}
