//! What every chat service promises to the delivery worker, rule by rule, for each of them.

use std::sync::Arc;
use std::time::Duration;

use drillbot::adapters::discord::Discord;
use drillbot::adapters::memory::MemoryChat;
use drillbot::adapters::slack::Slack;
use drillbot::adapters::web::WebChat;
use drillbot::app::chat::{Chat, Post, SendError};
use drillbot::app::clock::Clock;
use drillbot::app::{Actor, App};
use drillbot::domain::effect::{Audience, Place, Posted};
use drillbot::domain::ids::{ChannelId, DeliveryId, MemberId, MessageId, ThreadId};
use drillbot::domain::message::Message;
use drillbot::store::web::{self, NewMessage, Viewer, WebMessage};
use drillbot::store::{Store, members};

use crate::discord::Stage;
use crate::fake::discord::Id;
use crate::fake::slack::Spot;
use crate::slack;
use crate::world::{bank, folder, open_store};

fn post<'a>(key: &'a DeliveryId, place: &'a Place, message: &'a Message, opens_thread: Option<&'a str>) -> Post<'a> {
    Post { key, place, message, opens_thread, since: 0, ping: None, announces: false, labels: &[] }
}

/// A service under test, seen from the side of its members.
trait Remote {
    type Service: Chat;

    fn service(&self) -> &Self::Service;

    /// (id, text) of what a member sees, in order; organisers see what is for organisers.
    async fn seen_by(&self, member: &str, organiser: bool) -> Vec<(String, String)>;

    /// The id of somebody of this name.
    fn member(&self, name: &str) -> MemberId;

    /// `at` is the instant for services that leave the time to the test.
    async fn write(&self, thread: &ThreadId, member: &str, text: &str, at: i64) -> MessageId;

    async fn rewrite(&self, id: &MessageId, text: &str);

    async fn erase(&self, id: &MessageId);

    /// Somebody deletes one of the bot's messages.
    async fn remove(&self, id: &MessageId);

    fn channel(&self) -> ChannelId {
        ChannelId::new(format!("{}:daily-drill", self.service().platform()))
    }

    fn place(&self) -> Place {
        Place { channel: self.channel(), thread: None, audience: Audience::Everyone }
    }

    async fn say(&self, key: &str, place: &Place, text: &str, opens_thread: Option<&str>) -> Posted {
        let (key, message) = (DeliveryId::new(key), Message::say(text));
        let post = post(&key, place, &message, opens_thread);
        self.service().post(post).await.expect("the post gets through")
    }

    async fn find(&self, key: &str, opens_thread: Option<&str>) -> Option<Posted> {
        let (key, message, place) = (DeliveryId::new(key), Message::say("Whatever."), self.place());
        let post = post(&key, &place, &message, opens_thread);
        self.service().find(post).await.expect("the look gets through")
    }

    /// How [`Remote::seen_by`] names a message.
    fn shown_id(&self, id: &MessageId) -> String {
        id.to_string()
    }

    async fn texts(&self, member: &str, organiser: bool) -> Vec<String> {
        self.seen_by(member, organiser).await.into_iter().map(|(_, text)| text).collect()
    }
}

struct InMemory(MemoryChat);

impl Remote for InMemory {
    type Service = MemoryChat;

    fn service(&self) -> &MemoryChat {
        &self.0
    }

    async fn seen_by(&self, member: &str, organiser: bool) -> Vec<(String, String)> {
        let me = Audience::Member(self.member(member));
        let seen = |audience: &Audience| match audience {
            Audience::Everyone => true,
            Audience::Organisers => organiser,
            Audience::Member(_) => *audience == me,
        };
        let shown = self.0.shown();
        let shown = shown.iter().filter(|shown| seen(&shown.audience));
        shown.map(|shown| (shown.id.to_string(), shown.message.as_text())).collect()
    }

    fn member(&self, name: &str) -> MemberId {
        MemberId::new(format!("memory:{name}"))
    }

    async fn write(&self, thread: &ThreadId, member: &str, text: &str, at: i64) -> MessageId {
        self.0.write(thread, &self.member(member), member, text, at)
    }

    async fn rewrite(&self, id: &MessageId, text: &str) {
        self.0.rewrite(id, text);
    }

    async fn erase(&self, id: &MessageId) {
        self.0.erase(id);
    }

    async fn remove(&self, id: &MessageId) {
        self.0.remove(id);
    }
}

struct OnTheWeb {
    chat: WebChat,
    store: Store,
    _folder: tempfile::TempDir,
}

impl OnTheWeb {
    async fn new() -> OnTheWeb {
        let folder = folder();
        let store = open_store(&folder).await;
        let app = App::new(store.clone(), Clock::manual(1_000), bank(&[("iam", 1)]), Duration::from_secs(30));
        OnTheWeb { chat: WebChat::new(Arc::new(app)), store, _folder: folder }
    }
}

impl Remote for OnTheWeb {
    type Service = WebChat;

    fn service(&self) -> &WebChat {
        &self.chat
    }

    async fn seen_by(&self, member: &str, organiser: bool) -> Vec<(String, String)> {
        let viewer = Viewer { member: self.member(member), organiser };
        let all: Vec<WebMessage> = self
            .store
            .read("look", move |conn| Box::pin(async move { web::since(conn, 0, &viewer, 1_000).await }))
            .await
            .expect("messages can be read");
        let mut all: Vec<WebMessage> = all.into_iter().filter(|m| !m.deleted && m.author.is_none()).collect();
        all.sort_by_key(|message| message.seq);
        let text = |message: &WebMessage| serde_json::from_str::<Message>(&message.body).expect("a message").as_text();
        all.iter().map(|message| (message.id.clone(), text(message))).collect()
    }

    fn member(&self, name: &str) -> MemberId {
        MemberId::new(format!("web:{name}"))
    }

    async fn write(&self, thread: &ThreadId, member: &str, text: &str, at: i64) -> MessageId {
        let (channel, thread, member, text) = (self.channel(), thread.clone(), self.member(member), text.to_owned());
        let id = self
            .store
            .write("write", move |conn| {
                Box::pin(async move {
                    members::seen(conn, &member, member.as_str(), at).await?;
                    let id = format!("m-{at}-{member}");
                    let new = NewMessage {
                        id: &id,
                        channel: &channel,
                        thread: Some(thread.as_str()),
                        author: Some(&member),
                        audience: "",
                        body: &text,
                        dedup: &id,
                        at,
                    };
                    Ok(web::insert(conn, &new).await?.0)
                })
            })
            .await
            .expect("the message is stored");
        MessageId::new(id)
    }

    async fn rewrite(&self, id: &MessageId, text: &str) {
        let (id, text) = (id.clone(), text.to_owned());
        self.store
            .write("edit", move |conn| Box::pin(async move { web::edit(conn, id.as_str(), &text, Some(2)).await }))
            .await
            .expect("the edit is stored");
    }

    async fn erase(&self, id: &MessageId) {
        let id = id.clone();
        self.store
            .write("delete", move |conn| Box::pin(async move { web::delete(conn, id.as_str()).await }))
            .await
            .expect("the deletion is stored");
    }

    async fn remove(&self, id: &MessageId) {
        self.erase(id).await;
    }
}

struct OnDiscord {
    stage: Stage,
    chat: Discord,
    channel: Id,
}

impl OnDiscord {
    async fn new() -> OnDiscord {
        let stage = Stage::dark().await;
        OnDiscord { chat: stage.chat(), channel: stage.channel, stage }
    }

    fn user(&self, name: &str) -> Id {
        match name {
            "ann" => self.stage.fake.owner(self.stage.guild),
            "bob" => self.stage.bob,
            "cleo" => self.stage.cleo,
            other => panic!("nobody is called {other}"),
        }
    }
}

impl Remote for OnDiscord {
    type Service = Discord;

    fn service(&self) -> &Discord {
        &self.chat
    }

    fn channel(&self) -> ChannelId {
        ChannelId::new(format!("discord:{}", self.channel))
    }

    /// Organisers are told in private conversations, as is everybody else.
    async fn seen_by(&self, member: &str, _: bool) -> Vec<(String, String)> {
        let fake = &self.stage.fake;
        let bot = fake.bot();
        let mut all = fake.messages(self.channel);
        all.extend(fake.messages(fake.dm(self.user(member))));
        all.retain(|shown| shown.author_id == bot);
        all.sort_by_key(|shown| shown.id);
        all.iter().map(|shown| (shown.id.to_string(), shown.text().trim().to_owned())).collect()
    }

    fn member(&self, name: &str) -> MemberId {
        MemberId::new(format!("discord:{}", self.user(name)))
    }

    async fn write(&self, thread: &ThreadId, member: &str, text: &str, _: i64) -> MessageId {
        let thread = thread.as_str().parse().expect("a thread of Discord");
        MessageId::new(self.stage.fake.write(self.user(member), thread, text).to_string())
    }

    async fn rewrite(&self, id: &MessageId, text: &str) {
        self.stage.fake.edit(id.as_str().parse().expect("a message of Discord"), text);
    }

    async fn erase(&self, id: &MessageId) {
        self.stage.fake.delete(id.as_str().parse().expect("a message of Discord"));
    }

    async fn remove(&self, id: &MessageId) {
        let message = id.as_str().split('/').nth(1).expect("a message of ours");
        self.stage.fake.delete(message.parse().expect("a message of Discord"));
    }

    fn shown_id(&self, id: &MessageId) -> String {
        id.as_str().split('/').nth(1).unwrap_or_default().to_owned()
    }
}

struct OnSlack {
    stage: slack::Stage,
    chat: Slack,
}

impl OnSlack {
    async fn new() -> OnSlack {
        let stage = slack::Stage::dark().await;
        OnSlack { chat: stage.chat(), stage }
    }

    /// From now on organisers' notices go to Ann.
    async fn steered_by_ann(&self) {
        let ann = Actor {
            member: self.member("ann"),
            name: "Ann".to_owned(),
            organiser: true,
            channel: self.channel(),
            channel_name: "daily-drill".to_owned(),
            space: format!("slack:{}", self.stage.team),
        };
        self.stage.app.line(&ann, "/daily set 09:00").await.expect("the schedule is set");
    }

    fn user(&self, name: &str) -> crate::fake::slack::Id {
        match name {
            "ann" => self.stage.ann,
            "bob" => self.stage.bob,
            "cleo" => self.stage.cleo,
            other => panic!("nobody is called {other}"),
        }
    }

    /// The message that an id of ours or of an answer means.
    fn spot(&self, id: &MessageId) -> Spot {
        let ts = id.as_str().split('/').find(|part| part.contains('.')).expect("a time of Slack's");
        let all = self.stage.fake.everything();
        all.into_iter().map(|shown| shown.spot).find(|spot| spot.ts.to_string() == ts).expect("a message of Slack")
    }
}

impl Remote for OnSlack {
    type Service = Slack;

    fn service(&self) -> &Slack {
        &self.chat
    }

    fn channel(&self) -> ChannelId {
        ChannelId::new(format!("slack:{}/{}", self.stage.team, self.stage.channel))
    }

    /// Organisers are told in private conversations, as is everybody else.
    async fn seen_by(&self, member: &str, _: bool) -> Vec<(String, String)> {
        let fake = &self.stage.fake;
        let bot = fake.bot(self.stage.team);
        let mut all = fake.messages(self.stage.channel);
        all.extend(fake.messages(fake.direct(self.user(member))));
        all.retain(|shown| shown.author_id == bot);
        all.sort_by_key(|shown| shown.spot.ts.to_string());
        all.iter().map(|shown| (shown.spot.ts.to_string(), shown.text().trim().to_owned())).collect()
    }

    fn member(&self, name: &str) -> MemberId {
        MemberId::new(format!("slack:{}/{}", self.stage.team, self.user(name)))
    }

    async fn write(&self, thread: &ThreadId, member: &str, text: &str, _: i64) -> MessageId {
        let under = self.spot(&MessageId::new(thread.as_str()));
        let written = self.stage.fake.reply(self.user(member), under, text);
        MessageId::new(format!("{}/{}", written.channel, written.ts))
    }

    async fn rewrite(&self, id: &MessageId, text: &str) {
        self.stage.fake.edit(self.spot(id), text);
    }

    async fn erase(&self, id: &MessageId) {
        self.stage.fake.delete(self.spot(id));
    }

    async fn remove(&self, id: &MessageId) {
        self.stage.fake.delete(self.spot(id));
    }

    fn shown_id(&self, id: &MessageId) -> String {
        id.as_str().split('/').nth(2).unwrap_or_default().to_owned()
    }
}

/// One test of a rule for each service.
macro_rules! promises {
    ($($(#[$doc:meta])* $rule:ident)*) => {
        mod in_memory {
            $($(#[$doc])* #[tokio::test]
            async fn $rule() {
                super::$rule(&super::InMemory(super::MemoryChat::default())).await;
            })*
        }

        mod on_the_web {
            $($(#[$doc])* #[tokio::test]
            async fn $rule() {
                super::$rule(&super::OnTheWeb::new().await).await;
            })*
        }

        mod on_discord {
            $($(#[$doc])* #[tokio::test]
            async fn $rule() {
                let remote = super::OnDiscord::new().await;
                super::$rule(&remote).await;
                remote.stage.end().await;
            })*
        }

        mod on_slack {
            $($(#[$doc])* #[tokio::test]
            async fn $rule() {
                let remote = super::OnSlack::new().await;
                remote.steered_by_ann().await;
                super::$rule(&remote).await;
                remote.stage.end().await;
            })*
        }
    };
}

promises! {
    a_post_shows_once
    what_was_posted_can_be_found_with_its_thread
    an_edit_changes_what_is_shown_in_its_place
    an_edit_of_a_deleted_message_is_fatal
    replies_come_in_order_and_follow_edits_and_deletions
    replies_of_one_thread_are_not_those_of_another
    what_is_for_one_member_or_for_organisers_is_seen_by_them_only
}

async fn a_post_shows_once(remote: &impl Remote) {
    remote.say("question:r1", &remote.place(), "Hello.", None).await;
    remote.say("question:r2", &remote.place(), "Hello.", None).await;
    assert_eq!(remote.texts("ann", false).await, ["Hello.", "Hello."], "keys, not words, tell posts apart");
}

async fn what_was_posted_can_be_found_with_its_thread(remote: &impl Remote) {
    assert_eq!(remote.find("question:r1", Some("Title")).await, None);
    let posted = remote.say("question:r1", &remote.place(), "Hello.", Some("Title")).await;
    assert!(posted.thread.is_some());
    let plain = remote.say("reveal:r1", &remote.place(), "Hello.", None).await;
    assert_eq!(plain.thread, None);
    assert_eq!(remote.find("question:r1", Some("Title")).await, Some(posted));
    assert_eq!(remote.find("reveal:r1", None).await, Some(plain));
    assert_eq!(remote.find("question:r2", Some("Title")).await, None);
    assert_eq!(remote.find("question:r", Some("Title")).await, None, "a key is found whole only");
}

async fn an_edit_changes_what_is_shown_in_its_place(remote: &impl Remote) {
    let first = remote.say("question:r1", &remote.place(), "Nobody yet.", Some("Title")).await;
    remote.say("question:r2", &remote.place(), "Another.", None).await;
    let edited = Message::say("2 people.");
    remote.service().edit(&remote.place(), &first.message, &edited).await.expect("the edit gets through");
    assert_eq!(
        remote.seen_by("ann", false).await[0],
        (remote.shown_id(&first.message), "2 people.".to_owned()),
        "the same message at the same place"
    );
    assert_eq!(remote.texts("ann", false).await.len(), 2);
    assert_eq!(remote.find("question:r1", Some("Title")).await, Some(first));
}

async fn an_edit_of_a_deleted_message_is_fatal(remote: &impl Remote) {
    let posted = remote.say("question:r1", &remote.place(), "Hello.", None).await;
    remote.remove(&posted.message).await;
    for target in [posted.message, MessageId::new("never-there")] {
        let outcome = remote.service().edit(&remote.place(), &target, &Message::say("Changed.")).await;
        assert!(matches!(outcome, Err(SendError::Fatal { .. })), "{outcome:?}");
    }
    assert_eq!(remote.texts("ann", false).await, Vec::<String>::new());
}

async fn replies_come_in_order_and_follow_edits_and_deletions(remote: &impl Remote) {
    let posted = remote.say("question:r1", &remote.place(), "Who?", Some("Title")).await;
    let thread = posted.thread.expect("a thread");
    let replies = || async {
        let all = remote.service().replies(&remote.place(), &thread).await.expect("the thread can be read");
        assert!(all.is_sorted_by_key(|one| one.at), "oldest first: {all:?}");
        all.into_iter().map(|one| (one.member, one.text)).collect::<Vec<_>>()
    };
    assert_eq!(replies().await, []);
    let first = remote.write(&thread, "ann", "One.", 10).await;
    let second = remote.write(&thread, "bob", "<b>Two</b> @everyone", 20).await;
    remote.write(&thread, "ann", "Three.", 30).await;
    let show = |all: &[(&str, &str)]| -> Vec<(MemberId, String)> {
        all.iter().map(|(name, text)| (remote.member(name), (*text).to_owned())).collect()
    };
    assert_eq!(replies().await, show(&[("ann", "One."), ("bob", "<b>Two</b> @everyone"), ("ann", "Three.")]));
    remote.rewrite(&first, "Uno.").await;
    remote.erase(&second).await;
    // What the bot says in the thread is nobody's answer.
    let inside = Place { thread: Some(thread.clone()), ..remote.place() };
    remote.say("reveal:r1", &inside, "The answer.", None).await;
    assert_eq!(replies().await, show(&[("ann", "Uno."), ("ann", "Three.")]));
}

async fn replies_of_one_thread_are_not_those_of_another(remote: &impl Remote) {
    let one = remote.say("question:r1", &remote.place(), "Who?", Some("Title")).await.thread.expect("a thread");
    let other = remote.say("question:r2", &remote.place(), "What?", Some("Title")).await.thread.expect("a thread");
    assert_ne!(one, other);
    remote.write(&one, "ann", "Me.", 10).await;
    let replies = remote.service().replies(&remote.place(), &other).await.expect("the thread can be read");
    assert_eq!(replies.len(), 0);
}

async fn what_is_for_one_member_or_for_organisers_is_seen_by_them_only(remote: &impl Remote) {
    let to = |audience| Place { audience, ..remote.place() };
    remote.say("k1", &to(Audience::Everyone), "all", None).await;
    remote.say("k2", &to(Audience::Member(remote.member("bob"))), "bob", None).await;
    remote.say("k3", &to(Audience::Organisers), "organisers", None).await;
    assert_eq!(remote.texts("bob", false).await, ["all", "bob"]);
    assert_eq!(remote.texts("cleo", false).await, ["all"]);
    assert_eq!(remote.texts("ann", true).await, ["all", "organisers"]);
}

#[tokio::test]
async fn the_web_shows_a_repeated_key_once_and_answers_as_the_first_time() {
    let remote = OnTheWeb::new().await;
    let first = remote.say("question:r1", &remote.place(), "Hello.", Some("Title")).await;
    let again = remote.say("question:r1", &remote.place(), "Hello, again.", Some("Title")).await;
    assert_eq!(again, first);
    assert_eq!(remote.texts("ann", false).await, ["Hello."]);
}

#[tokio::test]
async fn slack_tells_the_channel_what_it_can_tell_no_organiser() {
    let remote = OnSlack::new().await;
    let organisers = Place { audience: Audience::Organisers, ..remote.place() };
    remote.say("k1", &organisers, "Nobody has steered yet.", None).await;
    remote.steered_by_ann().await;
    remote.stage.fake.deactivate(remote.stage.ann);
    let posted = remote.say("k2", &organisers, "Her account has ended.", None).await;
    assert_eq!(remote.texts("bob", false).await, ["Nobody has steered yet.", "Her account has ended."]);
    let (key, message) = (DeliveryId::new("k2"), Message::default());
    let found = remote.chat.find(post(&key, &organisers, &message, None)).await.expect("the look gets through");
    assert_eq!(found, Some(posted));
    remote.stage.end().await;
}
