//! Flags: what members say is wrong with a question, and what organisers answer.

use std::sync::Arc;

use drillbot::app::App;
use drillbot::domain::message::InputKind;
use insta::{allow_duplicates, assert_snapshot};

use crate::rulings::{on, on_both};
use crate::support::{Database, Kind};
use crate::world::{FULL, World, bank, show_reply};

on_both!(
    a_flag_on_the_question_of_the_day_is_answered,
    a_reviewer_sees_whether_the_bank_has_changed_since,
    a_second_flag_changes_the_first,
    flag_alone_means_the_question_at_hand,
    a_wrong_form_of_a_flag_keeps_what_was_typed,
    the_first_answer_to_a_flag_holds,
    nobody_flags_what_they_cannot_see,
);

const SAYS: [(&str, &str); 3] =
    [("fault", "outdated"), ("words", "Locks have moved to S3 since."), ("source", "https://example.com/locks")];

fn timeless(text: &str) -> String {
    text.replace("2026-11-23T09:00:00Z", "<now>")
}

async fn a_flag_on_the_question_of_the_day_is_answered(mut w: World, _: Arc<Database>) -> World {
    w.at("09:00").await;
    // Before anybody has answered.
    let shown = w.bob("/flag").await;
    allow_duplicates! { assert_snapshot!(shown, @r#"
    [form] Flag a question
    What is it?: ""
    In your words: ""
    Link to a source: ""
    [Send]
    "#) };
    let shown = w.send_values("Bob", &SAYS).await;
    allow_duplicates! { assert_snapshot!(shown, @"Thank you. The organisers look at it, and I tell you what they say.") };
    w.settle().await;
    let notice = w.notices().pop();
    assert_eq!(notice.as_deref(), Some("1 flagged question waits for an organiser: /review shows what there is."));
    let shown = timeless(&w.ann("/review").await);
    allow_duplicates! { assert_snapshot!(shown, @"
    # A question flagged as outdated
    (From Bob, <now>)
    They say: Locks have moved to S3 since.
    Source: https://example.com/locks
    Question: iam-1, version 1
    It asked: iam question 1: who keeps the state?
    [Fixed] [Keep as it is] [Dismiss] [Look again]
    ") };
    let form = w.press("Ann", "Fixed").await;
    assert!(form.starts_with("[form] Fixed"), "{form}");
    let shown = w.send_values("Ann", &[("reason", "Right: the next version says so.")]).await;
    allow_duplicates! { assert_snapshot!(shown, @"
    Noted as fixed; who flagged it hears of it.
    ---
    Nothing waits for you. Members suggest questions with /suggest, and flag wrong ones with /flag.
    ") };
    w.settle().await;
    let told = w.told("Bob").expect("Bob is told");
    allow_duplicates! { assert_snapshot!(told, @"
    You flagged a question, and it is mended. Thank you!
    (iam-1 iam question 1: who keeps the state?)
    (The organisers say:)
    > Right: the next version says so.
    ") };
    let decided = w.ann("/review decided").await;
    assert!(decided.contains("Fixed by Ann") && decided.contains("Told the author: Right:"), "{decided}");
    assert_eq!(w.chat.count("flag:"), 1);
    w
}

async fn a_reviewer_sees_whether_the_bank_has_changed_since(mut w: World, _: Arc<Database>) -> World {
    w.bob("/flag iam-1").await;
    w.send_values("Bob", &SAYS).await;
    w.settle().await;
    let before = w.ann("/review").await;
    assert!(before.contains("Question: iam-1, version 1") && !before.contains("has changed it"), "{before}");
    let (path, text) = crate::world::bank_texts(&[("iam", 1)]).remove(0);
    let text = text.replace("version = 1", "version = 2").replace("who keeps the state?", "where is the state kept?");
    w.app.replace_bank(crate::world::read_bank(&[(path, text)]).expect("a bank"));
    let after = w.ann("/review").await;
    assert!(after.contains("The bank has changed it since then; it is version 2 now."), "{after}");
    assert!(after.contains("It asked: iam question 1: who keeps the state?"), "{after}");
    assert!(after.contains("It asks now: iam question 1: where is the state kept?"), "{after}");
    w.app.replace_bank(bank(&[("eks", 1)]));
    let gone = w.ann("/review").await;
    assert!(gone.contains("The bank does not have this question any more."), "{gone}");
    w
}

async fn a_second_flag_changes_the_first(mut w: World, _: Arc<Database>) -> World {
    w.bob("/flag iam-1").await;
    w.send_values("Bob", &SAYS).await;
    let open = w.bob("/flag iam-1").await;
    assert!(
        open.contains("In your words: \"Locks have moved to S3 since.\""),
        "what it says stands in the form: {open}"
    );
    let changed = w.send_values("Bob", &[("fault", "wrong"), ("words", "It never was so.")]).await;
    assert!(changed.starts_with("Changed:"), "{changed}");
    w.says("Cleo", "/flag iam-1").await;
    w.send_values("Cleo", &SAYS).await;
    w.settle().await;
    let review = w.ann("/review").await;
    assert!(review.contains("1 of 2") && review.contains("It never was so."), "{review}");
    assert!(review.contains("# A question flagged as wrong"), "{review}");
    w.press("Ann", "Keep").await;
    w.send_values("Ann", &[("reason", "")]).await;
    w.settle().await;
    let told = w.told("Bob").expect("Bob is told");
    assert!(told.starts_with("You flagged a question; the organisers find it right as it is."), "{told}");
    // After an answer it is another flag.
    w.bob("/flag iam-1").await;
    let again = w.send_values("Bob", &SAYS).await;
    assert!(again.starts_with("Thank you."), "{again}");
    w.settle().await;
    assert!(w.ann("/review").await.contains("1 of 2"));
    w
}

async fn flag_alone_means_the_question_at_hand(mut w: World, _: Arc<Database>) -> World {
    let nothing = w.bob("/flag").await;
    assert!(nothing.starts_with("Say which question, by its id"), "{nothing}");
    let unknown = w.bob("/flag iam-2").await;
    assert_eq!(unknown, "There is no question \"iam-2\" in the bank, so nothing was flagged. Did you mean iam-1?");
    w.app.replace_bank(bank(&[("eks", 1), ("iam", 1)]));
    w.at("09:00").await;
    let daily = w.rounds().await[0].question.to_string();
    let other = if daily == "iam-1" { "eks-1" } else { "iam-1" };
    let about = |w: &World| format!("{:?}", w.form("Bob").blocks);
    w.bob("/flag").await;
    assert!(about(&w).contains(&daily), "{}", about(&w));
    w.bob(&format!("/drill question:{other}")).await;
    w.bob("/flag").await;
    assert!(about(&w).contains(other), "who drills means the drill: {}", about(&w));
    // From the feedback of the drill, the reveal and the result.
    w.bob(&format!("/drill question:{other}")).await;
    w.press("Bob", "Reveal").await;
    w.press("Bob", "Flag").await;
    assert!(about(&w).contains(other), "{}", about(&w));
    let answer = w.card_button("Answer").expect("the card has a button");
    assert_eq!(w.card_button("Flag"), None, "the card stays small");
    w.press_action("Bob", &answer).await;
    w.send_form("Bob", FULL).await;
    w.at("17:00").await;
    let reveal = w.chat.shown().into_iter().rev().find(|one| one.key.starts_with("reveal:")).expect("a reveal");
    let flag = reveal.message.buttons.iter().find(|button| button.label == "Flag").expect("the reveal has a way");
    w.press_action("Bob", &flag.action).await;
    assert!(about(&w).contains(&daily), "{}", about(&w));
    w.press_action("Bob", &format!("result:{}", w.rounds().await[0].id)).await;
    w.press("Bob", "Flag").await;
    assert!(about(&w).contains(&daily), "{}", about(&w));
    w
}

async fn a_wrong_form_of_a_flag_keeps_what_was_typed(mut w: World, _: Arc<Database>) -> World {
    for (changes, problem) in [
        (("fault", "nonsense"), "I do not understand \"nonsense\""),
        (("fault", ""), "Choose what is wrong with the question."),
        (("words", " - "), "Say in a few words what is wrong."),
        (("source", "ftp://x.y"), "The link is no https address"),
    ] {
        w.bob("/flag iam-1").await;
        let values = SAYS.map(|(input, value)| if input == changes.0 { changes } else { (input, value) });
        let refused = w.send_values("Bob", &values).await;
        assert!(refused.starts_with(problem), "{refused}");
        w.press("Bob", "Mend it").await;
        let kept: Vec<String> = w.form("Bob").inputs.into_iter().map(|input| input.value).collect();
        assert_eq!(kept, values.map(|(_, value)| value.trim()), "{problem}");
        let sent = values.iter().map(|(input, value)| ((*input).to_owned(), (*value).to_owned())).collect();
        let at_once = App::refuse_form("queue:flag:q:iam-1", &sent).map(|(input, words)| (input, words.summary));
        assert!(at_once.is_some_and(|(input, words)| input == changes.0 && words.starts_with(problem)), "{problem}");
    }
    assert!(w.ann("/review").await.starts_with("Nothing waits"));
    // What was picked may have been typed.
    w.press_action("Bob", "queue:flag:q:iam-1").await;
    assert!(matches!(w.form("Bob").inputs[0].kind, InputKind::Pick { many: false, .. }));
    let sent = w.send_values("Bob", &[("fault", "2"), ("words", "Old."), ("source", "")]).await;
    assert!(sent.starts_with("Thank you."), "{sent}");
    w.settle().await;
    assert!(w.ann("/review").await.contains("flagged as outdated"));
    w
}

async fn the_first_answer_to_a_flag_holds(mut w: World, _: Arc<Database>) -> World {
    w.bob("/flag iam-1").await;
    w.send_values("Bob", &SAYS).await;
    w.settle().await;
    w.ann("/review").await;
    let (keep, fixed) = (w.button("Ann", "Keep").expect("one"), w.button("Ann", "Fixed").expect("one"));
    let values = || [("reason".to_owned(), "So.".to_owned())].into();
    let send = |name: &str, action: &str, w: &mut World| {
        let (app, action) = (w.app.clone(), action.to_owned());
        let actor = drillbot::app::Actor { organiser: true, ..w.actor(name) };
        let values = values();
        tokio::spawn(async move { app.submit(&actor, &action, &values).await })
    };
    let sent = [send("Ann", &keep, &mut w), send("Dora", &fixed, &mut w)];
    let mut late = 0;
    for one in sent {
        let shown = show_reply(&one.await.expect("a form").expect("a reply"));
        late += usize::from(shown.ends_with("has decided on this meanwhile, so nothing was changed."));
    }
    assert_eq!(late, 1);
    let bob = w.actor("Bob");
    let refused = show_reply(&w.app.submit(&bob, &keep, &values()).await.expect("a reply"));
    assert!(refused.starts_with("Organisers decide on this."), "{refused}");
    w.settle().await;
    assert_eq!(w.chat.count("flag:"), 1);
    w
}

async fn nobody_flags_what_they_cannot_see(mut w: World, _: Arc<Database>) -> World {
    w.bob("/drill iam").await;
    w.bob("/flag").await;
    let of_bob = w.form("Bob").action;
    assert!(of_bob.starts_with("queue:flag:d:"), "{of_bob}");
    let theirs = w.press_action("Cleo", &of_bob).await;
    assert!(theirs.starts_with("Say which question"), "{theirs}");
    let theirs = w.fill("Cleo", &of_bob, &SAYS).await;
    assert!(theirs.starts_with("Say which question"), "{theirs}");
    assert!(w.ann("/review").await.starts_with("Nothing waits"));
    w
}
