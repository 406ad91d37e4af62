//! The bot on Slack: the real adapter against a server that behaves like Slack.

mod render;
