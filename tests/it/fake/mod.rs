//! Chat services of our own making: real servers on this machine that behave like the ones the bot is for.

pub mod discord;
pub mod slack;
