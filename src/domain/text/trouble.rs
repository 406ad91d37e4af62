//! What keeps the bot from its work on a chat service, in the words of the people who can mend it.

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

pub fn channel_deleted() -> String {
    "the channel was deleted. In another channel, /daily set starts a new schedule".to_owned()
}

pub fn removed_from_server() -> String {
    "I was removed from the server. Invite me again, and I go on with the next question".to_owned()
}

pub fn message_deleted() -> String {
    "the message was deleted".to_owned()
}

/// The question is out, its thread is not.
pub fn no_thread(why: &str) -> String {
    format!("The question is out, but its thread could not be opened: {why}. Until then people answer with the button.")
}

/// The thread of a question cannot be written to, so what belongs there went to the channel.
pub fn thread_closed(why: &str) -> String {
    format!("The answer went to the channel, because its thread could not be used: {why}.")
}

pub fn thread_locked() -> String {
    "it is locked. I open locked threads myself when I have \"Manage Threads\"".to_owned()
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
    format!("The role {role} could not be called: allow everyone to mention it, or give me \"Mention All Roles\"")
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
