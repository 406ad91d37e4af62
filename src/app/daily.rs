//! `/daily`: showing and steering the schedules of a channel.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use jiff::ToSpan;

use super::tick::{Batch, Gap, Opening, close};
use super::{Actor, App, filter_of, stamp};
use crate::app::setup::BY_COMMAND;
use crate::domain::bank::Bank;
use crate::domain::command::{Change, Daily};
use crate::domain::ids::{ChannelId, QuestionId, RoundId, ScheduleId, platform_of};
use crate::domain::message::{Block, Message, Tone};
use crate::domain::question::Question;
use crate::domain::round::{Round, State};
use crate::domain::schedule::{AnswerMode, Problem, ScheduleSpec, Slot, from_time};
use crate::domain::text::{self, ScheduleView};
use crate::store::{Conn, answers, channels, outbox, rounds, schedules};

/// A second `/daily now` within this time is the same wish while the first question is open.
const TWICE_MS: i64 = 60_000;
/// Rounds in the history of `/daily show`.
const LATELY: i64 = 7;

impl App {
    pub(super) async fn daily(&self, actor: &Actor, action: Daily, schedule: Option<&str>) -> Result<Message> {
        if let Daily::Set(change) = action {
            return self.set_schedule(actor, &change, schedule).await;
        }
        if action == Daily::Show {
            return self.show_daily(&actor.channel).await;
        }
        let row = match self.one_schedule(&actor.channel, schedule).await? {
            Ok(row) => row,
            Err(refusal) => return Ok(refusal),
        };
        let tries = matches!(action, Daily::Now(_) | Daily::Resume);
        self.note_steward(actor, tries).await?;
        match action {
            Daily::Pause => self.pause(row).await,
            Daily::Resume => self.resume(row).await,
            Daily::Skip => self.skip(row).await,
            Daily::Now(question) => self.open_now(row, question.as_deref()).await,
            Daily::Reveal => self.reveal_now(row).await,
            Daily::Show | Daily::Set(_) => Ok(text::no_schedule()),
        }
    }

    /// The schedule that is meant, or why that is not clear.
    async fn one_schedule(&self, channel: &ChannelId, name: Option<&str>) -> Result<Result<schedules::Row, Message>> {
        let channel = channel.clone();
        let all = self
            .store
            .read("read schedules", move |conn| Box::pin(async move { schedules::of_channel(conn, &channel).await }))
            .await?;
        let names: Vec<String> = all.iter().map(|row| row.id.name().to_owned()).collect();
        Ok(match (name, all.len()) {
            (_, 0) => Err(text::no_schedule()),
            (None, 1) => Ok(all.into_iter().next().context("one schedule")?),
            (None, _) => Err(text::several_schedules(&names)),
            (Some(name), _) => all
                .into_iter()
                .find(|row| row.id.name().eq_ignore_ascii_case(name))
                .ok_or_else(|| text::several_schedules(&names)),
        })
    }

    /// What a schedule is and what comes next; `None` when it cannot be read.
    async fn view(&self, row: &schedules::Row) -> Result<Option<ScheduleView>> {
        let Some(planned) = self.planned(&row.spec) else { return Ok(None) };
        let channel = row.channel.clone();
        let asked = self
            .store
            .read("read asked questions", move |conn| {
                Box::pin(
                    async move { Ok(rounds::asked(conn, &[&channel]).await?.remove(&channel).unwrap_or_default()) },
                )
            })
            .await?;
        let candidates = self.candidates(&self.realm_of(&row.channel).await?, &planned.filter);
        let spec = &planned.spec;
        let parts: Vec<String> = [("topics", &spec.topics), ("levels", &spec.levels), ("tracks", &spec.tracks)]
            .iter()
            .filter(|(_, values)| !values.is_empty())
            .map(|(name, values)| format!("{name} {}", values.join(", ")))
            .collect();
        Ok(Some(ScheduleView {
            name: row.id.name().to_owned(),
            when: planned.plan.in_words(),
            reveal: planned.plan.reveal_in_words(),
            answers: match spec.answers {
                AnswerMode::Thread => "in the thread",
                AnswerMode::Private => "in private, shown at the reveal",
                AnswerMode::Both => "in the thread or in private",
            },
            ping: spec.ping.clone(),
            filter: if parts.is_empty() { "all topics and levels".to_owned() } else { parts.join("; ") },
            catch_up: spec.catch_up.clone(),
            skip: spec.skip.join(", "),
            paused: row.paused,
            next_at: row.next_at,
            unseen: candidates.iter().filter(|question| !asked.contains_key(&question.id)).count(),
            total: candidates.len(),
        }))
    }

    /// Every schedule of a channel, for the command and the pages.
    pub async fn schedule_views(&self, channel: &ChannelId) -> Result<Vec<ScheduleView>> {
        let channel = channel.clone();
        let all = self
            .store
            .read("read schedules", move |conn| Box::pin(async move { schedules::of_channel(conn, &channel).await }))
            .await?;
        let mut views = Vec::new();
        for row in &all {
            views.extend(self.view(row).await?);
        }
        Ok(views)
    }

    async fn show_daily(&self, channel: &ChannelId) -> Result<Message> {
        let views = self.schedule_views(channel).await?;
        if views.is_empty() {
            return Ok(text::no_schedule());
        }
        let history: Vec<Block> = self
            .history(channel, LATELY)
            .await?
            .iter()
            .map(|past| text::history_line(&past.round, &past.prompt, past.answered))
            .collect();
        let mut message = text::show_schedules(&views, &history);
        let rulings = self.rulings_lately(channel).await?;
        if !rulings.is_empty() {
            message.blocks.push(text::rulings_heading());
            message.blocks.extend(rulings);
        }
        for (why, since) in self.failing_steps(channel).await?.iter().rev() {
            message.blocks.insert(0, text::step_fails(why, *since));
            message.tone = Tone::Warning;
        }
        if let Some(state) = self.condition(channel).await?.filter(|state| !state.trouble.is_empty()) {
            message.blocks.insert(0, text::in_trouble(&state.trouble, state.trouble_at, state.lost));
            message.tone = Tone::Warning;
        }
        Ok(message)
    }

    /// The newest rounds of a channel, skipped and missed ones too, newest first.
    pub async fn history(&self, channel: &ChannelId, limit: i64) -> Result<Vec<Past>> {
        let channel = channel.clone();
        self.store
            .read("read the history", move |conn| {
                Box::pin(async move {
                    let mut out = Vec::new();
                    for round in rounds::of_channel(conn, &channel, limit).await? {
                        let (mut prompt, mut topic, mut answered) = (String::new(), String::new(), 0);
                        if !round.snapshot.is_empty() {
                            let question = rounds::snapshot(conn, &round.snapshot).await?;
                            (prompt, topic) = (question.prompt, question.topic);
                            answered = answers::count(conn, &round.id).await?;
                        }
                        out.push(Past { round, prompt, topic, answered });
                    }
                    Ok(out)
                })
            })
            .await
    }

    async fn set_schedule(&self, actor: &Actor, change: &Change, name: Option<&str>) -> Result<Message> {
        let channel = actor.channel.clone();
        let known = match self.one_schedule(&channel, name).await? {
            Ok(row) => Some(row),
            Err(refusal) => {
                let at = channel.clone();
                let none = self
                    .store
                    .read("read schedules", move |conn| {
                        Box::pin(async move { Ok(schedules::of_channel(conn, &at).await?.is_empty()) })
                    })
                    .await?;
                if !none && name.is_none() {
                    return Ok(refusal);
                }
                // No such schedule: /daily set makes it.
                None
            }
        };
        let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if known.is_none() && name.is_some_and(|name| !is_name(name)) {
            return Ok(text::refused("The name of a schedule has letters, digits and dashes, like evening."));
        }
        let id = known.as_ref().map_or_else(|| ScheduleId::of(&channel, name.unwrap_or("daily")), |row| row.id.clone());
        let mut spec = match &known {
            Some(row) => serde_json::from_str::<ScheduleSpec>(&row.spec).unwrap_or_default(),
            None => ScheduleSpec { zone: self.zone_of(&channel).await?, ..ScheduleSpec::default() },
        };
        if change.ping.as_ref().is_some_and(|ping| ping != "none") && platform_of(channel.as_str()) == "web" {
            return Ok(text::nobody_to_call());
        }
        if let Err(problem) = apply(&mut spec, change) {
            return Ok(text::bad_schedule(&[problem]));
        }
        if let Err(problems) = spec.compile() {
            return Ok(text::bad_schedule(&problems));
        }
        if let Err(why) = self.bank_for(actor).await?.check_filter(&filter_of(&spec)) {
            return Ok(text::bad_schedule(&[Problem { field: "filter", message: why }]));
        }
        let now = self.now();
        let body = serde_json::to_string(&spec).context("cannot write a schedule as JSON")?;
        let paused = known.as_ref().is_some_and(|row| row.paused);
        let next = if paused { None } else { self.next_free(&id, &body, now).await? };
        let row = schedules::Row {
            id,
            channel: channel.clone(),
            spec: body,
            paused,
            origin: known.as_ref().map_or_else(|| BY_COMMAND.to_owned(), |row| row.origin.clone()),
            rounds: known.as_ref().map_or(0, |row| row.rounds),
            next_at: next.as_ref().map(|slot| slot.at.as_millisecond()),
            next_slot: next.map(|slot| slot.key()),
        };
        let (stored, zone) = (row.clone(), spec.zone.clone());
        let steering = actor.clone();
        self.store
            .write("set a schedule", move |conn| {
                Box::pin(async move {
                    if channels::get(conn, &stored.channel).await?.is_none() {
                        let (id, name) = (stored.channel.clone(), steering.channel_name.clone());
                        let new = channels::Channel { id, name, about: String::new(), zone: zone.clone() };
                        channels::put(conn, &new, now).await?;
                        channels::belongs_to(conn, &stored.channel, &steering.space).await?;
                    }
                    steered(conn, &steering, true, now).await?;
                    schedules::put(conn, &stored, now).await?;
                    channels::set_zone(conn, &stored.channel, &zone).await
                })
            })
            .await?;
        Ok(self.view(&row).await?.map_or_else(text::no_schedule, |view| text::changed(&view)))
    }

    /// The zone of the channel's other schedules, for a further one.
    async fn zone_of(&self, channel: &ChannelId) -> Result<String> {
        let channel = channel.clone();
        let known = self
            .store
            .read("read a channel", move |conn| Box::pin(async move { channels::get(conn, &channel).await }))
            .await?;
        Ok(known.map_or_else(|| ScheduleSpec::default().zone, |known| known.zone))
    }

    /// Notes who steers a channel, and, if the command `tries` something there, that it is worth trying.
    async fn note_steward(&self, actor: &Actor, tries: bool) -> Result<()> {
        let (actor, now) = (actor.clone(), self.now());
        self.store
            .write("note who steers", move |conn| Box::pin(async move { steered(conn, &actor, tries, now).await }))
            .await
    }

    async fn put(&self, row: schedules::Row) -> Result<()> {
        let now = self.now();
        self.store
            .write("change a schedule", move |conn| Box::pin(async move { schedules::put(conn, &row, now).await }))
            .await
    }

    async fn pause(&self, row: schedules::Row) -> Result<Message> {
        self.put(schedules::Row { paused: true, next_at: None, next_slot: None, ..row }).await?;
        Ok(text::paused())
    }

    async fn resume(&self, row: schedules::Row) -> Result<Message> {
        let next = self.next_free(&row.id, &row.spec, self.now()).await?;
        let next_at = next.as_ref().map(|slot| slot.at.as_millisecond());
        self.put(schedules::Row { paused: false, next_at, next_slot: next.map(|slot| slot.key()), ..row }).await?;
        Ok(text::resumed(next_at))
    }

    fn next_slot(&self, row: &schedules::Row, after: i64) -> Option<Slot> {
        self.planned(&row.spec).and_then(|planned| planned.plan.next_after(stamp(after)))
    }

    async fn skip(&self, row: schedules::Row) -> Result<Message> {
        let Some(slot) = row.next_at.and_then(|at| self.next_slot(&row, at - 1)) else {
            return Ok(text::refused(
                "No question is planned, so there is none to leave out. /daily resume starts the schedule.",
            ));
        };
        let after = self.next_slot(&row, slot.at.as_millisecond());
        let next_at = after.as_ref().map(|slot| slot.at.as_millisecond());
        let (now, key) = (self.now(), slot.key());
        let moved = schedules::Row { next_at, next_slot: after.map(|slot| slot.key()), ..row };
        self.store
            .write("skip a question", move |conn| {
                Box::pin(async move {
                    let mut batch = Batch::default();
                    let reason = "an organiser left it out";
                    let gap = Gap {
                        schedule: &moved.id,
                        channel: &moved.channel,
                        slot: &slot,
                        state: State::Skipped,
                        reason,
                    };
                    batch.gap(gap, now, None);
                    batch.store(conn, now).await?;
                    schedules::put(conn, &moved, now).await
                })
            })
            .await?;
        Ok(text::skipped(&key, next_at))
    }

    /// Posts a question beside the schedule: the one of this id, or one that fits. Asking twice at once posts one.
    async fn open_now(&self, row: schedules::Row, question: Option<&str>) -> Result<Message> {
        let Some(planned) = self.planned(&row.spec) else { return Ok(text::no_schedule()) };
        let realm = self.realm_of(&row.channel).await?;
        let exactly = match question.map(|id| known_question(&self.bank_of(&realm), id)) {
            Some(Err(refusal)) => return Ok(refusal),
            Some(Ok(question)) => Some(question),
            None => None,
        };
        let now = self.now();
        let local = stamp(now).to_zoned(planned.plan.zone().clone()).datetime();
        // Never on a full minute: those are the slots of the schedule itself.
        let second = local.with().second(local.second().max(1)).subsec_nanosecond(0).build().unwrap_or(local);
        let mut slot = Slot { local: second, at: stamp(now) };
        let candidates = self.candidates(&realm, &planned.filter);
        let posted = self
            .store
            .write("post a question now", move |conn| {
                Box::pin(async move {
                    let newest = rounds::open_of(conn, &row.id).await?.into_iter().next();
                    // Another question is another wish.
                    let same = |round: &Round| exactly.as_ref().is_none_or(|question| question.id == round.question);
                    if newest.is_some_and(|round| now - round.opened_at < TWICE_MS && same(&round)) {
                        return Ok(true);
                    }
                    while rounds::get(conn, &RoundId::of(&row.id, &slot.key())).await?.is_some() {
                        let next = slot.local.saturating_add(1.second());
                        slot.local = if next.second() == 0 { next.saturating_add(1.second()) } else { next };
                    }
                    let mut asked: HashMap<_, _> =
                        rounds::asked(conn, &[&row.channel]).await?.remove(&row.channel).unwrap_or_default();
                    let mut batch = Batch::default();
                    let opening = Opening { schedule: &row.id, channel: &row.channel, planned: &planned, slot: &slot };
                    match exactly {
                        Some(question) => batch.open_with(&opening, &question, now)?,
                        None if !batch.open(&opening, &candidates, &mut asked, now)? => return Ok(false),
                        None => {}
                    }
                    batch.store(conn, now).await?;
                    Ok(true)
                })
            })
            .await?;
        self.outbox_bell.notify_waiters();
        Ok(if posted { text::opened_now() } else { text::nothing_to_ask() })
    }

    async fn reveal_now(&self, row: schedules::Row) -> Result<Message> {
        let now = self.now();
        let closed = self
            .store
            .write("reveal now", move |conn| {
                Box::pin(async move {
                    let open = rounds::open_of(conn, &row.id).await?;
                    let Some(newest) = open.into_iter().find(|round| round.message.is_some()) else { return Ok(false) };
                    close(conn, &[newest], now).await?;
                    Ok(true)
                })
            })
            .await?;
        self.outbox_bell.notify_waiters();
        Ok(if closed { text::revealing() } else { text::nothing_open() })
    }

    /// Opens a question of every schedule that has none open: what `--demo` begins with.
    pub async fn open_where_none_is(&self) -> Result<()> {
        let all = self.store.read("read schedules", |conn| Box::pin(async move { schedules::all(conn).await })).await?;
        for row in all.into_iter().filter(|row| !row.paused) {
            let id = row.id.clone();
            let open = self
                .store
                .read("look for open questions", move |conn| {
                    Box::pin(async move { Ok(!rounds::open_of(conn, &id).await?.is_empty()) })
                })
                .await?;
            if !open {
                self.open_now(row, None).await?;
            }
        }
        Ok(())
    }
}

/// A round of the history.
pub struct Past {
    pub round: crate::domain::round::Round,
    pub prompt: String,
    pub topic: String,
    pub answered: i64,
}

async fn steered(conn: &mut Conn, actor: &Actor, tries: bool, now: i64) -> Result<()> {
    channels::steered(conn, &actor.channel, &actor.member).await?;
    if tries && channels::may_be_back(conn, &actor.channel).await? {
        outbox::once_more(conn, &actor.channel, now).await?;
    }
    Ok(())
}

/// Takes over what `/daily set` says; what it leaves out stays.
fn apply(spec: &mut ScheduleSpec, change: &Change) -> Result<(), Problem> {
    let list = |text: &str| -> Vec<String> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("all") || text.eq_ignore_ascii_case("none") {
            return Vec::new();
        }
        text.split(',').map(|word| word.trim().to_lowercase()).filter(|word| !word.is_empty()).collect()
    };
    if let Some(cron) = &change.cron {
        spec.cron.clone_from(cron);
        spec.days.clear();
    }
    if change.time.is_some() || change.days.is_some() {
        let (time, days) = simple(&spec.cron);
        let time = change.time.clone().or(time).ok_or_else(|| Problem {
            field: "days",
            message: format!("the schedule \"{}\" has no single time of day; give the time too, like 09:00", spec.cron),
        })?;
        let days = match &change.days {
            Some(days) => {
                spec.days.clear();
                list(days)
            }
            None => days,
        };
        spec.cron = from_time(&time, &days)?;
    }
    let replace = |to: &mut String, from: &Option<String>| {
        if let Some(from) = from {
            from.trim().clone_into(to);
        }
    };
    replace(&mut spec.zone, &change.zone);
    replace(&mut spec.reveal, &change.reveal);
    replace(&mut spec.catch_up, &change.catch_up);
    for (to, from) in [
        (&mut spec.topics, &change.topics),
        (&mut spec.levels, &change.levels),
        (&mut spec.tracks, &change.tracks),
        (&mut spec.skip, &change.skip),
    ] {
        if let Some(from) = from {
            *to = list(from);
        }
    }
    if let Some(ping) = &change.ping {
        spec.ping = if ping == "none" { String::new() } else { ping.clone() };
    }
    if let Some(answers) = &change.answers {
        spec.answers = AnswerMode::parse(answers).unwrap_or(spec.answers);
    }
    Ok(())
}

/// The time and the weekdays of a cron text of the form `30 9 * * mon-fri`.
fn simple(cron: &str) -> (Option<String>, Vec<String>) {
    let fields: Vec<&str> = cron.split_whitespace().collect();
    let [minute, hour, "*", "*", days] = fields.as_slice() else { return (None, Vec::new()) };
    let (Ok(minute), Ok(hour)) = (minute.parse::<u8>(), hour.parse::<u8>()) else { return (None, Vec::new()) };
    let days = if *days == "*" { Vec::new() } else { days.split(',').map(str::to_owned).collect() };
    (Some(format!("{hour:02}:{minute:02}")), days)
}

/// The question of this id, or the refusal that names the nearest.
pub(super) fn known_question(bank: &Bank, id: &str) -> Result<Arc<Question>, Message> {
    let id = id.trim();
    let found = bank.get(id).or_else(|| bank.get(&id.to_lowercase()));
    found.cloned().ok_or_else(|| text::no_question(id, bank.nearest_question(id).map(QuestionId::as_str)))
}
