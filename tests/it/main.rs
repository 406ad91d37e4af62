//! Tests of the whole bot in one binary, so that it links once: in a world in memory, on real databases, and with the real binary.

mod running;
mod support;
mod world;

mod channels;
mod cli;
mod commands;
mod confidence;
mod content;
mod contract;
mod copying;
mod crash;
mod day;
mod discord;
mod fake;
mod faults;
mod flags;
mod grading;
mod import;
mod input;
mod judge;
mod layers;
mod property;
mod reviews;
mod rulings;
mod scenes;
mod slack;
mod store;
mod suggestions;
mod time;
mod together;
mod web_api;
