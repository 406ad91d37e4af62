//! What the commands of the table are called on Slack.

use crate::domain::command::TABLE;

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

#[cfg(test)]
mod tests {
    use super::*;

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
