//! Brings the channels and schedules of the configuration into the store.

use anyhow::{Context, Result};

use super::{App, stamp};
use crate::domain::ids::{ChannelId, ScheduleId, short_hash};
use crate::domain::schedule::ScheduleSpec;
use crate::store::{channels, outbox, schedules};

/// A channel as the configuration has it.
#[derive(Clone, Debug)]
pub struct ChannelSetup {
    pub id: ChannelId,
    pub name: String,
    pub about: String,
    pub schedules: Vec<ScheduleSetup>,
}

#[derive(Clone, Debug)]
pub struct ScheduleSetup {
    pub name: String,
    pub spec: ScheduleSpec,
}

/// The origin of a schedule that has left the configuration.
const RETIRED: &str = "retired";
/// The origin of a schedule that a command made.
pub(super) const BY_COMMAND: &str = "command";

impl App {
    /// Applies the configuration. What `/daily set` changed since stays, until the entry of the configuration itself changes; a
    /// schedule that has left the configuration posts no more.
    pub async fn set_up(&self, wanted: Vec<ChannelSetup>) -> Result<()> {
        let now = self.now();
        let mut rows = Vec::new();
        for channel in &wanted {
            for schedule in &channel.schedules {
                let spec = serde_json::to_string(&schedule.spec).context("cannot write a schedule as JSON")?;
                let next = self.planned(&spec).and_then(|planned| planned.plan.next_after(stamp(now)));
                rows.push(schedules::Row {
                    id: ScheduleId::of(&channel.id, &schedule.name),
                    channel: channel.id.clone(),
                    origin: short_hash(&[&spec]),
                    spec,
                    paused: false,
                    rounds: 0,
                    next_at: next.as_ref().map(|slot| slot.at.as_millisecond()),
                    next_slot: next.map(|slot| slot.key()),
                });
            }
        }
        self.store
            .write("apply the configuration", move |conn| {
                Box::pin(async move {
                    for channel in &wanted {
                        let zone = channel.schedules.first().map_or("UTC", |schedule| schedule.spec.zone.as_str());
                        let known = channels::get(conn, &channel.id).await?;
                        let zone = known.map_or(zone.to_owned(), |known| known.zone);
                        let channel = channels::Channel {
                            id: channel.id.clone(),
                            name: channel.name.clone(),
                            about: channel.about.clone(),
                            zone,
                        };
                        channels::put(conn, &channel, now).await?;
                    }
                    for row in &rows {
                        match schedules::get(conn, &row.id).await? {
                            Some(known) if known.origin == row.origin => {}
                            Some(known) => {
                                let fresh = schedules::Row { rounds: known.rounds, ..row.clone() };
                                schedules::put(conn, &fresh, now).await?;
                                let zone = serde_json::from_str::<ScheduleSpec>(&row.spec)?.zone;
                                channels::set_zone(conn, &row.channel, &zone).await?;
                            }
                            None => schedules::put(conn, row, now).await?,
                        }
                    }
                    for old in schedules::all(conn).await? {
                        let kept = rows.iter().any(|row| row.id == old.id);
                        if !kept && old.origin != BY_COMMAND && old.origin != RETIRED {
                            let retired = schedules::Row {
                                origin: RETIRED.into(),
                                paused: true,
                                next_at: None,
                                next_slot: None,
                                ..old
                            };
                            schedules::put(conn, &retired, now).await?;
                        }
                    }
                    Ok(())
                })
            })
            .await?;
        self.refresh_own().await?;
        self.realign().await
    }

    /// Takes over what an earlier process of an exclusive database left half done. Nobody else can be sending it.
    pub async fn take_over(&self) -> Result<u64> {
        if !self.store.is_exclusive() {
            return Ok(0);
        }
        self.store.write("take over deliveries", |conn| Box::pin(async move { outbox::release_all(conn).await })).await
    }
}
