//! Chat services of our own making: real servers on this machine that behave like the ones the bot is for.

mod door;
mod shared;
mod specs;

pub mod discord;
pub mod slack;
