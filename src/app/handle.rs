//! The door for everything a person does that is answered at once: commands, presses, forms.

use std::collections::HashMap;

use anyhow::Result;

use super::{Actor, App, answers, queue, rulings};
use crate::domain::bank::{Bank, TopicMatch};
use crate::domain::command::{self, Action, Command, Usage, Value, Verb};
use crate::domain::ids::platform_of;
use crate::domain::message::{Form, Message, Reply};
use crate::domain::queue::Act;
use crate::domain::text;

/// Lines offered while somebody types one.
const OFFERS: usize = 25;

/// A line that could be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    pub line: String,
    pub help: String,
}

impl App {
    /// A typed line, `/drill iam`.
    ///
    /// # Errors
    /// Only when the database cannot be used; a person's mistake is a reply.
    pub async fn line(&self, actor: &Actor, line: &str) -> Result<Reply> {
        self.read_command(actor, command::parse(line)).await
    }

    /// A command that a platform has taken apart already.
    pub async fn read_command(&self, actor: &Actor, command: Result<Command, Usage>) -> Result<Reply> {
        match command {
            Ok(command) => self.command(actor, command).await,
            Err(usage) => Ok(Reply::show(text::usage(&usage))),
        }
    }

    async fn command(&self, actor: &Actor, command: Command) -> Result<Reply> {
        self.meet(actor).await?;
        let home;
        let actor = match &command {
            Command::Drill { .. } | Command::Leaderboard { .. } | Command::Me { .. } | Command::Topics => {
                home = self.at_home(actor).await?;
                &home
            }
            Command::Scenario { .. }
            | Command::Prep { .. }
            | Command::Daily { .. }
            | Command::Suggest
            | Command::Flag { .. }
            | Command::Review { .. }
            | Command::Help { .. } => actor,
        };
        Ok(match command {
            Command::Drill { question: Some(id), mode, .. } => return self.drill_question(actor, &id, mode).await,
            Command::Drill { topic, level, count, mode, question: None } => {
                return self.begin_drill(actor, topic.as_deref(), level, count, mode).await;
            }
            Command::Scenario { name, together } => return self.scenario(actor, name.as_deref(), together).await,
            Command::Prep { card } => Reply::show(self.prep(card.as_deref())),
            Command::Leaderboard { window, board, topic } => {
                let topic = match topic.map(|typed| (self.bank().find_topic(&typed), typed)) {
                    None => None,
                    Some((TopicMatch::Exact(name), _)) => Some(name),
                    Some((TopicMatch::Near(near), typed)) => {
                        return Ok(Reply::show(text::no_topic(&typed, &near)));
                    }
                };
                Reply::show(self.show_leaderboard(actor, window, board, topic.as_deref()).await?)
            }
            Command::Daily { action, schedule } => {
                if !actor.organiser {
                    let platform = platform_of(actor.channel.as_str());
                    return Ok(Reply::show(text::organisers_only("daily", platform)));
                }
                Reply::show(self.daily(actor, action, schedule.as_deref()).await?)
            }
            Command::Topics => Reply::show(self.show_topics(actor).await?),
            Command::Suggest => return self.suggest_question(actor).await,
            Command::Flag { question } => return self.flag(actor, question.as_deref()).await,
            Command::Review { .. } if !actor.organiser => {
                let platform = platform_of(actor.channel.as_str());
                Reply::show(text::organisers_only("review", platform))
            }
            Command::Review { shelf } => Reply::show(self.review_queue(actor, shelf, None).await?),
            Command::Me { delete: false } => Reply::show(self.show_me(actor).await?),
            Command::Me { delete: true } => Reply::show(text::forget_question()),
            Command::Help { command: None } => Reply::show(self.help(actor)),
            Command::Help { command: Some(name) } => Reply::show(text::help_for(&name, self.ways(actor))),
        })
    }

    fn prep(&self, typed: Option<&str>) -> Message {
        let bank = self.bank();
        let cards = || bank.cards().map(AsRef::as_ref);
        match typed.map(|typed| (bank.find_card(typed), typed)) {
            None => text::cards(cards(), None, &[]),
            Some((Err(near), typed)) => text::cards(cards(), Some(typed), &near),
            Some((Ok(card), _)) => {
                let next = card.follow_ups.iter().filter_map(|id| bank.get(id));
                text::card_of(card, next.map(AsRef::as_ref))
            }
        }
    }

    pub(super) fn help(&self, actor: &Actor) -> Message {
        text::help(self.ways(actor))
    }

    fn ways(&self, actor: &Actor) -> text::Ways {
        match platform_of(actor.channel.as_str()) {
            _ if !self.reads_threads(actor.channel.as_str()) => text::Ways::Form,
            "web" => text::Ways::Threads,
            _ => text::Ways::SignedThreads,
        }
    }

    /// A pressed button. `None` when there is nothing to show.
    pub async fn press(&self, actor: &Actor, action: &str) -> Result<Reply> {
        match Action::decode(action) {
            Some(Action::Answer(round)) => self.ask_for_answer(actor, &round).await,
            Some(Action::Hint(round)) => self.give_hint(actor, &round).await,
            Some(Action::MyResult(round)) => self.my_result(actor, &round).await,
            Some(Action::Drill { drill, at, verb }) => self.press_drill(actor, &drill, at, verb).await,
            Some(Action::Scene { scene, step, go }) => self.move_scene(actor, &scene, step, go).await,
            Some(Action::Claim { round, point: Some(point) }) => self.ask_for_claim(actor, &round, point).await,
            Some(Action::Claim { round, point: None }) => self.ask_for_any_claim(actor, &round).await,
            Some(Action::Review(round)) => self.take_review(actor, &round).await,
            Some(Action::RuleReview { review, point, covered }) => {
                self.rule_on_review(actor, &review, point, covered).await
            }
            Some(Action::Rule { claim, covered }) => self.rule_on_claim(actor, &claim, covered).await,
            Some(Action::Queue(act)) => self.press_queue(actor, act).await,
            Some(Action::Forget) => self.forget(&actor.member).await.map(Reply::show),
            Some(Action::Run(line)) => self.line(actor, &line).await,
            Some(Action::Reviewed(_)) | None => Ok(Reply::show(text::unknown_button())),
        }
    }

    /// A sent form: the action it carried and its values by input id.
    pub async fn submit(&self, actor: &Actor, action: &str, values: &HashMap<String, String>) -> Result<Reply> {
        let given = |input: &str| values.get(input).map_or("", String::as_str);
        let (answer, confidence) = (given("answer"), given(text::CONFIDENCE));
        match Action::decode(action) {
            Some(Action::Answer(round)) => self.save_answer(actor, &round, answer, confidence).await,
            Some(Action::Drill { drill, at, verb: Verb::Answer }) => {
                self.answer_drill(actor, &drill, at, answer, confidence).await
            }
            Some(Action::Claim { round, point: Some(point) }) => self.claim_point(actor, &round, point, answer).await,
            Some(Action::Claim { round, point: None }) => {
                let point = values.get("point").map_or("", String::as_str);
                self.claim_any(actor, &round, point, answer).await
            }
            Some(Action::Reviewed(review)) => {
                let points = values.get("points").map_or("", String::as_str);
                self.finish_review(actor, &review, points).await
            }
            Some(Action::Queue(act)) => self.submit_queue(actor, act, values).await,
            _ => Ok(Reply::show(text::unknown_button())),
        }
    }

    /// What a line that begins with `/` could become in a group.
    pub fn complete(&self, line: &str, realm: &str) -> Vec<Suggestion> {
        let bank = self.bank_of(realm);
        let topics: Vec<(String, String)> =
            bank.topics().into_iter().map(|topic| (topic.name.clone(), topic.title.clone())).collect();
        let look_up = |value: Value, typed: &str| -> Vec<(String, String)> {
            look_up(&bank, value, typed, OFFERS).into_iter().map(|(words, value)| (value, words)).collect()
        };
        command::complete(line, &topics, look_up).into_iter().map(|(line, help)| Suggestion { line, help }).collect()
    }

    /// What somebody of a group who types a value of this kind could mean, best first: (shown, value), each shown in at most 100 characters;
    /// nothing for values that are not looked up.
    pub fn suggest(&self, value: Value, typed: &str, most: usize, realm: &str) -> Vec<(String, String)> {
        let found = look_up(&self.bank_of(realm), value, typed, most).into_iter();
        found.map(|(words, value)| (text::offer(&value, &words), value)).collect()
    }

    /// What is wrong with a form that somebody sends, as far as that is known without the database: the input, and why.
    pub fn refuse_form(action: &str, values: &HashMap<String, String>) -> Option<(&'static str, Message)> {
        let answer = values.get("answer").map_or("", |answer| answer.trim());
        let problem = match Action::decode(action)? {
            Action::Answer(_) => answers::refuse(answer, text::empty_answer),
            Action::Drill { verb: Verb::Answer, .. } => answers::refuse(answer, text::empty_drill_answer),
            Action::Claim { .. } => rulings::refuse_claim(answer),
            Action::Queue(act) => return queue::refuse(&act, values),
            _ => None,
        };
        problem.map(|problem| ("answer", problem))
    }

    /// The form of a button that opens one of which everything is known, for platforms that show it below the message itself.
    pub fn form_within(action: &str) -> Option<Form> {
        match Action::decode(action)? {
            action @ Action::Drill { verb: Verb::Answer, .. } => Some(text::drill_answer(&action)),
            _ => None,
        }
    }

    /// The form of a command that opens one, without anything looked up.
    pub fn blank_form_of(command: &Command) -> Option<Form> {
        match command {
            Command::Suggest => queue::blank_form(&Act::Suggest),
            _ => None,
        }
    }

    /// The form of a button that opens one, without anything looked up: for when the database takes longer than a platform waits.
    pub fn blank_form(action: &str) -> Option<Form> {
        match Action::decode(action)? {
            action @ (Action::Answer(_) | Action::Drill { verb: Verb::Answer, .. }) => Some(text::blank_form(&action)),
            Action::Queue(act) => queue::blank_form(&act),
            _ => None,
        }
    }

    /// What a person sees when the database cannot be used just now.
    pub fn try_again_later() -> Message {
        text::refused("I cannot reach my database just now, so nothing was saved. Try again in a moment.")
    }
}

/// What somebody who types a value of this kind could mean: (words for it, value).
fn look_up(bank: &Bank, value: Value, typed: &str, most: usize) -> Vec<(String, String)> {
    match value {
        Value::Topic => bank.suggest_topics(typed, most),
        Value::Question => bank.suggest_questions(typed, most),
        Value::Scenario => bank.suggest_scenarios(typed, most),
        Value::Card => bank.suggest_cards(typed, most),
        Value::Level | Value::Number { .. } | Value::Word(_) | Value::Time | Value::Mention | Value::Text => Vec::new(),
    }
}
