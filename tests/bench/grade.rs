//! `cargo bench --bench grade`: what grading costs, beside cutting the same answer into stems, which any grader has to do.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use drillbot::config::Content;
use drillbot::content;
use drillbot::domain::bank::Bank;
use drillbot::domain::grade::Rubric;
use rust_stemmers::{Algorithm, Stemmer};

fn bank() -> Bank {
    let (bank, _) = content::load(&Content { embedded: true, paths: Vec::new() }).expect("the shipped banks");
    bank
}

/// Sentences of model answers, until there are `words`.
fn answer(bank: &Bank, words: usize) -> String {
    let all: Vec<&str> =
        bank.questions().iter().flat_map(|question| question.model_answer.split_whitespace()).collect();
    all.iter().cycle().take(words).copied().collect::<Vec<_>>().join(" ")
}

/// The bare thing: every word in lower case, stemmed.
fn stems(text: &str) -> usize {
    let stemmer = Stemmer::create(Algorithm::English);
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| stemmer.stem(&word.to_lowercase()).len()).sum()
}

fn grading(criterion: &mut Criterion) {
    let bank = bank();
    for (name, text) in [("300 words", answer(&bank, 300)), ("100 kB", answer(&bank, 15_800))] {
        let question = &bank.questions()[0];
        let rubric = Rubric::of(question, bank.lexicon());
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function("stems only", |bencher| bencher.iter(|| stems(black_box(&text))));
        group.bench_function("a grade", |bencher| bencher.iter(|| rubric.grade(black_box(&text))));
        group.bench_function("a rubric and a grade", |bencher| bencher.iter(|| bank.grade(question, black_box(&text))));
        group.finish();
    }
}

/// The slow end, over all questions of the banks, each with an answer of 300 words.
fn slow_end(_: &mut Criterion) {
    let bank = bank();
    let text = answer(&bank, 300);
    let time = |work: &mut dyn FnMut()| {
        let mut times: Vec<Duration> = (0..200)
            .map(|_| {
                let begun = Instant::now();
                work();
                begun.elapsed()
            })
            .collect();
        times.sort_unstable();
        times
    };
    let bare = time(&mut || {
        black_box(stems(black_box(&text)));
    });
    let mut all = Vec::new();
    for question in bank.questions() {
        let rubric = Rubric::of(question, bank.lexicon());
        all.extend(time(&mut || {
            black_box(rubric.grade(black_box(&text)));
        }));
    }
    all.sort_unstable();
    let p99 = |times: &[Duration]| times[times.len() * 99 / 100];
    let ratio = p99(&all).as_secs_f64() / p99(&bare).as_secs_f64();
    println!(
        "p99 of {} grades of 300 words: {:?}, {ratio:.1} times stems only ({:?})",
        all.len(),
        p99(&all),
        p99(&bare)
    );
}

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_secs(1)).sample_size(50);
    targets = grading, slow_end
}
criterion_main!(benches);
