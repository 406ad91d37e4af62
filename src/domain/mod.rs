//! Values and pure functions of the drill. Nothing here reads a clock, draws a random number or talks to anything.

pub mod answer;
pub mod bank;
pub mod command;
pub mod confidence;
pub mod copying;
pub mod drill;
pub mod effect;
pub mod flag;
pub mod form;
pub mod grade;
pub mod ids;
pub mod judge;
pub mod lint;
pub mod markup;
pub mod message;
pub mod pick;
pub mod question;
pub mod queue;
pub mod review;
pub mod round;
pub mod ruling;
pub mod schedule;
pub mod score;
pub mod suggestion;
pub mod text;
