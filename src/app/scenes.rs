//! `/drill scenario`: alone in private, or together in a thread of the channel, one decision after another.

use anyhow::{Context, Result};

use super::chat::{Chat, SendError};
use super::deliver::{Done, post};
use super::drills::score_drilled;
use super::{Actor, App, random_id};
use crate::domain::command::Move;
use crate::domain::effect::{Audience, Effect, Place};
use crate::domain::ids::{ChannelId, MemberId, SceneId, ThreadId};
use crate::domain::message::{Message, Reply};
use crate::domain::question::{Question, Scenario};
use crate::domain::scene::{Decision, Scene, Vote};
use crate::domain::score::points_tenths;
use crate::domain::text::{self, Playable, Together};
use crate::store::outbox::{self, Claimed};
use crate::store::{Conn, channels, members, rounds, scenes};

/// How long a scene that nobody touches keeps others from beginning one in its channel.
const UNDER_WAY_MS: i64 = 2 * 3_600_000;

impl App {
    pub(super) async fn scenario(&self, actor: &Actor, name: Option<&str>, together: bool) -> Result<Reply> {
        let bank = self.bank();
        let all: Vec<Playable<'_>> = bank
            .scenarios()
            .into_iter()
            .map(|(question, scenario)| Playable {
                name: &scenario.name,
                title: &scenario.title,
                topic: bank.topic_title(&question.topic),
                level: question.level,
            })
            .collect();
        let Some(typed) = name else { return Ok(Reply::show(text::scenarios(&all, None, &[]))) };
        match bank.find_scenario(typed) {
            Err(near) => Ok(Reply::show(text::scenarios(&all, Some(typed), &near))),
            Ok(question) => self.begin_scene(actor, question, together).await,
        }
    }

    async fn begin_scene(&self, actor: &Actor, question: &Question, together: bool) -> Result<Reply> {
        let home = if together { actor.clone() } else { self.at_home(actor).await? };
        let (hash, body) = rounds::snapshot_hash(question)?;
        let scene = Scene {
            id: SceneId::new(random_id()?),
            channel: home.channel,
            member: actor.member.clone(),
            question: question.id.clone(),
            snapshot: hash.clone(),
            together,
            path: Vec::new(),
            told: false,
        };
        let scenario = question.scenario.clone().context("a question without a scenario was to be played")?;
        let alone = text::scene_view(&scene, question, &scenario);
        let (name, now) = (actor.name.clone(), self.now());
        let refusal = self
            .store
            .write("begin a scene", move |conn| {
                Box::pin(async move {
                    if together {
                        if channels::get(conn, &scene.channel).await?.is_none() {
                            return Ok(Some(text::scene_needs_channel()));
                        }
                        if let Some(other) = scenes::under_way(conn, &scene.channel, now - UNDER_WAY_MS).await? {
                            let title =
                                rounds::snapshot(conn, &other.snapshot).await?.scenario.map(|other| other.title);
                            return Ok(Some(text::scene_under_way(title.as_deref().unwrap_or("Another scenario"))));
                        }
                        let parts = [0, 1].map(|part| Effect::Scene { scene: scene.id.clone(), part });
                        let effects = parts.map(|effect| outbox::New::at_once(&scene.channel, effect, now));
                        outbox::add(conn, &effects, now).await?;
                    }
                    members::seen(conn, &scene.member, &name, now).await?;
                    rounds::keep_snapshots(conn, &[(hash, body)].into()).await?;
                    scenes::put(conn, &scene, false, now).await?;
                    Ok(None)
                })
            })
            .await?;
        self.outbox_bell.notify_waiters();
        Ok(Reply::show(match refusal {
            Some(refusal) => refusal,
            None if together => text::scene_begun(&scenario.title),
            None => alone,
        }))
    }

    /// A press in a scene.
    pub(super) async fn move_scene(&self, actor: &Actor, id: &SceneId, step: usize, go: Move) -> Result<Reply> {
        self.meet(actor).await?;
        let (id, actor, now) = (id.clone(), actor.clone(), self.now());
        let reply = self
            .store
            .write("act in a scene", move |conn| {
                Box::pin(async move {
                    // On PostgreSQL this takes the row's lock: two presses at once are one after the other.
                    let Some(scene) = scenes::lock(conn, &id, now).await? else {
                        return Ok(Reply::show(text::stale_button()));
                    };
                    let question = rounds::snapshot(conn, &scene.snapshot).await?;
                    let scenario = question.scenario.clone().context("a scene's question has no scenario")?;
                    let mut play = Play { scene, question, scenario, now };
                    if play.scene.together {
                        play.together(conn, &actor, step, go).await
                    } else if play.scene.member == actor.member {
                        play.alone(conn, step, go).await
                    } else {
                        Ok(Reply::show(text::stale_button()))
                    }
                })
            })
            .await?;
        self.outbox_bell.notify_waiters();
        Ok(reply)
    }

    /// Posts a part of a scene that is played together.
    pub(super) async fn send_scene<C: Chat>(&self, chat: &C, row: &Claimed, id: &SceneId, part: usize) -> Result<Done> {
        let Some((channel, thread, message, title)) = self.scene_message(id, part).await? else {
            return self.finish(row, None).await;
        };
        let place = Place { channel, thread: thread.filter(|_| part > 0), audience: Audience::Everyone };
        let opens_thread = (part == 0).then_some(title.as_str());
        let post = super::chat::Post { opens_thread, ..post(row, &place, &message) };
        let posted = match self.post_once(chat, row, post).await {
            Ok(posted) => posted,
            Err(error) => return Ok(Done::Failed(error)),
        };
        let (row, id) = (row.id.clone(), id.clone());
        self.store
            .write("note a posted scene", move |conn| {
                Box::pin(async move {
                    if !outbox::sent(conn, &row, Some(&posted.message)).await? {
                        return Ok(());
                    }
                    if part == 0 {
                        scenes::opened(conn, &id, posted.thread.as_ref()).await?;
                    }
                    scenes::posted(conn, &id, part, &posted.message).await
                })
            })
            .await?;
        self.outbox_bell.notify_waiters();
        Ok(Done::Finished)
    }

    /// Shows a posted part as it is now.
    pub(super) async fn edit_scene<C: Chat>(&self, chat: &C, row: &Claimed, id: &SceneId, part: usize) -> Result<Done> {
        let scene = id.clone();
        let target = self
            .store
            .read("look for a posted scene", move |conn| {
                Box::pin(async move { scenes::message_of(conn, &scene, part).await })
            })
            .await?;
        let view = self.scene_message(id, part).await?;
        if let (Some(target), Some((channel, thread, message, _))) = (target, view) {
            let place = Place { channel, thread: thread.filter(|_| part > 0), audience: Audience::Everyone };
            match chat.edit(&place, &target, &message).await {
                // Somebody has deleted the message: there is nothing to bring up to date.
                Ok(()) | Err(SendError::Fatal { .. }) => {}
                Err(error) => return Ok(Done::Failed(error)),
            }
        }
        self.finish(row, None).await
    }

    /// A part of a scene as everybody is to see it now, with its channel, its thread and the thread's title.
    async fn scene_message(
        &self,
        id: &SceneId,
        part: usize,
    ) -> Result<Option<(ChannelId, Option<ThreadId>, Message, String)>> {
        let (id, bank) = (id.clone(), self.bank());
        self.store
            .read("read a scene", move |conn| {
                Box::pin(async move {
                    let Some((scene, thread)) = scenes::get(conn, &id).await? else { return Ok(None) };
                    let question = rounds::snapshot(conn, &scene.snapshot).await?;
                    let Some(scenario) = &question.scenario else { return Ok(None) };
                    let votes = scenes::votes(conn, &id).await?;
                    let mut people = voters(&votes);
                    people.push(scene.member.clone());
                    let names = members::names(conn, &people).await?;
                    let mut players: Vec<(String, i64)> = voters(&votes)
                        .iter()
                        .filter_map(|member| {
                            Some((names.get(member)?.clone(), scene.coverage_of(scenario, member, &votes)))
                        })
                        .collect();
                    players.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
                    let host = names.get(&scene.member).map(String::as_str);
                    let topic = bank.topic_title(&question.topic);
                    let question = &question;
                    let view = Together { scene: &scene, question, topic, scenario, votes: &votes, host, players };
                    let message = match part.checked_sub(1) {
                        None => text::scene_opening(&view),
                        Some(step) => text::scene_part(&view, step),
                    };
                    Ok(Some((scene.channel.clone(), thread, message, text::scene_thread(scenario))))
                })
            })
            .await
    }
}

fn voters(votes: &[Vote]) -> Vec<MemberId> {
    let mut all: Vec<MemberId> = votes.iter().map(|vote| vote.member.clone()).collect();
    all.sort();
    all.dedup();
    all
}

/// A scene that is about to change, within a transaction.
struct Play {
    scene: Scene,
    question: Question,
    scenario: Scenario,
    now: i64,
}

impl Play {
    async fn alone(&mut self, conn: &mut Conn, step: usize, go: Move) -> Result<Reply> {
        match go {
            Move::Pick(place) => {
                if let Some(decision) = self.scene.shown(&self.scenario, step, place) {
                    self.decide(conn, decision).await?;
                }
            }
            Move::Next if self.scene.told && step == self.scene.step() => {
                self.scene.told = false;
                scenes::put(conn, &self.scene, self.scene.is_finished(&self.scenario), self.now).await?;
            }
            Move::Next | Move::Decide => {}
        }
        Ok(Reply::Replace { message: text::scene_view(&self.scene, &self.question, &self.scenario) })
    }

    async fn together(&mut self, conn: &mut Conn, actor: &Actor, step: usize, go: Move) -> Result<Reply> {
        match go {
            Move::Pick(place) => {
                let Some(decision) = self.scene.shown(&self.scenario, step, place) else {
                    return Ok(Reply::show(text::scene_gone()));
                };
                members::seen(conn, &actor.member, &actor.name, self.now).await?;
                let vote = Vote { step, member: actor.member.clone(), option: decision.option };
                scenes::vote(conn, &self.scene.id, &vote).await?;
                self.refresh(conn, &[step + 1]).await?;
                Ok(Reply::show(text::voted(place)))
            }
            Move::Decide | Move::Next => {
                let Some(stage) = self.scene.at(&self.scenario).filter(|_| step == self.scene.step()) else {
                    return Ok(Reply::show(text::scene_gone()));
                };
                if !actor.organiser && actor.member != self.scene.member {
                    let host = members::get(conn, &self.scene.member).await?.map(|host| host.name);
                    return Ok(Reply::show(text::not_your_scene(host.as_deref())));
                }
                let votes = scenes::votes(conn, &self.scene.id).await?;
                let Some(option) = self.scene.choice_of(&votes) else {
                    return Ok(Reply::show(text::nobody_voted()));
                };
                self.decide(conn, Decision { stage, option }).await?;
                let part = Effect::Scene { scene: self.scene.id.clone(), part: self.scene.step() + 1 };
                outbox::add(conn, &[outbox::New::at_once(&self.scene.channel, part, self.now)], self.now).await?;
                let ended = self.scene.is_finished(&self.scenario);
                let parts = if ended { vec![0, step + 1] } else { vec![step + 1] };
                self.refresh(conn, &parts).await?;
                Ok(Reply::show(text::decided()))
            }
        }
    }

    /// Takes a decision, and scores the scene with its last one.
    async fn decide(&mut self, conn: &mut Conn, decision: Decision) -> Result<()> {
        self.scene.decide(decision);
        let ended = self.scene.is_finished(&self.scenario);
        scenes::put(conn, &self.scene, ended, self.now).await?;
        if !ended {
            return Ok(());
        }
        if !self.scene.together {
            return self.score(conn, &self.scene.member, self.scene.coverage(&self.scenario)).await;
        }
        let votes = scenes::votes(conn, &self.scene.id).await?;
        for member in voters(&votes) {
            self.score(conn, &member, self.scene.coverage_of(&self.scenario, &member, &votes)).await?;
        }
        Ok(())
    }

    async fn score(&self, conn: &mut Conn, member: &MemberId, coverage: i64) -> Result<()> {
        let points = points_tenths(coverage, self.question.level);
        let Scene { channel, question, .. } = &self.scene;
        score_drilled(conn, (channel, member), question, &self.question.topic, (coverage, points), self.now).await
    }

    async fn refresh(&self, conn: &mut Conn, parts: &[usize]) -> Result<()> {
        let card = |part: &usize| {
            let effect = Effect::SceneCard { scene: self.scene.id.clone(), part: *part };
            outbox::New::at_once(&self.scene.channel, effect, self.now)
        };
        outbox::refresh(conn, &parts.iter().map(card).collect::<Vec<_>>(), self.now).await
    }
}

/// Erases a member from scenes; what is to be told anew: the opening with their name, and the last part with what each voted for.
pub(super) async fn forget(conn: &mut Conn, member: &MemberId, now: i64) -> Result<Vec<outbox::New>> {
    let mut retell = Vec::new();
    for (id, channel) in scenes::forget(conn, member).await? {
        let Some((scene, _)) = scenes::get(conn, &id).await? else { continue };
        for part in [0, scene.step() + 1] {
            retell.push(outbox::New::at_once(&channel, Effect::SceneCard { scene: id.clone(), part }, now));
        }
    }
    Ok(retell)
}
