//! What `drillbot doctor` looks at and finds, the same for every chat service.

use crate::domain::ids::ChannelId;

/// One line of the examination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Fine(String),
    /// Something that costs a feature.
    Worth {
        what: String,
        to_do: String,
    },
    Wrong {
        what: String,
        to_do: String,
    },
}

/// A channel that has a schedule.
#[derive(Clone, Debug)]
pub struct Scheduled {
    pub channel: ChannelId,
    pub name: String,
}

pub fn worth(what: impl Into<String>, to_do: impl Into<String>) -> Finding {
    Finding::Worth { what: what.into(), to_do: to_do.into() }
}

pub fn wrong(what: impl Into<String>, to_do: impl Into<String>) -> Finding {
    Finding::Wrong { what: what.into(), to_do: to_do.into() }
}

/// How far the clock here may be from the service's before our times are visibly wrong, seconds.
const SKEW: i64 = 5;

/// What to say of the clock here. `ahead_s` is how far it is before the service's.
pub fn clock(service: &str, ahead_s: i64) -> Finding {
    if ahead_s.abs() <= SKEW {
        return Finding::Fine(format!("the clock agrees with {service}'s ({ahead_s:+} s)"));
    }
    wrong(
        format!("this machine's clock is {} s {}", ahead_s.abs(), if ahead_s > 0 { "ahead" } else { "behind" }),
        "Switch on time synchronisation (timedatectl set-ntp true), or questions come at the wrong time",
    )
}
