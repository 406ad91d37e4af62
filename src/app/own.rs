//! Questions of a group's own: what its members suggested and its organisers approved. They join the bank of that group only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use arc_swap::ArcSwap;

use super::{Actor, App};
use crate::domain::bank::Bank;
use crate::domain::ids::ChannelId;
use crate::domain::suggestion::Suggestion;
use crate::store::{channels, rulings, suggestions};

/// The banks of groups that have questions of their own.
#[derive(Default)]
pub(super) struct Own {
    approved: Mutex<Approved>,
    banks: ArcSwap<HashMap<String, Arc<Bank>>>,
}

/// As it was read last.
#[derive(Default)]
struct Approved {
    revision: i64,
    all: Vec<Suggestion>,
}

impl Own {
    pub fn bank(&self, realm: &str) -> Option<Arc<Bank>> {
        self.banks.load().get(realm).cloned()
    }

    pub fn is_empty(&self) -> bool {
        self.banks.load().is_empty()
    }

    fn revision(&self) -> i64 {
        self.approved.lock().unwrap_or_else(PoisonError::into_inner).revision
    }

    /// Changes the bank that all have in common, and joins it with what groups have.
    pub fn renew(&self, change: impl FnOnce(), common: &ArcSwap<Bank>) {
        let approved = self.approved.lock().unwrap_or_else(PoisonError::into_inner);
        change();
        self.join(&approved.all, common);
    }

    /// What was read of the approved questions; older news than what is known is none.
    fn take(&self, revision: i64, all: Vec<Suggestion>, common: &ArcSwap<Bank>) -> bool {
        let mut approved = self.approved.lock().unwrap_or_else(PoisonError::into_inner);
        if revision <= approved.revision {
            return false;
        }
        *approved = Approved { revision, all };
        self.join(&approved.all, common);
        true
    }

    fn join(&self, approved: &[Suggestion], common: &ArcSwap<Bank>) {
        let common = common.load();
        let mut banks = HashMap::new();
        for of_group in approved.chunk_by(|a, b| a.realm == b.realm) {
            let questions = of_group.iter().map(|one| one.question(&common));
            banks.insert(of_group[0].realm.clone(), Arc::new(common.with(questions)));
        }
        self.banks.store(Arc::new(banks));
    }
}

/// Where something that somebody does belongs.
#[derive(Clone, Debug)]
pub(super) struct Home {
    /// A server, a workspace, or a platform that has none.
    pub realm: String,
    /// Its channel where its organisers and its author hear of it.
    pub channel: ChannelId,
}

impl App {
    /// The bank of a group: the one that all have in common, and its own questions.
    pub fn bank_of(&self, realm: &str) -> Arc<Bank> {
        self.own.bank(realm).unwrap_or_else(|| self.bank())
    }

    /// The bank of whoever asks.
    pub(super) async fn bank_for(&self, actor: &Actor) -> Result<Arc<Bank>> {
        if self.own.is_empty() {
            return Ok(self.bank());
        }
        Ok(self.bank_of(&self.realm(actor).await?))
    }

    /// The group of whoever asks; empty in a private conversation of somebody of whom none is known.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn realm(&self, actor: &Actor) -> Result<String> {
        if !actor.space.is_empty() {
            return Ok(actor.space.clone());
        }
        Ok(self.home_of(actor).await?.map(|home| home.realm).unwrap_or_default())
    }

    /// The group of whoever asks, and its channel; None in a private conversation of somebody of whom none is known.
    pub(super) async fn home_of(&self, actor: &Actor) -> Result<Option<Home>> {
        let actor = self.at_home(actor).await?;
        self.store
            .read("look for a group", move |conn| {
                Box::pin(async move {
                    let known = channels::get(conn, &actor.channel).await?.is_some();
                    if !actor.space.is_empty() {
                        let another = match known {
                            true => None,
                            false => channels::of_space(conn, &actor.space).await?.into_iter().next(),
                        };
                        return Ok(Some(Home { realm: actor.space, channel: another.unwrap_or(actor.channel) }));
                    }
                    if !known {
                        return Ok(None);
                    }
                    Ok(Some(Home { realm: rulings::scope_of(conn, &actor.channel).await?, channel: actor.channel }))
                })
            })
            .await
    }

    /// The group of a channel; empty while no group has questions of its own, because nobody needs to know.
    pub(super) async fn realm_of(&self, channel: &ChannelId) -> Result<String> {
        if self.own.is_empty() {
            return Ok(String::new());
        }
        let channel = channel.clone();
        self.store
            .read("look for a group", move |conn| Box::pin(async move { rulings::scope_of(conn, &channel).await }))
            .await
    }

    /// [`App::realm_of`] for many.
    pub(super) async fn realms_of(&self, all: Vec<ChannelId>) -> Result<HashMap<ChannelId, String>> {
        if self.own.is_empty() {
            return Ok(HashMap::new());
        }
        self.store
            .read("look for groups", move |conn| Box::pin(async move { channels::scopes(conn, &all).await }))
            .await
    }

    /// Reads the approved questions again if any instance has changed them.
    pub(super) async fn refresh_own(&self) -> Result<()> {
        let known = self.own.revision();
        let news = self
            .store
            .read("read suggested questions", move |conn| {
                Box::pin(async move {
                    // First the revision: what is approved in between is read now or the next time.
                    let revision = suggestions::revision(conn).await?;
                    if revision == known {
                        return Ok(None);
                    }
                    Ok(Some((revision, suggestions::approved(conn).await?)))
                })
            })
            .await?;
        let Some((revision, all)) = news else { return Ok(()) };
        let questions = all.len();
        if self.own.take(revision, all, &self.bank) {
            self.candidates.lock().unwrap_or_else(PoisonError::into_inner).clear();
            tracing::info!(questions, "suggested questions are in force");
        }
        Ok(())
    }
}
