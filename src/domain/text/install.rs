//! The pages on which a workspace gets the app.

pub const DONE: &str = "drillbot is in your workspace";
pub const INVITE: &str =
    "Invite it to a channel (/invite @drillbot) and type /daily set there: then questions come every working day.";
pub const OPEN: &str = "Open Slack";

pub const NOT_DONE: &str = "drillbot was not installed";
pub const STALE: &str =
    "This page belongs to an installation that was begun in another browser, too long ago, or is finished already.";
pub const DECLINED: &str = "Nothing was allowed, so nothing has changed.";
pub const ORGANISATION: &str =
    "It can be installed into single workspaces, not for a whole organisation. Choose a workspace on Slack's page.";
pub const OURS: &str = "Slack or our database could not be reached. Nothing is lost: try again in a minute.";
pub const AGAIN: &str = "Begin again";
