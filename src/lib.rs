//! drillbot: a daily interview drill for study groups, on Discord, Slack and its own web chat.
//! The layers, each knowing only those before it: [`domain`], [`store`], [`app`], [`adapters`], [`run`].

pub mod adapters;
pub mod app;
pub mod cli;
pub mod config;
pub mod content;
pub mod domain;
pub mod export;
pub mod gold;
pub mod import;
pub mod run;
pub mod store;
