//! What the commands of the table are called on Slack.

use crate::domain::command::TABLE;
use crate::domain::message::{Block, Message, Reply, Span};

/// What takes the place of a name that Slack keeps for itself: it refuses a manifest that has one of those as a whole ("the slash command
/// has an invalid name"). Source: <https://slack.com/help/articles/201259356-Use-built-in-slash-commands>.
const STAND_INS: [(&str, &str); 1] = [("me", "about-me")];

/// The names that commands have in one installation.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// What stands before each name.
    pub prefix: &'a str,
}

impl Names<'_> {
    /// What people type for a command of the table, with its slash.
    pub fn shown(self, name: &str) -> String {
        let stand_in = STAND_INS.iter().find(|(own, _)| *own == name).filter(|_| self.prefix.is_empty());
        format!("/{}{}", self.prefix, stand_in.map_or(name, |(_, stand_in)| stand_in))
    }

    /// The command of the table that somebody typed; what is none stays as it is.
    pub fn meant(self, typed: &str) -> &str {
        let name = typed.strip_prefix('/').unwrap_or(typed);
        let spec = TABLE.iter().find(|spec| self.shown(spec.name)[1..] == *name);
        spec.map_or_else(|| name.strip_prefix(self.prefix).unwrap_or(name), |spec| spec.name)
    }
}

impl Names<'_> {
    /// The message with its commands as they are called here, in its summary too.
    pub fn in_message(self, message: &Message) -> Message {
        let mut message = message.clone();
        let mut named = false;
        for span in message.blocks.iter_mut().flat_map(spans_of) {
            if let Span::Command { text } = span {
                *text = self.in_line(text);
                named = true;
            }
        }
        // A summary has no spans; it says what the blocks say, so a command in it is one that they name.
        if named {
            let words = Span::sentence(&message.summary).into_iter().map(|span| match span {
                Span::Command { text } => self.in_line(&text),
                span => span.as_plain(),
            });
            message.summary = words.collect();
        }
        message
    }

    pub fn in_reply(self, reply: Reply) -> Reply {
        match reply {
            Reply::Show { message } => Reply::Show { message: self.in_message(&message) },
            Reply::Replace { message } => Reply::Replace { message: self.in_message(&message) },
            form @ Reply::Open { .. } => form,
        }
    }

    /// `/me delete` becomes `/about-me delete`.
    fn in_line(self, line: &str) -> String {
        let name = line.trim_start_matches('/').split(' ').next().unwrap_or_default();
        match line.strip_prefix('/').and_then(|line| line.strip_prefix(name)) {
            Some(rest) => self.shown(name) + rest,
            None => line.to_owned(),
        }
    }
}

fn spans_of(block: &mut Block) -> &mut [Span] {
    match block {
        Block::Line { spans } | Block::Note { spans } | Block::Field { spans, .. } | Block::Item { spans, .. } => spans,
        Block::Heading { .. } | Block::Quote { .. } | Block::Code { .. } | Block::Table { .. } | Block::Divider => {
            &mut []
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text;

    #[test]
    fn every_command_has_a_name_that_leads_back_to_it() {
        for prefix in ["", "aws-", "sixteen_letters-"] {
            assert!(prefix.len() <= super::super::PREFIX_CHARS);
            let names = Names { prefix };
            for spec in TABLE {
                let shown = names.shown(spec.name);
                assert_eq!(names.meant(&shown), spec.name, "{shown}");
                assert!(shown.len() <= 32, "{shown}");
            }
        }
    }

    #[test]
    fn messages_name_commands_as_people_type_them_here() {
        let paused = text::paused();
        assert_eq!(Names { prefix: "" }.in_message(&paused), paused);
        let shown = Names { prefix: "aws-" }.in_message(&paused);
        assert!(shown.as_text().ends_with("until /aws-daily resume."), "{}", shown.as_text());
        assert_eq!(shown.summary, shown.as_text());
        let help = Names { prefix: "" }.in_message(&text::help(text::Ways::SignedThreads)).as_text();
        assert!(help.contains("• /about-me My scores") && !help.contains("/me "), "{help}");
        let help = Names { prefix: "b-" }.in_message(&text::help_for("daily", text::Ways::SignedThreads)).as_text();
        for part in
            ["/b-daily Show", "/b-daily pause No more questions until /b-daily resume", "For example: /b-daily set"]
        {
            assert!(help.contains(part), "{part:?} in {help}");
        }
        assert!(!help.contains(" /daily"), "{help}");
    }

    #[test]
    fn what_authors_and_members_wrote_stays_as_it_is() {
        let theirs = Message {
            summary: "GET /me or /drill".into(),
            blocks: vec![
                Block::heading("What does GET /me answer?"),
                Block::Line { spans: vec![Span::plain("see "), Span::code("/help"), Span::bold("/topics")] },
                Block::Code { text: "curl /me".into() },
                Block::Quote { by: Some("Bob".into()), text: "/daily now".into(), hits: vec![] },
            ],
            ..Message::default()
        };
        assert_eq!(Names { prefix: "aws-" }.in_message(&theirs), theirs);
    }

    #[test]
    fn what_people_type_is_understood() {
        let check = |prefix, typed, meant| assert_eq!(Names { prefix }.meant(typed), meant, "{prefix:?} {typed}");
        check("", "/drill", "drill");
        check("", "/about-me", "me");
        check("", "/me", "me");
        check("", "/vote", "vote");
        check("aws-", "/aws-drill", "drill");
        check("aws-", "/aws-me", "me");
        check("aws-", "/drill", "drill");
        check("aws-", "/aws-vote", "vote");
    }
}
