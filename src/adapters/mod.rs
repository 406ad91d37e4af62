//! Chat services: each translates and waits, nothing else. They never import each other.

pub mod address;
pub mod discord;
pub mod doctor;
pub mod judge;
mod layout;
pub mod memory;
pub mod slack;
pub mod web;
