//! `/suggest`: members give questions to their group.

use std::collections::HashMap;

use anyhow::Result;

use super::own::Home;
use super::{Actor, App};
use crate::domain::alike::resembled;
use crate::domain::effect::Effect;
use crate::domain::ids::{MemberId, SuggestionId};
use crate::domain::message::Reply;
use crate::domain::suggestion::{OPEN_AT_MOST, State, Suggestion, Texts, Typed};
use crate::domain::text;
use crate::store::outbox::{self, New};
use crate::store::{Conn, drafts, members, suggestions};

/// What `/suggest` shows of a member's own.
const SHOWN: i64 = 8;

/// What came of a sent suggestion.
enum Sent {
    Done { changed: bool },
    TooMany,
    ByAnother,
    Approved(String),
    Declined,
}

impl App {
    /// `/suggest`: what a member has suggested, with the way to another; the form at once for who has nothing there.
    pub(super) async fn suggest_question(&self, actor: &Actor) -> Result<Reply> {
        let Some(home) = self.home_of(actor).await? else { return Ok(Reply::show(text::no_group("suggest"))) };
        let member = actor.member.clone();
        let (own, draft) = self
            .store
            .read("read a member's suggestions", move |conn| {
                Box::pin(async move {
                    let own = suggestions::of_member(conn, &home.realm, &member, SHOWN).await?;
                    Ok((own, drafts::get::<Typed>(conn, &member, &form(&home.realm)).await?))
                })
            })
            .await?;
        Ok(match own.as_slice() {
            [] => Reply::Open { form: text::suggestion_form(&draft.unwrap_or_default()) },
            own => Reply::show(text::my_suggestions(own, draft.is_some())),
        })
    }

    /// The form, with what was typed before.
    pub(super) async fn ask_for_suggestion(&self, actor: &Actor) -> Result<Reply> {
        let Some(home) = self.home_of(actor).await? else { return Ok(Reply::show(text::no_group("suggest"))) };
        let draft = self.draft(&actor.member, &home.realm).await?;
        Ok(Reply::Open { form: text::suggestion_form(&draft.unwrap_or_default()) })
    }

    /// A sent form.
    pub(super) async fn send_suggestion(&self, actor: &Actor, values: &HashMap<String, String>) -> Result<Reply> {
        let Some(home) = self.home_of(actor).await? else { return Ok(Reply::show(text::no_group("suggest"))) };
        let typed = Typed::of(|input| values.get(input).map_or("", String::as_str));
        let bank = self.bank_of(&home.realm);
        let texts = match typed.read(&bank) {
            Ok(texts) => texts,
            Err(slips) => {
                self.keep_suggestion_draft(actor, &home.realm, typed).await?;
                return Ok(Reply::show(text::suggestion_slips(&slips)));
            }
        };
        if let Some(known) = resembled(&bank, &texts.prompt) {
            self.keep_suggestion_draft(actor, &home.realm, typed).await?;
            return Ok(Reply::show(text::resembles(known)));
        }
        self.store_suggestion(actor, home, typed, texts).await
    }

    /// What was typed is another question than the one that it resembles.
    pub(super) async fn insist_on_suggestion(&self, actor: &Actor) -> Result<Reply> {
        let Some(home) = self.home_of(actor).await? else { return Ok(Reply::show(text::no_group("suggest"))) };
        let Some(typed) = self.draft(&actor.member, &home.realm).await? else {
            return Ok(Reply::show(text::nothing_typed()));
        };
        match typed.read(&self.bank_of(&home.realm)) {
            Ok(texts) => self.store_suggestion(actor, home, typed, texts).await,
            Err(slips) => Ok(Reply::show(text::suggestion_slips(&slips))),
        }
    }

    async fn store_suggestion(&self, actor: &Actor, home: Home, typed: Typed, texts: Texts) -> Result<Reply> {
        let (actor, now) = (actor.clone(), self.now());
        let sent = self
            .store
            .write("suggest a question", move |conn| {
                Box::pin(async move {
                    suggestions::turn(conn, &home.realm).await?;
                    members::seen(conn, &actor.member, &actor.name, now).await?;
                    let sent = keep(conn, &actor.member, &home, texts, now).await?;
                    match sent {
                        Sent::Done { .. } => drafts::drop(conn, &actor.member, &form(&home.realm)).await?,
                        // Nobody is to lose what they typed.
                        _ => drafts::put(conn, &actor.member, &form(&home.realm), &typed, now).await?,
                    }
                    Ok(sent)
                })
            })
            .await?;
        self.outbox_bell.notify_waiters();
        Ok(Reply::show(match sent {
            Sent::Done { changed } => text::suggested(changed),
            Sent::TooMany => text::too_many_suggestions(),
            Sent::ByAnother => text::suggested_by_another(),
            Sent::Approved(id) => text::suggested_and_approved(&id),
            Sent::Declined => text::declined_before(),
        }))
    }

    /// A member takes back what waits.
    pub(super) async fn withdraw_suggestion(&self, actor: &Actor, id: &SuggestionId, version: i64) -> Result<Reply> {
        let (id, member, now) = (id.clone(), actor.member.clone(), self.now());
        let done = self
            .store
            .write("withdraw a suggestion", move |conn| {
                Box::pin(async move {
                    let Some(found) = suggestions::get(conn, &id).await? else { return Ok(false) };
                    suggestions::turn(conn, &found.realm).await?;
                    let Some(found) = suggestions::get(conn, &id).await? else { return Ok(false) };
                    let own = found.member.as_ref() == Some(&member);
                    if !own || found.state != State::Open || found.version != version {
                        return Ok(false);
                    }
                    let gone = Suggestion {
                        version: found.version + 1,
                        state: State::Withdrawn,
                        by: Some(member),
                        decided_at: now,
                        ..found
                    };
                    suggestions::put(conn, &gone).await?;
                    Ok(true)
                })
            })
            .await?;
        Ok(Reply::show(if done { text::withdrawn() } else { text::changed_meanwhile() }))
    }

    async fn draft(&self, member: &MemberId, realm: &str) -> Result<Option<Typed>> {
        let (member, form) = (member.clone(), form(realm));
        self.store
            .read("read a draft", move |conn| Box::pin(async move { drafts::get(conn, &member, &form).await }))
            .await
    }

    async fn keep_suggestion_draft(&self, actor: &Actor, realm: &str, typed: Typed) -> Result<()> {
        self.keep_draft(&actor.member, form(realm), typed).await
    }

    /// Keeps what was typed into a form that is not taken yet.
    pub(super) async fn keep_draft<T>(&self, member: &MemberId, form: String, typed: T) -> Result<()>
    where
        T: serde::Serialize + Send + Sync + 'static,
    {
        let (member, now) = (member.clone(), self.now());
        self.store
            .write("keep a draft", move |conn| {
                Box::pin(async move { drafts::put(conn, &member, &form, &typed, now).await })
            })
            .await
    }
}

/// The draft of a suggestion; one a member and group.
fn form(realm: &str) -> String {
    format!("suggestion {realm}")
}

/// Stores a suggestion and tells the organisers; the same question twice is one. Behind the group's turn.
async fn keep(conn: &mut Conn, member: &MemberId, home: &Home, texts: Texts, now: i64) -> Result<Sent> {
    let id = SuggestionId::of(&home.realm, &texts.prompt);
    let before = suggestions::get(conn, &id).await?;
    let version = before.as_ref().map_or(1, |before| before.version + 1);
    match &before {
        Some(before) if before.state == State::Open && before.member.as_ref() != Some(member) => {
            return Ok(Sent::ByAnother);
        }
        Some(before) if before.state == State::Open && before.texts == texts => {
            return Ok(Sent::Done { changed: false });
        }
        Some(before) if before.state == State::Open => {
            suggestions::put(conn, &Suggestion { version, texts, ..before.clone() }).await?;
            return Ok(Sent::Done { changed: true });
        }
        Some(before) if before.state == State::Approved => {
            return Ok(Sent::Approved(before.question_id().to_string()));
        }
        Some(before) if before.state == State::Declined && before.texts == texts => return Ok(Sent::Declined),
        _ => {}
    }
    if suggestions::open_of(conn, &home.realm, member).await? >= i64::try_from(OPEN_AT_MOST)? {
        return Ok(Sent::TooMany);
    }
    let one = Suggestion {
        id,
        version,
        realm: home.realm.clone(),
        channel: home.channel.clone(),
        member: Some(member.clone()),
        texts,
        state: State::Open,
        by: None,
        reason: String::new(),
        sent_at: now,
        decided_at: 0,
    };
    suggestions::put(conn, &one).await?;
    tell_organisers(conn, home, now).await?;
    Ok(Sent::Done { changed: false })
}

/// Something waits in a group: its organisers hear of it, unless they have heard and not looked since.
pub(super) async fn tell_organisers(conn: &mut Conn, home: &Home, now: i64) -> Result<()> {
    if let Some(number) = suggestions::waits(conn, &home.realm).await? {
        let effect = Effect::Waiting { realm: home.realm.clone(), number };
        outbox::add(conn, &[New::at_once(&home.channel, effect, now)], now).await?;
    }
    Ok(())
}
