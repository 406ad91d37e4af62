//! A bank with questions of one group beside its own.

use std::sync::Arc;

use super::{Bank, Place, Topic, topic_names};
use crate::domain::question::Question;

impl Bank {
    /// This bank with more questions. One whose id it has already is left out: a file replaces what was suggested. What the grader
    /// knows of words stays as it is, so that nobody's answers are graded otherwise for it.
    pub fn with(&self, more: impl IntoIterator<Item = Question>) -> Bank {
        let place = Place { path: "suggested".into(), line: 1, fields: Arc::default() };
        let mut bank = self.clone();
        for question in more {
            let id = question.id.as_str();
            let is_card = bank.cards.iter().any(|(card, _)| card.id == question.id);
            let Err(at) = bank.questions.binary_search_by(|known| known.id.as_str().cmp(id)) else { continue };
            if is_card {
                continue;
            }
            if !bank.topics.iter().any(|topic| topic.name == question.topic) {
                let name = question.topic.clone();
                bank.topics.push(Topic { title: name.clone(), name, aliases: Vec::new() });
            }
            bank.questions.insert(at, Arc::new(question));
            bank.places.insert(at, place.clone());
        }
        if bank.topics.len() > self.topics.len() {
            bank.topics.sort_by(|a, b| a.name.cmp(&b.name));
            bank.names = Arc::new(topic_names(&bank.topics, &bank.questions));
        }
        bank
    }
}

/// Questions as a file of a bank has them.
///
/// # Errors
/// When one of them cannot be written as TOML.
pub fn as_toml(questions: &[Question]) -> Result<String, toml::ser::Error> {
    #[derive(serde::Serialize)]
    struct File<'a> {
        question: &'a [Question],
    }
    toml::to_string_pretty(&File { question: questions })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::bank::tests::{example, example_bank};
    use crate::domain::bank::{Filter, Source, TopicMatch};
    use crate::domain::ids::QuestionId;

    fn named(id: &str) -> Question {
        Question { id: QuestionId::new(id), ..example() }
    }

    #[test]
    fn more_questions_join_in_the_order_of_ids_and_none_is_replaced() {
        let bank = example_bank();
        let first = bank.questions()[0].clone();
        let theirs = Question { prompt: "Something else?".into(), ..Question::clone(&first) };
        let more = bank.with([named("zz"), named("aa"), theirs]);
        assert_eq!(more.questions().len(), bank.questions().len() + 2);
        assert!(more.questions().is_sorted_by(|a, b| a.id < b.id));
        assert_eq!(more.get(first.id.as_str()).map(|question| &question.prompt), Some(&first.prompt));
        assert_eq!(more.get("aa").map(|question| question.id.as_str()), Some("aa"));
        assert!(bank.get("aa").is_none());
        let filter = Filter { topics: vec![first.topic.clone()], ..Filter::default() };
        assert_eq!(more.select(&filter).len(), bank.select(&filter).len() + 2);
    }

    #[test]
    fn a_topic_that_the_bank_has_lost_is_found_by_its_name() {
        let lost = Question { topic: "lost".into(), ..named("aa") };
        let more = example_bank().with([lost]);
        assert_eq!(more.find_topic("Lost"), TopicMatch::Exact("lost".into()));
    }

    #[test]
    fn what_is_written_can_be_read_again() {
        let texts = "It's \"quoted\", a \\ and '''three''' and \"\"\"more\"\"\".\n\nA `second` paragraph.";
        let questions = [named("aa"), Question { model_answer: texts.into(), ..named("bb") }];
        let text = as_toml(&questions).unwrap();
        let (bank, problems) = Bank::read(&[&[Source { path: "suggested.toml", text: &text }]]).unwrap();
        assert_eq!(problems, [], "{text}");
        for question in &questions {
            assert_eq!(bank.get(question.id.as_str()).map(AsRef::as_ref), Some(question));
        }
    }
}
