//! `/flag`: members say that something is wrong with a question.

use std::collections::HashMap;

use anyhow::Result;

use super::daily::known_question;
use super::own::Home;
use super::suggestions::tell_organisers;
use super::{Actor, App};
use crate::domain::flag::{About, Fault, Flag, OPEN_AT_MOST, State, Typed};
use crate::domain::form::picked;
use crate::domain::ids::{FlagId, QuestionId};
use crate::domain::message::{Message, Reply};
use crate::domain::question::Question;
use crate::domain::text;
use crate::store::{drafts, drills, flags, members, rounds, suggestions};

/// Who practised within this time means the drill, not the question of the channel.
const JUST_DRILLED_MS: i64 = 3_600_000;

impl App {
    /// `/flag`: the form for the question that is named, else for the one that the member is at.
    pub(super) async fn flag(&self, actor: &Actor, question: Option<&str>) -> Result<Reply> {
        let Some(home) = self.home_of(actor).await? else { return Ok(Reply::show(text::no_group("flag"))) };
        let about = match question {
            Some(id) => {
                let bank = self.bank_of(&home.realm);
                match known_question(&bank, id) {
                    Ok(question) => About::Question(question.id.clone()),
                    Err(_) => {
                        let near = bank.nearest_question(id).map(QuestionId::as_str);
                        return Ok(Reply::show(text::no_question_to_flag(id, near)));
                    }
                }
            }
            None => match self.at_hand(actor, &home).await? {
                Some(about) => about,
                None => return Ok(Reply::show(text::nothing_to_flag())),
            },
        };
        self.ask_for_flag(actor, &about).await
    }

    /// The question of a drill that is going on, else the newest of the channel, else the one drilled last.
    async fn at_hand(&self, actor: &Actor, home: &Home) -> Result<Option<About>> {
        let (member, channel, since) = (actor.member.clone(), home.channel.clone(), self.now() - JUST_DRILLED_MS);
        self.store
            .read("look for the question that is meant", move |conn| {
                Box::pin(async move {
                    let item = |drill: crate::domain::drill::Drill| About::Item(drill.id, drill.at);
                    if let Some(drill) = drills::unfinished(conn, &member, since).await? {
                        return Ok(Some(item(drill)));
                    }
                    let newest = rounds::of_channel(conn, &channel, 10).await?;
                    if let Some(round) = newest.into_iter().find(|round| !round.snapshot.is_empty()) {
                        return Ok(Some(About::Round(round.id)));
                    }
                    Ok(drills::unfinished(conn, &member, 0).await?.map(item))
                })
            })
            .await
    }

    /// The form, with what was typed before, or what the flag says already.
    pub(super) async fn ask_for_flag(&self, actor: &Actor, about: &About) -> Result<Reply> {
        let Some(home) = self.home_of(actor).await? else { return Ok(Reply::show(text::no_group("flag"))) };
        let Some((question, _)) = self.flagged_question(actor, &home, about).await? else {
            return Ok(Reply::show(text::nothing_to_flag()));
        };
        let id = FlagId::of(&home.realm, &actor.member, &question.id);
        let (member, draft_of) = (actor.member.clone(), form(&id));
        let (draft, before) = self
            .store
            .read("read a flag", move |conn| {
                Box::pin(async move {
                    Ok((drafts::get::<Typed>(conn, &member, &draft_of).await?, flags::get(conn, &id).await?))
                })
            })
            .await?;
        let said = before.filter(|flag| flag.state == State::Open).map(|flag| Typed {
            fault: flag.fault.as_str().to_owned(),
            words: flag.words,
            link: flag.link,
        });
        Ok(Reply::Open { form: text::flag_form(about, Some(&question), &draft.or(said).unwrap_or_default()) })
    }

    /// A sent form.
    pub(super) async fn send_flag(
        &self,
        actor: &Actor,
        about: &About,
        values: &HashMap<String, String>,
    ) -> Result<Reply> {
        let Some(home) = self.home_of(actor).await? else { return Ok(Reply::show(text::no_group("flag"))) };
        let Some((question, snapshot)) = self.flagged_question(actor, &home, about).await? else {
            return Ok(Reply::show(text::nothing_to_flag()));
        };
        let id = FlagId::of(&home.realm, &actor.member, &question.id);
        let typed = Typed::of(|input| values.get(input).map_or("", String::as_str));
        let fault = match read_fault(&typed) {
            Ok(fault) => fault,
            Err(problem) => return self.refuse_flag(actor, about, &id, typed, &problem).await,
        };
        if let Some(slip) = typed.slip() {
            return self.refuse_flag(actor, about, &id, typed, &text::flag_slip(&slip)).await;
        }
        let (actor, now) = (actor.clone(), self.now());
        let reply = self
            .store
            .write("flag a question", move |conn| {
                Box::pin(async move {
                    suggestions::turn(conn, &home.realm).await?;
                    members::seen(conn, &actor.member, &actor.name, now).await?;
                    let before = flags::get(conn, &id).await?;
                    let is_open = before.as_ref().is_some_and(|before| before.state == State::Open);
                    let open = flags::open_of(conn, &home.realm, &actor.member).await?;
                    if !is_open && open >= i64::try_from(OPEN_AT_MOST)? {
                        drafts::put(conn, &actor.member, &form(&id), &typed, now).await?;
                        return Ok(text::too_many_flags());
                    }
                    drafts::drop(conn, &actor.member, &form(&id)).await?;
                    let flag = Flag {
                        version: before.as_ref().map_or(1, |before| before.version + 1),
                        realm: home.realm.clone(),
                        channel: home.channel.clone(),
                        member: actor.member,
                        question: question.id.clone(),
                        question_version: i64::from(question.version),
                        snapshot,
                        prompt: question.prompt.clone(),
                        fault,
                        words: typed.words,
                        link: typed.link,
                        state: State::Open,
                        by: None,
                        answer: String::new(),
                        // One that is changed keeps its place in the queue.
                        sent_at: before.filter(|_| is_open).map_or(now, |before| before.sent_at),
                        decided_at: 0,
                        id,
                    };
                    flags::put(conn, &flag).await?;
                    if !is_open {
                        tell_organisers(conn, &home, now).await?;
                    }
                    Ok(text::flagged(is_open))
                })
            })
            .await?;
        self.outbox_bell.notify_waiters();
        Ok(Reply::show(reply))
    }

    async fn refuse_flag(
        &self,
        actor: &Actor,
        about: &About,
        id: &FlagId,
        typed: Typed,
        problem: &str,
    ) -> Result<Reply> {
        self.keep_draft(&actor.member, form(id), typed).await?;
        Ok(Reply::show(text::not_flagged(about, problem)))
    }

    /// The question that a flag is about, as it was shown there, and its hash; None when it is not there, or not for this member's eyes.
    async fn flagged_question(&self, actor: &Actor, home: &Home, about: &About) -> Result<Option<(Question, String)>> {
        let round = match about {
            About::Question(id) => {
                let Some(question) = self.bank_of(&home.realm).get(id.as_str()).cloned() else { return Ok(None) };
                let (hash, _) = rounds::snapshot_hash(&question)?;
                return Ok(Some((Question::clone(&question), hash)));
            }
            About::Round(round) => Ok(round.clone()),
            About::Item(drill, at) => Err((drill.clone(), *at)),
        };
        let (member, home) = (actor.member.clone(), home.clone());
        self.store
            .read("read a question to flag", move |conn| {
                Box::pin(async move {
                    let hash = match round {
                        Ok(round) => {
                            let Some(round) = rounds::get(conn, &round).await? else { return Ok(None) };
                            let scope = crate::store::rulings::scope_of(conn, &round.channel).await?;
                            (scope == home.realm || round.channel == home.channel).then_some(round.snapshot)
                        }
                        Err((drill, at)) => {
                            let drill = drills::get(conn, &drill).await?.filter(|drill| drill.member == member);
                            drill.and_then(|drill| drill.items.into_iter().nth(at)).map(|item| item.snapshot)
                        }
                    };
                    let Some(hash) = hash.filter(|hash| !hash.is_empty()) else { return Ok(None) };
                    Ok(Some((rounds::snapshot(conn, &hash).await?, hash)))
                })
            })
            .await
    }
}

/// The draft of a flag.
fn form(id: &FlagId) -> String {
    format!("flag {id}")
}

/// What was picked, or what is wrong with it.
pub(super) fn read_fault(typed: &Typed) -> Result<Fault, String> {
    let options = Fault::options();
    let found = picked(&options, false, &typed.fault).map(|values| values.first().and_then(|one| Fault::parse(one)));
    match found {
        Ok(Some(fault)) => Ok(fault),
        Ok(None) => Err(text::no_fault()),
        Err(other) => Err(text::not_an_option(&other, &options)),
    }
}

/// What is wrong with a form of a flag, as far as that is known without the database: the input, and why.
pub(super) fn refuse(values: &HashMap<String, String>) -> Option<(&'static str, Message)> {
    let typed = Typed::of(|input| values.get(input).map_or("", String::as_str));
    if let Err(problem) = read_fault(&typed) {
        return Some(("fault", text::refused(problem)));
    }
    typed.slip().map(|slip| (slip.input(), text::refused(text::flag_slip(&slip))))
}
