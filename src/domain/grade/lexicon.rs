//! What the grader knows of a whole bank, beyond the question it grades.

use crate::domain::question::Question;

/// The words of a bank.
#[derive(Clone, Debug, Default)]
pub struct Lexicon {
    questions: usize,
}

impl Lexicon {
    pub fn of<'a>(questions: impl IntoIterator<Item = &'a Question>) -> Lexicon {
        Lexicon { questions: questions.into_iter().count() }
    }

    /// How many questions it was made of.
    pub fn questions(&self) -> usize {
        self.questions
    }
}
