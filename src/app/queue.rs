//! What waits for the organisers, and what they decide. The first decision holds; who comes second is told.

use std::collections::HashMap;

use anyhow::Result;

use super::verdicts::{Decided, Decision, approve, open, settle, settle_flag, take_out};
use super::{Actor, App};
use crate::domain::alike::resembled;
use crate::domain::flag::{self, Flag};
use crate::domain::ids::{MemberId, SuggestionId};
use crate::domain::message::{Message, Reply};
use crate::domain::queue::{Act, Item, Shelf, Verdict};
use crate::domain::suggestion::{State, Suggestion, Typed, tidy};
use crate::domain::text;
use crate::domain::text::queue::{self as words, FlagView, Room, SuggestionView};
use crate::store::{drafts, flags, members, rounds, suggestions};

/// What is looked at at once: far more than anybody has waiting.
const SHOWN: i64 = 300;
/// Something of the queue.
enum Thing {
    Suggestion(Box<Suggestion>),
    Flag(Box<Flag>),
}

impl Thing {
    fn item(&self) -> Item {
        match self {
            Thing::Suggestion(one) => Item::Suggestion(one.id.clone()),
            Thing::Flag(one) => Item::Flag(one.id.clone()),
        }
    }

    /// When it was sent, or decided.
    fn at(&self, shelf: Shelf) -> i64 {
        match (self, shelf) {
            (Thing::Suggestion(one), Shelf::Decided) => one.decided_at,
            (Thing::Flag(one), Shelf::Decided) => one.decided_at,
            (Thing::Suggestion(one), _) => one.sent_at,
            (Thing::Flag(one), _) => one.sent_at,
        }
    }

    fn people(&self) -> Vec<MemberId> {
        match self {
            Thing::Suggestion(one) => one.member.iter().chain(&one.by).cloned().collect(),
            Thing::Flag(one) => [&one.member].into_iter().chain(&one.by).cloned().collect(),
        }
    }
}

/// An item as organisers see it.
pub struct Shown {
    pub item: Item,
    pub message: Message,
}

impl App {
    /// `/review`: what waits, one at a time.
    pub(super) async fn review_queue(&self, actor: &Actor, shelf: Shelf, after: Option<&Item>) -> Result<Message> {
        let Some(home) = self.home_of(actor).await? else { return Ok(text::no_group("review")) };
        let all = self.queue(&home.realm, shelf).await?;
        let at = after.and_then(|after| all.iter().position(|thing| thing.item() == *after)).map_or(0, |at| at + 1);
        let at = if at < all.len() { at } else { 0 };
        let Some(thing) = all.get(at) else { return Ok(words::nothing_to_decide(shelf)) };
        let item = thing.item();
        let message = self.views(&home.realm, std::slice::from_ref(thing), Room::Chat).await?.into_iter().next();
        Ok(message.map_or_else(
            || words::nothing_to_decide(shelf),
            |shown| words::one_of(shown.message, shelf, (at + 1, all.len()), &item),
        ))
    }

    /// The whole queue of whoever looks at it, for a page.
    ///
    /// # Errors
    /// When the database cannot be used.
    pub async fn whole_queue(&self, actor: &Actor, shelf: Shelf) -> Result<Vec<Shown>> {
        let Some(home) = self.home_of(actor).await? else { return Ok(Vec::new()) };
        let all = self.queue(&home.realm, shelf).await?;
        self.views(&home.realm, &all, Room::Page).await
    }

    /// What is on a shelf; an organiser has looked.
    async fn queue(&self, realm: &str, shelf: Shelf) -> Result<Vec<Thing>> {
        let at = realm.to_owned();
        let (mut all, unseen) = self
            .store
            .read("read what waits", move |conn| {
                Box::pin(async move {
                    let mut all = Vec::new();
                    if shelf != Shelf::Flags {
                        let found = match shelf {
                            Shelf::Decided => suggestions::decided(conn, &at, SHOWN).await?,
                            _ => suggestions::open(conn, &at, SHOWN).await?,
                        };
                        all.extend(found.into_iter().map(|one| Thing::Suggestion(Box::new(one))));
                    }
                    if shelf != Shelf::Suggestions {
                        let found = match shelf {
                            Shelf::Decided => flags::decided(conn, &at, SHOWN).await?,
                            _ => flags::open(conn, &at, SHOWN).await?,
                        };
                        all.extend(found.into_iter().map(|one| Thing::Flag(Box::new(one))));
                    }
                    Ok((all, suggestions::is_unseen(conn, &at).await?))
                })
            })
            .await?;
        if shelf == Shelf::Decided {
            all.sort_by_key(|thing| (std::cmp::Reverse(thing.at(shelf)), thing.item()));
        } else {
            all.sort_by_key(|thing| (thing.at(shelf), thing.item()));
        }
        if unseen {
            let realm = realm.to_owned();
            self.store
                .write("note that organisers have looked", move |conn| {
                    Box::pin(async move { suggestions::looked(conn, &realm).await })
                })
                .await?;
        }
        Ok(all)
    }

    async fn views(&self, realm: &str, things: &[Thing], room: Room) -> Result<Vec<Shown>> {
        let people: Vec<MemberId> = things.iter().flat_map(Thing::people).collect();
        let names = self
            .store
            .read("read names", move |conn| Box::pin(async move { members::names(conn, &people).await }))
            .await?;
        let bank = self.bank_of(realm);
        let name = |member: Option<&MemberId>| member.and_then(|member| names.get(member)).map(String::as_str);
        let mut out = Vec::with_capacity(things.len());
        for thing in things {
            let message = match thing {
                Thing::Suggestion(one) => words::suggestion_item(
                    &SuggestionView {
                        suggestion: one,
                        author: name(one.member.as_ref()),
                        decided_by: name(one.by.as_ref()),
                        topic: &bank.topic_title(&one.texts.topic),
                        like: resembled(&bank, &one.texts.prompt),
                        in_bank: self.bank().get(one.question_id().as_str()).is_none(),
                    },
                    room,
                ),
                Thing::Flag(one) => {
                    let question = bank.get(one.question.as_str());
                    let now = question.map(|question| rounds::snapshot_hash(question)).transpose()?;
                    words::flag_item(
                        &FlagView {
                            flag: one,
                            author: name(Some(&one.member)),
                            decided_by: name(one.by.as_ref()),
                            question: question.map(AsRef::as_ref),
                            changed: now.is_some_and(|(hash, _)| hash != one.snapshot),
                        },
                        room,
                    )
                }
            };
            out.push(Shown { item: thing.item(), message });
        }
        Ok(out)
    }

    /// A press of a button about the queue, or of a member's own things.
    pub(super) async fn press_queue(&self, actor: &Actor, act: Act) -> Result<Reply> {
        if act.is_for_organisers() && !actor.organiser {
            return Ok(Reply::show(words::reviews_are_for_organisers()));
        }
        match act {
            Act::Suggest => self.ask_for_suggestion(actor).await,
            Act::Insist => self.insist_on_suggestion(actor).await,
            Act::Withdraw(id, version) => self.withdraw_suggestion(actor, &id, version).await,
            Act::Flag(about) => self.ask_for_flag(actor, &about).await,
            Act::Show(shelf, after) => {
                let message = self.review_queue(actor, shelf, after.as_ref()).await?;
                Ok(Reply::Replace { message })
            }
            Act::Decide(item, version, verdict) => match verdict {
                Verdict::Approve | Verdict::TakeOut => self.decide(actor, item, version, verdict, String::new()).await,
                Verdict::Edit | Verdict::EditAndApprove => self.ask_for_edit(actor, item, version, verdict).await,
                _ => Ok(Reply::Open { form: words::decision_form(&item, version, verdict) }),
            },
        }
    }

    /// A sent form about the queue, or of a member's own things.
    pub(super) async fn submit_queue(
        &self,
        actor: &Actor,
        act: Act,
        values: &HashMap<String, String>,
    ) -> Result<Reply> {
        if act.is_for_organisers() && !actor.organiser {
            return Ok(Reply::show(words::reviews_are_for_organisers()));
        }
        match act {
            Act::Suggest => self.send_suggestion(actor, values).await,
            Act::Flag(about) => self.send_flag(actor, &about, values).await,
            Act::Decide(item, version, verdict @ (Verdict::Edit | Verdict::EditAndApprove)) => {
                self.save_edit(actor, item, version, verdict, values).await
            }
            Act::Decide(item, version, verdict) => {
                if let Some((_, problem)) = refuse_reason(verdict, values) {
                    return Ok(Reply::show(problem));
                }
                let reason = tidy(values.get("reason").map_or("", String::as_str));
                self.decide(actor, item, version, verdict, reason).await
            }
            _ => Ok(Reply::show(text::unknown_button())),
        }
    }

    /// Opens a suggestion for an organiser, with what they typed before.
    async fn ask_for_edit(&self, actor: &Actor, item: Item, version: i64, verdict: Verdict) -> Result<Reply> {
        let Some(home) = self.home_of(actor).await? else { return Ok(Reply::show(text::no_group("review"))) };
        let Item::Suggestion(id) = &item else { return Ok(Reply::show(text::unknown_button())) };
        let (id, member) = (id.clone(), actor.member.clone());
        let (found, draft) = self
            .store
            .read("read a suggestion to edit", move |conn| {
                Box::pin(async move {
                    let draft = drafts::get::<Typed>(conn, &member, &edit_of(&id, version)).await?;
                    Ok((suggestions::get(conn, &id).await?, draft))
                })
            })
            .await?;
        let found = found.filter(|found| found.realm == home.realm);
        Ok(match found {
            Some(found) if found.state == State::Open && found.version == version => {
                let typed = draft.unwrap_or_else(|| Typed::from_texts(&found.texts));
                Reply::Open { form: words::edit_form(&item, version, verdict, &typed) }
            }
            Some(found) if found.state != State::Open => {
                let name = self.name_of_organiser(found.by).await?;
                Reply::show(words::decided_by_another(name.as_deref()))
            }
            _ => Reply::show(words::not_as_it_was()),
        })
    }

    /// Saves what an organiser made of a suggestion, and approves it if that was the wish.
    async fn save_edit(
        &self,
        actor: &Actor,
        item: Item,
        version: i64,
        verdict: Verdict,
        values: &HashMap<String, String>,
    ) -> Result<Reply> {
        let Some(home) = self.home_of(actor).await? else { return Ok(Reply::show(text::no_group("review"))) };
        let Item::Suggestion(id) = item.clone() else { return Ok(Reply::show(text::unknown_button())) };
        let typed = Typed::of(|input| values.get(input).map_or("", String::as_str));
        let bank = self.bank_of(&home.realm);
        let texts = match typed.read(&bank) {
            Ok(texts) => texts,
            Err(slips) => {
                self.keep_draft(&actor.member, edit_of(&id, version), typed).await?;
                return Ok(Reply::show(words::edit_slips(&item, version, verdict, &slips)));
            }
        };
        let (who, now, common) = (actor.clone(), self.now(), self.bank());
        let decided = self
            .store
            .write("edit a suggestion", move |conn| {
                Box::pin(async move {
                    suggestions::turn(conn, &home.realm).await?;
                    members::seen(conn, &who.member, &who.name, now).await?;
                    let found = match open(conn, &home, &id, version).await? {
                        Ok(found) => found,
                        Err(decided) => return Ok(decided),
                    };
                    drafts::drop(conn, &who.member, &edit_of(&id, version)).await?;
                    let edited = Suggestion { texts, version: version + 1, ..found };
                    if verdict == Verdict::EditAndApprove {
                        let by = Decision { member: &who.member, words: String::new(), now };
                        return approve(conn, &common, edited, by).await;
                    }
                    suggestions::put(conn, &edited).await?;
                    Ok(Decided::Done(words::edited()))
                })
            })
            .await?;
        // What was only saved is shown again: it waits for its decision.
        let again = (verdict == Verdict::Edit).then_some(&item);
        self.after_decision(actor, decided, again).await
    }

    async fn decide(&self, actor: &Actor, item: Item, version: i64, verdict: Verdict, reason: String) -> Result<Reply> {
        let Some(home) = self.home_of(actor).await? else { return Ok(Reply::show(text::no_group("review"))) };
        let (who, now, common) = (actor.clone(), self.now(), self.bank());
        let decided = self
            .store
            .write("decide on what waits", move |conn| {
                Box::pin(async move {
                    suggestions::turn(conn, &home.realm).await?;
                    members::seen(conn, &who.member, &who.name, now).await?;
                    let by = Decision { member: &who.member, words: reason, now };
                    let (id, state) = match (item, verdict) {
                        (Item::Suggestion(id), Verdict::TakeOut) => {
                            return take_out(conn, &home, &id, version, by).await;
                        }
                        (Item::Suggestion(id), Verdict::Approve | Verdict::Decline) => {
                            let found = match open(conn, &home, &id, version).await? {
                                Ok(found) => found,
                                Err(decided) => return Ok(decided),
                            };
                            if verdict == Verdict::Approve {
                                return approve(conn, &common, found, by).await;
                            }
                            settle(conn, found, State::Declined, by).await?;
                            return Ok(Decided::Done(words::declined()));
                        }
                        (Item::Flag(id), Verdict::Fixed) => (id, flag::State::Fixed),
                        (Item::Flag(id), Verdict::Keep) => (id, flag::State::Kept),
                        (Item::Flag(id), Verdict::Dismiss) => (id, flag::State::Dismissed),
                        _ => return Ok(Decided::NotAsItWas),
                    };
                    settle_flag(conn, &home, &id, version, state, by).await
                })
            })
            .await?;
        self.after_decision(actor, decided, None).await
    }

    /// What the organiser sees of it, and below it what is next: on the shelf they are at, the thing itself when it waits on.
    async fn after_decision(&self, actor: &Actor, decided: Decided, again: Option<&Item>) -> Result<Reply> {
        self.refresh_own().await?;
        self.outbox_bell.notify_waiters();
        Ok(match decided {
            Decided::Done(message) => {
                let before = match again {
                    Some(item) => self.before(actor, item).await?,
                    None => None,
                };
                let next = self.review_queue(actor, Shelf::Open, before.as_ref()).await?;
                Reply::Replace { message: words::decided_and_next(&message, next) }
            }
            Decided::ByAnother(by) => {
                let name = self.name_of_organiser(by).await?;
                Reply::show(words::decided_by_another(name.as_deref()))
            }
            Decided::NotAsItWas => Reply::show(words::not_as_it_was()),
            Decided::IdTaken(id) => Reply::show(words::id_taken(&id)),
        })
    }

    /// The item in front of another one of the queue.
    async fn before(&self, actor: &Actor, item: &Item) -> Result<Option<Item>> {
        let Some(home) = self.home_of(actor).await? else { return Ok(None) };
        let all = self.queue(&home.realm, Shelf::Open).await?;
        let at = all.iter().position(|thing| thing.item() == *item);
        Ok(at.and_then(|at| at.checked_sub(1)).map(|at| all[at].item()))
    }

    async fn name_of_organiser(&self, member: Option<MemberId>) -> Result<Option<String>> {
        match member {
            Some(member) => self.member_name(&member).await,
            None => Ok(None),
        }
    }
}

/// The draft of an organiser's edit.
fn edit_of(id: &SuggestionId, version: i64) -> String {
    format!("edit {id} {version}")
}

/// What is wrong with the words of a decision: the input, and why.
fn refuse_reason(verdict: Verdict, values: &HashMap<String, String>) -> Option<(&'static str, Message)> {
    let reason = tidy(values.get("reason").map_or("", String::as_str));
    let chars = reason.chars().count();
    if chars > flag::ANSWER_CHARS {
        return Some(("reason", words::reason_too_long(chars)));
    }
    let empty = !reason.chars().any(char::is_alphanumeric);
    (verdict == Verdict::Decline && empty).then(|| ("reason", words::no_reason()))
}

/// What is wrong with a sent form, as far as that is known without the database: the input, and why.
pub(super) fn refuse(act: &Act, values: &HashMap<String, String>) -> Option<(&'static str, Message)> {
    match act {
        Act::Suggest | Act::Decide(_, _, Verdict::Edit | Verdict::EditAndApprove) => {
            let slips = Typed::of(|input| values.get(input).map_or("", String::as_str)).slips();
            let slip = slips.into_iter().next()?;
            Some((slip.input(), text::refused(text::suggestion_slip(&slip))))
        }
        Act::Flag(_) => super::flags::refuse(values),
        Act::Decide(_, _, verdict) => refuse_reason(*verdict, values),
        _ => None,
    }
}

/// The form behind a button, without anything looked up; None when it needs what is stored.
pub(super) fn blank_form(act: &Act) -> Option<crate::domain::form::Form> {
    match act {
        Act::Suggest => Some(text::suggestion_form(&Typed::default())),
        Act::Flag(about) => Some(text::flag_form(about, None, &flag::Typed::default())),
        Act::Decide(item, version, verdict) => match verdict {
            Verdict::Approve | Verdict::TakeOut | Verdict::Edit | Verdict::EditAndApprove => None,
            verdict => Some(words::decision_form(item, *version, *verdict)),
        },
        _ => None,
    }
}
