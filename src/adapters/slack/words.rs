//! What people typed, out of the text that Slack makes of it.
//! Source: <https://docs.slack.dev/messaging/formatting-message-text>.

/// The text of a message as its author sees it: `&lt;` is a sign again, a link its address, a mention a name.
pub(super) fn as_typed(text: &str) -> String {
    undone(text, reference)
}

/// [`as_typed`], but a user group is its id: what a command needs to call it.
pub(super) fn as_command(text: &str) -> String {
    undone(text, |inside| match inside.strip_prefix("!subteam^") {
        Some(group) => group.split('|').next().unwrap_or(group).to_owned(),
        None => reference(inside),
    })
}

fn undone(text: &str, reference: fn(&str) -> String) -> String {
    let mut typed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let (before, from) = rest.split_at(open);
        typed.push_str(&unescaped(before));
        let Some(close) = from.find('>') else {
            typed.push_str(&unescaped(from));
            return typed;
        };
        typed.push_str(&reference(&from[1..close]));
        rest = &from[close + 1..];
    }
    typed.push_str(&unescaped(rest));
    typed
}

/// What stands between angle brackets.
fn reference(inside: &str) -> String {
    let (what, label) = inside.split_once('|').map_or((inside, None), |(what, label)| (what, Some(label)));
    let label = label.filter(|label| !label.is_empty()).map(unescaped);
    if let Some(user) = what.strip_prefix('@') {
        return format!("@{}", label.as_deref().unwrap_or(user).trim_start_matches('@'));
    }
    if let Some(channel) = what.strip_prefix('#') {
        return format!("#{}", label.as_deref().unwrap_or(channel).trim_start_matches('#'));
    }
    if let Some(special) = what.strip_prefix('!') {
        let name = special.split('^').next().unwrap_or(special);
        return label.unwrap_or_else(|| format!("@{name}"));
    }
    // A link that Slack found in the text has the text as its label, a bare address none.
    label.unwrap_or_else(|| unescaped(what))
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_slack_made_of_a_text_is_undone() {
        let check = |text: &str, typed: &str| assert_eq!(as_typed(text), typed, "{text}");
        check("plain *words* and `code`", "plain *words* and `code`");
        check("a &lt; b &amp;&amp; b &gt; c", "a < b && b > c");
        check("&amp;lt; stays", "&lt; stays");
        check("see <https://example.org/a?b=1&amp;c=2>", "see https://example.org/a?b=1&c=2");
        check("see <http://example.org|example.org>", "see example.org");
        check("<mailto:a@example.org|a@example.org>", "a@example.org");
        check("<@U1> and <@U2|bob>", "@U1 and @bob");
        check("<#C1|general> <#C2>", "#general #C2");
        check("<!here> <!subteam^S1|@drillers> <!date^1^{date}|1970>", "@here @drillers 1970");
        check("an open < bracket", "an open < bracket");
        check("", "");
    }

    #[test]
    fn a_user_group_in_a_command_is_its_id() {
        let check = |text: &str, typed: &str| assert_eq!(as_command(text), typed, "{text}");
        check("set ping:<!subteam^S1|@drillers> 09:00", "set ping:S1 09:00");
        check("set ping:<!subteam^S1>", "set ping:S1");
        check("<@U2|bob> &amp; <!here>", "@bob & @here");
    }
}
