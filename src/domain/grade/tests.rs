use proptest::prelude::*;

use super::*;
use crate::domain::bank::tests::example;
use crate::domain::question::{Alternative, KeyPoint};

/// A key point in short: `groups` parted by `;`, terms by `,`.
fn point(groups: &str) -> KeyPoint {
    let terms = |group: &str| group.split(',').map(|term| term.trim().to_owned()).collect();
    KeyPoint {
        text: "a point".to_owned(),
        weight: 1,
        all_of: groups.split(';').filter(|group| !group.trim().is_empty()).map(terms).collect(),
        alt: Vec::new(),
        need: None,
        about: Vec::new(),
        rivals: Vec::new(),
        required: false,
        contradicts: Vec::new(),
    }
}

fn question(prompt: &str, key_points: Vec<KeyPoint>) -> Question {
    Question { prompt: prompt.to_owned(), key_points, ..example() }
}

fn owned(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

/// The state of one point and the words that counted.
#[track_caller]
fn check(point: &KeyPoint, answer: &str, expect: PointState, counted: &[&str]) {
    let grade = grade(&question("How is the state kept?", vec![point.clone()]), answer);
    let words: Vec<&str> = grade.points[0].spans.iter().map(|(start, end)| &answer[*start..*end]).collect();
    assert_eq!((grade.points[0].state, words.as_slice()), (expect, counted), "{answer:?}");
}

use PointState::{Contradicted, Covered, Missing, Unclear};

#[test]
fn a_term_counts_in_any_form() {
    let versions = point("version, history");
    check(&versions, "The bucket has Versioning on", Covered, &["Versioning"]);
    check(&versions, "VERSIONED", Covered, &["VERSIONED"]);
    check(&versions, "ver\u{200b}sions", Covered, &["ver\u{200b}sions"]);
    check(&versions, "a perversion", Missing, &[]);
    check(&point("die"), "the task is dying", Covered, &["dying"]);
}

#[test]
fn a_term_of_several_words_allows_small_gaps_in_order() {
    let policy = point("bucket policy, acl");
    check(&policy, "a bucket policy", Covered, &["bucket policy"]);
    check(&policy, "the bucket has its policy", Covered, &["bucket has its policy"]);
    check(&policy, "the bucket has its own policy", Missing, &[]);
    check(&policy, "a policy for the bucket", Missing, &[]);
    check(&policy, "a bucket. Policy matters", Missing, &[]);
    check(&point("0.0.0.0/0"), "a route 0.0.0.0/0 to it", Covered, &["0.0.0.0/0"]);
}

#[test]
fn hyphens_make_no_difference() {
    for term in ["multi-stage", "multistage", "multi stage"] {
        for answer in ["multi-stage", "multistage", "multi stage", "Multi_Stages"] {
            check(&point(term), answer, Covered, &[answer]);
        }
    }
    for answer in ["use_lockfile", "use lock file", "uselockfile"] {
        check(&point("use_lockfile"), answer, Covered, &[answer]);
    }
}

#[test]
fn groups_are_met_by_different_words_of_two_neighbouring_sentences() {
    let split = point("split, separate; environment, service");
    check(&split, "Split it. One for each service.", Covered, &["Split", "service"]);
    check(&split, "Split it. That is all. One for each service.", Unclear, &["Split"]);
    check(&point("per environment; environment"), "one per environment", Unclear, &["per environment"]);
    check(&point("blue; blue, green"), "blue or green", Covered, &["blue", "green"]);
    check(&point("blue, green; blue"), "blue or green", Covered, &["blue", "green"]);
    let three = point("a1; b1; c1");
    check(&three, "a1 only", Missing, &[]);
    check(&three, "a1 and b1", Unclear, &["a1", "b1"]);
    check(&KeyPoint { need: Some(2), ..three }, "a1 and b1", Covered, &["a1", "b1"]);
}

#[test]
fn the_first_group_that_is_not_met_is_named() {
    let missing = |answer: &str| {
        grade(&question("Why?", vec![point("a1; b1; c1"), point("d1")]), answer)
            .points
            .into_iter()
            .map(|point| point.missing)
            .collect::<Vec<_>>()
    };
    assert_eq!(missing("nothing of it"), [Some(0), Some(0)]);
    assert_eq!(missing("c1 and a1, d1"), [Some(1), None]);
    assert_eq!(missing("a1, b1, c1"), [None, Some(0)]);
}

#[test]
fn what_is_denied_does_not_count() {
    let encrypted = point("encrypt, kms");
    check(&encrypted, "it is encrypted", Covered, &["encrypted"]);
    for answer in [
        "it is not encrypted",
        "it isn't encrypted",
        "it isn’t encrypted",
        "never use KMS",
        "no encryption at all",
        "it works without encryption",
        "you cannot encrypt it",
        "encryption is not needed",
    ] {
        check(&encrypted, answer, Missing, &[]);
    }
    check(&encrypted, "it is not public, but encrypted", Covered, &["encrypted"]);
    check(&encrypted, "not only encrypted", Covered, &["encrypted"]);
    check(&encrypted, "It is not free. Encryption is on.", Covered, &["Encryption"]);
}

#[test]
fn a_term_with_its_negation_wants_it() {
    let unneeded = point("not needed, superfluous");
    check(&unneeded, "a lock is not needed", Covered, &["not needed"]);
    check(&unneeded, "a lock is needed", Missing, &[]);
    let keyless = point("no, without, never; key, secret");
    check(&keyless, "there are no keys", Covered, &["no", "keys"]);
    check(&keyless, "there are keys", Missing, &[]);
}

#[test]
fn words_of_the_prompt_alone_are_no_evidence() {
    let state = point("state, bucket; kept, stored");
    check(&state, "The state is kept.", Missing, &[]);
    check(&state, "The state is stored.", Covered, &["state", "stored"]);
    assert_eq!(grade(&question("How is the state kept?", vec![state.clone()]), "How is the state kept?").score, 0);
}

#[test]
fn another_complete_way_to_say_it_covers_alone() {
    let point =
        KeyPoint { alt: vec![Alternative::Term("pod identity".to_owned())], ..point("role; service account; token") };
    check(&point, "With Pod Identity.", Covered, &["Pod Identity"]);
    check(&point, "A role for the service account.", Unclear, &["role", "service account"]);
}

#[test]
fn a_misconception_is_recognised() {
    let dynamo = KeyPoint { contradicts: owned(&["dynamodb .. recommended"]), ..point("deprecated, old") };
    check(&dynamo, "DynamoDB is the recommended way, not the old one", Contradicted, &["DynamoDB is the recommended"]);
    check(&dynamo, "DynamoDB is old and not recommended", Covered, &["old"]);
    check(&dynamo, "DynamoDB is old, recommended is the lock file", Covered, &["old"]);
    check(&dynamo, "Recommended is not what DynamoDB is, it is old", Covered, &["old"]);
    let far = "DynamoDB is for all of us here the way to be recommended";
    check(&dynamo, far, Contradicted, &[far]);
    check(&dynamo, &far.replace("way", "only way"), Missing, &[]);
    let unless = KeyPoint { contradicts: owned(&["open .. unless"]), ..point("kms") };
    check(&unless, "it is open to all unless you close it", Contradicted, &["open to all unless"]);
    let open = KeyPoint { contradicts: owned(&["not .. encrypted"]), ..point("kms") };
    check(&open, "It need not be encrypted with KMS", Contradicted, &["not be encrypted"]);
}

#[test]
fn a_swapped_claim_does_not_count() {
    let rto = KeyPoint {
        about: owned(&["rto"]),
        rivals: owned(&["rpo"]),
        contradicts: owned(&["rto .. data loss"]),
        ..point("downtime, outage")
    };
    check(&rto, "RTO is the downtime", Covered, &["downtime"]);
    check(&rto, "RPO is the downtime", Missing, &[]);
    check(&rto, "the downtime is the RPO", Missing, &[]);
    check(&rto, "It is about downtime", Covered, &["downtime"]);
    check(&rto, "RTO is the downtime and RPO the data loss", Covered, &["downtime"]);
    check(&rto, "RTO is the data loss and RPO the downtime", Contradicted, &["RTO is the data loss"]);
    let rotation = KeyPoint {
        about: owned(&["secrets manager"]),
        rivals: owned(&["parameter store"]),
        contradicts: owned(&["rotation .. parameter store"]),
        ..point("rotation")
    };
    check(&rotation, "rotation is in Parameter Store", Contradicted, &["rotation is in Parameter Store"]);
}

#[test]
fn a_bare_list_of_terms_is_worth_nothing() {
    let backend = point("backend, bucket");
    let list = "remote backend s3 bucket versioning encryption kms iam least privilege split state";
    check(&backend, list, Missing, &[]);
    check(&backend, "remote backend s3 bucket", Covered, &["backend"]);
}

#[test]
fn shorthand_and_spellings_are_read_as_what_they_stand_for() {
    check(&point("kubernetes"), "runs on k8s", Covered, &["k8s"]);
    check(&point("security group; availability zone"), "an SG in each AZ", Covered, &["SG", "AZ"]);
    check(&point("per az"), "1 NAT/AZ", Covered, &["AZ"]);
    check(&point("utilization"), "low utilisation", Covered, &["utilisation"]);
    check(&point("lose"), "data is lost", Covered, &["lost"]);
    check(&point("cheap"), "it is cheaper", Covered, &["cheaper"]);
    check(&point("wildcard"), "no * in it", Missing, &[]);
    check(&point("no wildcard"), "no * in it", Covered, &["no *"]);
    check(&point("percent"), "5% of it", Covered, &["%"]);
    // The initials of the rubric's own names, in capitals only.
    check(&point("secrets manager"), "SM rotates it", Covered, &["SM"]);
    check(&point("secrets manager"), "sm rotates it", Missing, &[]);
    // What everybody reads in one way stands for nothing else.
    check(&point("customer data"), "deployed by CI/CD", Missing, &[]);
    check(&point("service level objectives"), "our SLO is met", Covered, &["SLO"]);
    check(&point("unhealthy"), "it is not healthy", Covered, &["healthy"]);
    check(&point("point of failure"), "a single failure point of failures", Covered, &["point of failures"]);
}

#[test]
fn a_slip_of_the_pen_is_repaired_and_a_known_word_is_not() {
    check(&point("encrypted"), "it is encripted", Covered, &["encripted"]);
    check(&point("deployment"), "in the deploymnet", Covered, &["deploymnet"]);
    check(&point("environment"), "for each enviroments", Covered, &["enviroments"]);
    for other in ["rote", "xncrypted", "encrtpdde"] {
        check(&point("encrypted, rota"), other, Missing, &[]);
    }
    // An everyday word is no slip.
    check(&point("stale"), "a whole state", Missing, &[]);
}

#[test]
fn a_point_that_is_a_denial_counts_under_its_denial_only() {
    let keyless = point("no, without, never; key, secret");
    check(&keyless, "Nothing is kept. There is a key.", Missing, &[]);
    check(&keyless, "It never stores a key", Covered, &["never", "key"]);
    let roles = point("role; instead, not, temporary, access key");
    check(&roles, "use roles and not users", Covered, &["roles", "not"]);
}

#[test]
fn what_is_refuted_as_a_whole_does_not_count() {
    let encrypted = point("encrypt");
    for refuted in [
        "It is not true that the bucket, as we have it, is encrypted.",
        "I don't think that we, or they, encrypt it.",
        "We encrypt it. None of this is true.",
    ] {
        check(&encrypted, refuted, Missing, &[]);
    }
    check(&encrypted, "It is true that we encrypt it. That is not all.", Covered, &["encrypt"]);
}

#[test]
fn the_longest_name_says_what_is_meant() {
    let own = KeyPoint { about: owned(&["self-managed"]), rivals: owned(&["managed node"]), ..point("full control") };
    check(&own, "Self-managed nodes give full control.", Covered, &["full control"]);
    check(&own, "Managed nodes give full control.", Missing, &[]);
}

#[test]
fn folders_and_owners_are_not_what_is_meant() {
    check(&point("log"), "read /var/log/messages", Missing, &[]);
    check(&point("log"), "read the log", Covered, &["log"]);
    let nat = KeyPoint { contradicts: owned(&["nat .. in private subnet"]), ..point("nat") };
    check(&nat, "a NAT in the private subnet", Contradicted, &["NAT in the private subnet"]);
    check(&nat, "a route to the NAT in the private subnet's table", Covered, &["NAT"]);
}

#[test]
fn why_words_do_not_count_is_told() {
    let why = |answer: &str| {
        let rto = KeyPoint { about: owned(&["rto"]), rivals: owned(&["rpo"]), ..point("downtime") };
        grade(&question("Why?", vec![rto]), answer).points[0]
            .void
            .map(|void| (void.why, answer[void.span.0..void.span.1].to_owned()))
    };
    let downtime = || "downtime".to_owned();
    assert_eq!(why("it is not the downtime"), Some((Void::Denied, downtime())));
    assert_eq!(why("It is false that it is the downtime."), Some((Void::Refuted, downtime())));
    assert_eq!(why("RPO is the downtime"), Some((Void::Rival, downtime())));
    assert_eq!(
        why("downtime backup region replica cost budget team plan test restore copy drill"),
        Some((Void::Salad, downtime()))
    );
    assert_eq!(why("RTO is the downtime"), None);
}

#[test]
fn the_answer_as_a_whole_is_judged() {
    let example = example();
    let guard = |answer: &str| grade(&example, answer).guard;
    assert_eq!(guard(&example.prompt), Some(Guard::Echo));
    assert_eq!(guard(&example.model_answer), None);
    let list = "backend, bucket, lock, state, stack, table, version, owner, file, service, team, plan";
    assert_eq!(guard(list), Some(Guard::List));
    assert_eq!(guard(&"a word about it ".repeat(226)), Some(Guard::TooLong { words: 904 }));
    let other = Question { id: crate::domain::ids::QuestionId::new("other"), ..example.clone() };
    let other = Question { key_points: vec![point("quorum")], model_answer: "no".to_owned(), ..other };
    let rubric = Rubric::of(&other, &Lexicon::of([&other, &example]));
    assert_eq!(rubric.grade(&example.model_answer).guard, Some(Guard::Pasted));
    let dozen = "The of is lock a with the. An and to state the for are. The in of a by is stack the. Of the from an.";
    assert_eq!(guard(dozen), Some(Guard::Shuffled));
}

#[test]
fn an_alternative_of_groups_needs_them_all() {
    let groups = |text: &[&[&str]]| Alternative::Groups(text.iter().map(|group| owned(group)).collect());
    let point = KeyPoint { alt: vec![groups(&[&["egress"], &["proxy", "relay"]])], ..point("nat; gateway") };
    check(&point, "an egress proxy", Covered, &["egress", "proxy"]);
    check(&point, "an egress", Unclear, &["egress"]);
}

fn score_of(weights: &[(u8, bool)], answer: &str) -> u8 {
    let points = weights.iter().enumerate().map(|(i, (weight, required))| KeyPoint {
        weight: *weight,
        required: *required,
        ..point(&format!("p{i}; q{i}"))
    });
    grade(&question("Why?", points.collect()), answer).score
}

#[test]
fn the_score_is_the_covered_share_of_the_weights() {
    let points = [(3, false), (2, false), (1, false)];
    assert_eq!(score_of(&points, "p0 q0. p1 q1. p2 q2."), 100);
    assert_eq!(score_of(&points, "p0 q0."), 50);
    assert_eq!(score_of(&points, "p1 q1."), 33);
    assert_eq!(score_of(&points, "p1 q1. p2 q2. p0"), 75);
    assert_eq!(score_of(&points, "p2"), 8);
    assert_eq!(score_of(&points, ""), 0);
    assert_eq!(score_of(&[], "p0"), 0);
    assert_eq!(score_of(&[(0, false)], "p0 q0"), 0);
}

#[test]
fn without_a_required_point_59_is_the_most() {
    let points = [(1, true), (3, false)];
    assert_eq!(score_of(&points, "p1 q1."), 59);
    assert_eq!(score_of(&points, "p0. p1 q1."), 88);
    assert_eq!(score_of(&points, "p0 q0. p1 q1."), 100);
    assert_eq!(score_of(&[(1, true), (1, false)], "p1 q1."), 50);
}

#[test]
fn a_draft_is_graded_by_words_in_common() {
    let draft = |answer: &str| {
        let mut question = example();
        question.key_points.iter_mut().for_each(|point| point.all_of.clear());
        let grade = grade(&question, answer);
        assert!(grade.rough);
        assert!(grade.points.iter().all(|point| point.missing.is_none()));
        grade.score
    };
    let example = example();
    assert_eq!(draft(&example.model_answer), 100);
    assert_eq!(draft(&example.prompt), 0);
    assert_eq!(draft("I would ask a colleague."), 0);
    // One of three points, of weight 3 of 6.
    assert_eq!(draft("AWS keeps the state and runs one operation on a stack at a time."), 50);
    // Three words of five are enough, and half of those for half the point.
    assert_eq!(draft("AWS keeps the state of a stack and runs it."), 50);
    assert_eq!(draft("AWS keeps the state of it."), 25);
    assert_eq!(draft("AWS keeps the peace."), 0);
    assert!(!grade(&example, "no").rough);
}

#[test]
fn the_example_is_graded_as_its_author_expects() {
    let example = example();
    assert_eq!(grade(&example, &example.model_answer).score, 100);
    assert_eq!(grade(&example, &example.prompt).score, 0);
    for sample in &example.samples {
        let grade = grade(&example, &sample.text);
        let covered: Vec<f64> = grade.points.iter().map(|p| f64::from(rank(p.state)) / 2.0).collect();
        assert_eq!(covered, sample.covered, "{}: {grade:?}", sample.text);
    }
}

#[test]
fn a_grade_survives_storage() {
    let example = example();
    let grade = grade(&example, &example.samples[2].text);
    let json = serde_json::to_string(&grade).expect("a grade is plain data");
    assert!(json.contains("\"contradicted\""), "{json}");
    assert_eq!(serde_json::from_str::<Grade>(&json).expect("it was just written"), grade);
}

/// Words of the example's terms, glue, and what people paste: other scripts, right-to-left, emoji, invisible characters.
fn pieces() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "S3",
        "backend",
        "use_lockfile",
        "dynamodb",
        "recommended",
        "must",
        "old",
        "one",
        "operation",
        "at a time",
        "not",
        "don't",
        "can’t",
        "no",
        "without",
        "if",
        "but",
        "and",
        "service",
        "lock file",
        "ünïcode",
        "שלום",
        "مرحبا",
        "🔒",
        "👩\u{200d}💻",
        "\u{200b}",
        "\u{202e}",
        "\u{0}",
        "\n",
        "\n\n- ",
        ". ",
        ", ",
        "; ",
        "'",
        "’t",
        "n't",
        "e\u{301}",
        "中文",
        "->",
        "1.",
        "İ",
    ]);
    let piece =
        prop_oneof![4 => words.prop_map(str::to_owned), 1 => "\\PC{0,3}", 1 => any::<char>().prop_map(String::from)];
    let separator = prop::sample::select(vec![" ", "", "-"]);
    prop::collection::vec((piece, separator), 0..80)
        .prop_map(|pieces| pieces.into_iter().map(|(piece, separator)| piece + separator).collect())
}

fn check_any(question: &Question, answer: &str) -> Result<(), TestCaseError> {
    let grade = grade(question, answer);
    prop_assert!(grade.score <= 100);
    prop_assert_eq!(grade.points.len(), question.key_points.len());
    for point in &grade.points {
        prop_assert_eq!(point.state == Missing, point.spans.is_empty());
        for (start, end) in &point.spans {
            prop_assert!(start < end);
            prop_assert!(answer.get(*start..*end).is_some(), "{start}..{end} of {answer:?}");
        }
        prop_assert!(point.spans.windows(2).all(|pair| pair[0].1 <= pair[1].0));
    }
    prop_assert_eq!(&super::grade(question, answer), &grade);
    Ok(())
}

proptest! {
    #[test]
    fn any_answer_gets_a_grade(answer in pieces()) {
        check_any(&example(), &answer)?;
        let mut draft = example();
        draft.key_points.iter_mut().for_each(|point| point.all_of.clear());
        check_any(&draft, &answer)?;
    }

    #[test]
    fn any_question_can_be_graded(terms in prop::collection::vec(pieces(), 1..6), prompt in pieces(), answer in pieces()) {
        let mut question = example();
        question.prompt = prompt;
        let point = &mut question.key_points[0];
        point.need = Some(terms.len() * 3);
        point.about = terms[..terms.len() / 2].to_vec();
        point.rivals = terms.clone();
        point.alt = terms.iter().cloned().map(Alternative::Term).chain([Alternative::Groups(vec![terms.clone()])]).collect();
        point.contradicts = terms.iter().map(|term| format!("{term} .. {term}")).collect();
        point.all_of = vec![terms, Vec::new()];
        check_any(&question, &answer)?;
    }
}
