//! drillbot: a daily interview drill for study groups, on Discord, Slack and its own web chat.

pub mod domain;
