//! Slack: the drill in its channels, threads, modals and App Home. Types of slack-morphism stop here.

mod api;
pub mod render;

pub const PLATFORM: &str = "slack";
