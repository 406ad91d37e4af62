//! Tests of the whole bot in one binary.

mod commands;
mod content;
mod contract;
mod day;
mod layers;
mod world;
