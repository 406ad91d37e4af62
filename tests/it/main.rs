//! Tests of the whole bot in one binary.

mod commands;
mod contract;
mod day;
mod layers;
mod world;
