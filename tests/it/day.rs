//! The daily question, from its card to its reveal.

use insta::assert_snapshot;

use crate::world::{FULL, PART, World};

#[tokio::test]
async fn a_question_is_posted_answered_and_revealed() {
    let mut w = World::new().await;
    w.at("08:59").await;
    assert_eq!(w.news(), "");
    w.at("09:00").await;
    assert_snapshot!(w.news(), @r#"
    --- in the channel
    # iam question 3: who keeps the state?
    (Two colleagues press apply in the same minute.)
    Topic: IAM
    Level: advanced
    Answered: nobody yet
    Reveal: 2026-11-23T17:00:00Z, 2026-11-23T17:00:00Z
    (Answer in the thread, or in private with the button. A hint is private and costs 10 points.)
    [Answer] [Hint (−10 points)]
    "#);
    w.at("09:05").await;
    assert_eq!(w.news(), "", "one question a day");
    w.write_in_thread("Bob", PART).await;
    assert_snapshot!(w.answers_by_form("Ann", FULL).await, @"Saved. You can change it with the Answer button until the reveal, 2026-11-23T17:00:00Z.");
    w.at("09:06").await;
    assert_snapshot!(w.card(), @r#"
    # iam question 3: who keeps the state?
    (Two colleagues press apply in the same minute.)
    Topic: IAM
    Level: advanced
    Answered: 2 people
    Reveal: 2026-11-23T17:00:00Z, 2026-11-23T17:00:00Z
    (Answer in the thread, or in private with the button. A hint is private and costs 10 points.)
    [Answer] [Hint (−10 points)]
    "#);
    w.at("16:59").await;
    assert_eq!(w.news(), "");
    w.at("17:00").await;
    assert_snapshot!(w.news(), @r#"
    --- in the thread
    # Model answer
    The backend keeps the state. A lock stops two writers. Versions help to recover.
    --- to Ann
    # Your result
    100 of 100, worth 200 points
    (iam question 3: who keeps the state?)
    # You said
    ✓ The backend keeps the state
    ✓ A lock stops two writers
    ✓ Versions help to recover
    # Your answer
    > The backend keeps the state, a lock stops two writers, and versions help to recover.
    (Underlined: the words that counted.)
    --- to Bob
    # Your result
    50 of 100, worth 100 points
    (iam question 3: who keeps the state?)
    # You said
    ✓ The backend keeps the state
    # Missing
    – A lock stops two writers
    – Versions help to recover
    # Your answer
    > The backend keeps the state.
    (Underlined: the words that counted.)
    --- in the thread
    # Key points, and who covered them
    ✓ The backend keeps the state — everybody
    ✓ A lock stops two writers — Ann
    ✓ Versions help to recover — Ann
    2 people answered; 75 of 100 on average.
    # Common mistakes
    ✗ Versions stop two writers. They only help to recover.
    # Read more
    • developer.hashicorp.com/terraform/language/state
    (To think about next: iam question 4: who keeps the state?)
    [My result]
    "#);
    assert_snapshot!(w.card(), @r#"
    # iam question 3: who keeps the state?
    (Two colleagues press apply in the same minute.)
    Topic: IAM
    Level: advanced
    Answered: 2 people
    State: Closed; the answer is in the thread
    [My result]
    "#);
    w.end().await;
}
