//! Values and pure functions of the drill. Nothing here reads a clock, draws a random number or talks to anything.

pub mod command;
pub mod effect;
pub mod ids;
pub mod markup;
pub mod message;
pub mod question;
pub mod score;
