//! Tests of the whole bot in one binary.

mod day;
mod world;
