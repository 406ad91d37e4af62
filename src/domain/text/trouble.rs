//! What keeps the bot from its work on a chat service, in the words of the people who can mend it.

use crate::domain::message::{Block, Span, TimeStyle};

/// "I need Send Messages and Embed Links in #daily-drill. Give them to me there: ..."
pub fn missing_permissions(names: &[&str], place: &str) -> String {
    let names = names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>();
    let (many, them) = if names.len() == 1 { ("permission", "it") } else { ("permissions", "them") };
    format!(
        "I lack the {many} {} in {place}. Give {them} to my role in the channel's settings under Permissions",
        super::names(&names, names.len())
    )
}

pub fn no_access(place: &str) -> String {
    format!("I cannot see {place}. Give my role \"View Channel\" there, or invite me again")
}

pub fn removed_from_server() -> String {
    "I was removed from the server. Invite me again, and I go on with the next question".to_owned()
}

/// Slack.
pub fn not_in_channel(place: &str) -> String {
    format!("I am not in {place}. Invite me there: /invite, or the channel's settings under Integrations")
}

/// Slack. A private channel that the bot is not in looks as if it did not exist.
pub fn channel_not_found(place: &str) -> String {
    format!(
        "I do not find {place}: I was removed from it, or it was deleted. Invite me there again (/invite); if there is no such channel \
         any more, /daily set in another one"
    )
}

/// Slack.
pub fn archived(place: &str) -> String {
    format!("{place} is archived. Unarchive it, and I go on with the next question; or /daily pause there")
}

/// Slack. `why` names the scope.
pub fn missing_scope(why: &str) -> String {
    format!("{why}. Put my manifest in force once more and install the app again (OAuth & Permissions, Reinstall)")
}

/// Slack.
pub fn removed_from_workspace() -> String {
    "the app was removed from the workspace. Install it again, and I go on with the next question".to_owned()
}

/// Slack.
pub fn posting_restricted(place: &str) -> String {
    format!("only some people may post in {place}. Let me post there: the channel's settings, Posting permissions")
}

pub fn message_deleted() -> String {
    "the message was deleted".to_owned()
}

/// Slack.
pub fn edits_end() -> String {
    "the workspace's settings do not let me change a message that is so old (Permissions, Message Editing)".to_owned()
}

/// The question is out, its thread is not.
pub fn no_thread(why: &str) -> String {
    format!("its thread could not be opened: {why}. Until then people answer with the button")
}

/// The thread of a question cannot be written to, so what belongs there went to the channel.
pub fn thread_closed(why: &str) -> String {
    format!("it went to the channel, because its thread could not be used: {why}")
}

/// The sign under answers. They count all the same.
pub fn no_receipts(why: &str) -> String {
    format!("I cannot show under an answer that I have received it, though it counts: {why}")
}

pub fn thread_locked() -> String {
    "it is locked. I open locked threads myself when I have \"Manage Threads\"".to_owned()
}

/// Slack: only an administrator opens it.
pub fn thread_locked_here() -> String {
    "an administrator has locked it".to_owned()
}

/// Slack.
pub fn no_replies_here() -> String {
    "this channel takes no replies in threads".to_owned()
}

pub fn thread_deleted() -> String {
    "it was deleted".to_owned()
}

pub fn no_threads_here() -> String {
    "this kind of channel has no threads; use a text or forum channel".to_owned()
}

pub fn cannot_read_history(place: &str) -> String {
    format!("I cannot read what people wrote in {place}: give my role \"Read Message History\" there")
}

/// Nobody could be told in private.
pub fn nobody_to_tell() -> String {
    "nobody who looks after this channel takes private messages from me".to_owned()
}

pub fn role_not_called(role: &str) -> String {
    format!(
        "the role {role} could not be called: allow everyone to mention it, or give me \"Mention @everyone, @here, and All Roles\""
    )
}

pub fn role_deleted() -> String {
    "the role that it calls is not there any more: choose another with the setting ping of /daily set".to_owned()
}

/// Close code 4014, or `read_threads = false`.
pub fn threads_unread() -> String {
    "I may not read what people write in threads, because the \"Message Content Intent\" is off in Discord's developer portal \
     (Bot, Privileged Gateway Intents). Answers come through the Answer button, and through \"Save as my answer\" in a message's \
     menu under Apps. Switch the intent on and start me again to read threads."
        .to_owned()
}

/// An interaction from a server that the settings do not name.
pub fn not_for_this_server() -> String {
    "This bot is set up for other servers. Whoever runs it can add this one: discord.guilds in its settings.".to_owned()
}

/// Discord's "unknown interaction" cannot be told to anybody; this is for what an interaction brought that no version knows.
pub fn no_such_thing() -> String {
    "I do not know this command. Type / and choose one of mine, or use /help.".to_owned()
}

/// To the organisers: a question is out, but not with all that belongs to it.
pub fn half_posted(slot: &str, why: &str) -> String {
    let slot = slot.replace('T', " ");
    format!("The question of {slot} is posted, but not as it should be: {}.", why.trim_end_matches('.'))
}

/// To the organisers: a reveal is out, but not where it belongs.
pub fn half_revealed(slot: &str, why: &str) -> String {
    let slot = slot.replace('T', " ");
    format!("The reveal of {slot} is posted, but not as it should be: {}.", why.trim_end_matches('.'))
}

/// To the organisers: what people wrote could not be read once more before the reveal.
pub fn unread(slot: &str, why: &str) -> String {
    let slot = slot.replace('T', " ");
    format!(
        "I could not read the thread of {slot} once more before the reveal, so what I had heard until then counts: {}.",
        why.trim_end_matches('.')
    )
}

/// To the organisers, once for each trouble: nothing can be posted in the channel. `since` is local time, so that another trouble is
/// another notice; `what` is what did not get through, if anything was tried.
pub fn channel_trouble(since: &str, what: Option<(&str, &str)>, why: &str) -> String {
    let lost = what.map_or_else(String::new, |(what, slot)| {
        format!(" So {what} of {} did not get through.", slot.replace('T', " "))
    });
    format!(
        "Since {since} I cannot post in this channel: {}.{lost} I try again by myself as soon as it is mended; until then I say nothing \
         more about it, and /daily show has the state.",
        why.trim_end_matches('.')
    )
}

/// Why there is nothing to post to.
pub const CHANNEL_DELETED: &str = "the channel was deleted";

/// To the organisers: a channel is not there any more. `name` may be empty.
pub fn channel_deleted(name: &str, since: &str, closed: usize) -> String {
    let which = if name.is_empty() { String::new() } else { format!(" #{name}") };
    let open = match closed {
        0 => "",
        _ => " What was open there is closed without a reveal.",
    };
    format!(
        "The channel{which} was deleted ({since}), so its questions have stopped.{open} /daily set in another channel starts them there."
    )
}

/// What `/daily show` says first while a channel is in trouble.
pub fn in_trouble(why: &str, since: i64, lost: bool) -> Block {
    let then = if lost {
        " Nothing is posted until that is mended; /daily now tries at once."
    } else {
        " The next question tries again."
    };
    trouble_since(since, &format!(": {}.{then}", why.trim_end_matches('.')))
}

fn trouble_since(since: i64, rest: &str) -> Block {
    let mut spans =
        vec![Span::bold("Trouble"), Span::plain(" since "), Span::Time { at: since, style: TimeStyle::Full }];
    spans.extend(Span::sentence(rest));
    Block::Line { spans }
}

/// What `/daily show` says of a step that fails while questions get through.
pub fn step_fails(why: &str, since: i64) -> Block {
    trouble_since(since, &format!(": {}. Questions come all the same.", why.trim_end_matches('.')))
}

/// To the organisers: the platform refused something of a round for good. With the slot, because what is said twice is sent once.
pub fn undelivered(what: &str, slot: &str, why: &str) -> String {
    let slot = slot.replace('T', " ");
    format!("I could not deliver {what} of {slot}: {why}. I have given up on it; see the log for details.")
}
