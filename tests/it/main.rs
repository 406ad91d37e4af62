//! Tests of the whole bot in one binary.

mod commands;
mod contract;
mod day;
mod input;
mod layers;
mod property;
mod time;
mod web_api;
mod world;
