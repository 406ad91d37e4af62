//! What holds for any input: it is read or refused, nothing is lost, and a second import changes nothing.

use proptest::prelude::*;

use super::tests::{SAMPLES, about, bank_of, counted, fixtures, sample};
use super::*;

/// Reads it by every format; what comes out can be written and read as a bank.
fn survives(bytes: &[u8]) -> Result<(), TestCaseError> {
    for format in Format::ALL.into_iter().map(Some).chain([None]) {
        let reading = match read("x.txt", bytes, format) {
            Ok(reading) => reading,
            Err(trouble) => {
                prop_assert!(trouble.line > 0 && !trouble.message.is_empty());
                continue;
            }
        };
        let text = decode::decode(bytes).expect("it was read").text;
        let filled = text.lines().filter(|line| !line.trim().is_empty()).count();
        prop_assert!(reading.skipped.len() + counted(&reading) <= filled);
        if reading.questions.is_empty() {
            prop_assert_eq!(reading.skipped.len() + counted(&reading), filled, "{:?}", format);
        }
        let lines = text.lines().count();
        prop_assert!(
            reading.questions.iter().all(|draft| (1..=lines).contains(&draft.line) && !draft.prompt.trim().is_empty())
        );
        let mut desk = merge::Desk::new(crate::domain::bank::Bank::default(), &[]).expect("an empty folder");
        let plan = desk.merge(&reading, &about("x.txt"), "x.toml", None);
        let plan = plan.map_err(|trouble| TestCaseError::fail(trouble.to_string()))?;
        if let Some(text) = plan.text {
            let bank = bank_of(&text);
            prop_assert_eq!(bank.questions().len(), plan.added.len());
            let mut desk =
                merge::Desk::new(crate::domain::bank::Bank::default(), &[("x.toml".to_owned(), text.clone())])
                    .expect("what we wrote");
            let again = desk.merge(&reading, &about("x.txt"), "x.toml", Some(&text));
            prop_assert_eq!(again.map(|plan| plan.text), Ok(None), "a second import changes nothing");
        }
    }
    Ok(())
}

#[test]
fn inputs_that_broke_it_once_do_so_no_more() {
    for entry in std::fs::read_dir(fixtures().join("regressions")).expect("a folder") {
        let path = entry.expect("an entry").path();
        survives(&std::fs::read(&path).expect("a file")).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

/// What texts of these formats are made of.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\n".to_owned()),
        Just("\n\n".to_owned()),
        Just("    ".to_owned()),
        Just("\t".to_owned()),
        Just("??? question \"1. What?\"".to_owned()),
        Just("Q1: Why?".to_owned()),
        Just("A: So.".to_owned()),
        Just("Answer: B, D".to_owned()),
        Just("```".to_owned()),
        Just("~~~yaml".to_owned()),
        Just("<details><summary>".to_owned()),
        Just("</summary>".to_owned()),
        Just("</details>".to_owned()),
        Just("- [x] ".to_owned()),
        Just("- [ ] no".to_owned()),
        Just("A. one".to_owned()),
        Just("b) two".to_owned()),
        Just("::t::".to_owned()),
        Just("{=a ~b #f}".to_owned()),
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("\\".to_owned()),
        Just("{#1..2}".to_owned()),
        Just("####".to_owned()),
        Just("$CATEGORY: a/b".to_owned()),
        Just("// c".to_owned()),
        Just("question,answer,option a,correct".to_owned()),
        Just("\"".to_owned()),
        Just(",".to_owned()),
        Just("#separator:tab\n".to_owned()),
        Just("{{c1::x::y}}".to_owned()),
        Just("What?:".to_owned()),
        Just("- a".to_owned()),
        Just("&a".to_owned()),
        Just("*a".to_owned()),
        Just("# Head".to_owned()),
        Just("## Interview questions".to_owned()),
        Just("FAQ".to_owned()),
        Just("Explain it.".to_owned()),
        Just("What is it?".to_owned()),
        Just("---".to_owned()),
        Just("**Why they ask it:** x".to_owned()),
        Just("Common mistake: y → z".to_owned()),
        Just("**Key points:**".to_owned()),
        Just("<!--".to_owned()),
        Just("-->".to_owned()),
        Just("[{\"question\": \"q\", \"correct_answer\": \"a\", \"incorrect_answers\": [\"b\"]}]".to_owned()),
        Just("â€™".to_owned()),
        Just("ðŸŸ¢".to_owned()),
        Just("<b>&amp;".to_owned()),
        "[a-zA-Z .?]{1,20}",
        "\\PC{0,6}",
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

fn cases(local: u32) -> ProptestConfig {
    ProptestConfig { cases: local, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        survives(&bytes)?;
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        survives(text.as_bytes())?;
    }

    #[test]
    fn any_mixture_of_formats_is_read_or_refused(text in pieces()) {
        survives(text.as_bytes())?;
    }

    #[test]
    fn any_damage_to_a_sample_is_read_or_refused(
        which in 0..SAMPLES.len(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..80_usize, pieces()), 1..4),
    ) {
        let mut bytes = sample(SAMPLES[which]);
        for (at, length, put) in cuts {
            let at = at.index(bytes.len() + 1);
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, put.bytes());
        }
        survives(&bytes)?;
    }

    #[test]
    fn mending_is_done_once(text in "(\\PC|[\u{80}-\u{ff}€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸðŸâÃ]){0,40}") {
        let (once, _) = decode::repair(&text);
        prop_assert_eq!(decode::repair(&once), (once.clone(), 0));
    }

    #[test]
    fn what_went_through_the_wrong_code_page_comes_back(text in "[a-z ]{0,8}[’“”–…🟢💡✔é]{1,4}[a-z ]{0,8}🟡") {
        let through: String = text.chars().flat_map(|c| {
            if c == '🟡' { return vec![c]; }
            let mut buffer = [0; 4];
            c.encode_utf8(&mut buffer).bytes().map(decode::from_cp1252).collect()
        }).collect();
        prop_assert_eq!(decode::repair(&through).0, text);
    }
}
