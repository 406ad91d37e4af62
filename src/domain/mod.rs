//! Values and pure functions of the drill. Nothing here reads a clock, draws a random number or talks to anything.

pub mod ids;
pub mod message;
pub mod question;
