//! What things of Slack are called among us. Ids of Slack are unique within a workspace only, so its id goes before them.

use crate::domain::ids::{ChannelId, MemberId, MessageId, ThreadId};

use super::PLATFORM;

/// A channel of a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot<'a> {
    pub team: &'a str,
    pub channel: &'a str,
}

impl<'a> Spot<'a> {
    /// `slack:T1/C1`
    pub fn of_channel(id: &'a ChannelId) -> Option<Spot<'a>> {
        let (team, channel) = bare(id.as_str())?.split_once('/')?;
        Some(Spot { team, channel })
    }

    pub fn id(self) -> ChannelId {
        ChannelId::new(format!("{PLATFORM}:{}/{}", self.team, self.channel))
    }
}

/// A message that a thread may hang under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target<'a> {
    pub spot: Spot<'a>,
    pub ts: &'a str,
}

impl<'a> Target<'a> {
    /// `T1/C1/1795424400.000100`
    pub fn of_thread(id: &'a ThreadId) -> Option<Target<'a>> {
        let mut parts = id.as_str().splitn(3, '/');
        Some(Target { spot: Spot { team: parts.next()?, channel: parts.next()? }, ts: parts.next()? })
    }

    pub fn thread(self) -> ThreadId {
        ThreadId::new(format!("{}/{}/{}", self.spot.team, self.spot.channel, self.ts))
    }

    /// What a member wrote: `C1/1795424400.000100`.
    pub fn part(self) -> String {
        format!("{}/{}", self.spot.channel, self.ts)
    }
}

/// A message of ours, with the key it is found again by: an edit has to keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ours<'a> {
    pub target: Target<'a>,
    pub key: &'a str,
}

impl<'a> Ours<'a> {
    /// `T1/C1/1795424400.000100/question:k3v9`
    pub fn of_message(id: &'a MessageId) -> Option<Ours<'a>> {
        let mut parts = id.as_str().splitn(4, '/');
        let spot = Spot { team: parts.next()?, channel: parts.next()? };
        Some(Ours { target: Target { spot, ts: parts.next()? }, key: parts.next()? })
    }

    pub fn id(self) -> MessageId {
        let Target { spot, ts } = self.target;
        MessageId::new(format!("{}/{}/{ts}/{}", spot.team, spot.channel, self.key))
    }
}

/// `slack:T1/U1`
pub(super) fn member_id(team: &str, user: &str) -> MemberId {
    MemberId::new(format!("{PLATFORM}:{team}/{user}"))
}

/// The workspace and the user of a member.
pub(super) fn member(id: &MemberId) -> Option<(&str, &str)> {
    bare(id.as_str())?.split_once('/')
}

/// `slack:T1`
pub(super) fn space_id(team: &str) -> String {
    format!("{PLATFORM}:{team}")
}

pub(super) fn bare(id: &str) -> Option<&str> {
    id.strip_prefix(PLATFORM)?.strip_prefix(':')
}

/// Slack's time of a message, `1795424400.000100`, in microseconds; 0 when it is none.
pub(super) fn micros(ts: &str) -> i64 {
    let (seconds, rest) = ts.split_once('.').unwrap_or((ts, "0"));
    let seconds: i64 = seconds.parse().unwrap_or(0);
    let digits: String = rest.chars().chain("000000".chars()).take(6).collect();
    seconds.saturating_mul(1_000_000).saturating_add(digits.parse().unwrap_or(0))
}

/// A time of Slack's, of unix milliseconds. There is none before 1970.
pub(super) fn ts(ms: i64) -> String {
    let ms = ms.max(0);
    format!("{}.{:03}000", ms / 1_000, ms % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_go_there_and_back() {
        let spot = Spot { team: "T1", channel: "C1" };
        assert_eq!(Spot::of_channel(&spot.id()), Some(spot));
        let target = Target { spot, ts: "1795424400.000100" };
        assert_eq!(Target::of_thread(&target.thread()), Some(target));
        let ours = Ours { target, key: "reveal:r/1" };
        assert_eq!(Ours::of_message(&ours.id()), Some(ours));
        assert_eq!(member(&member_id("T1", "U1")), Some(("T1", "U1")));
        assert_eq!(Spot::of_channel(&ChannelId::new("discord:1/2")), None);
    }

    #[test]
    fn times_are_read_to_the_microsecond() {
        let check = |ts: &str, micros_of_it: i64| assert_eq!(micros(ts), micros_of_it, "{ts}");
        check("1795424400.000100", 1_795_424_400_000_100);
        check("1795424400.5", 1_795_424_400_500_000);
        check("1795424400", 1_795_424_400_000_000);
        check("now", 0);
        assert_eq!(ts(1_795_424_400_123), "1795424400.123000");
        assert_eq!(ts(-300_000), "0.000000");
    }
}
