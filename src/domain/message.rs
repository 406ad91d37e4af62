//! What people are shown: structured, so that each platform can lay it out in its own way and escape what members wrote.

use serde::{Deserialize, Serialize};

use super::command;
pub use super::form::{Choosable, Form, Input, InputKind};

/// A piece of a line. `Plain` is never markup on any platform, whatever it contains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Span {
    Plain {
        text: String,
    },
    Bold {
        text: String,
    },
    Code {
        text: String,
    },
    /// A command that people may type, `/drill iam`; platforms may have another name for it.
    Command {
        text: String,
    },
    Link {
        text: String,
        url: String,
    },
    /// Those whom a schedule calls, by the platform's id; shown by name, and calling nobody.
    Role {
        id: String,
    },
    /// An instant, unix milliseconds; shown in the reader's own time.
    Time {
        at: i64,
        style: TimeStyle,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeStyle {
    /// "Mon 23 Nov, 17:00"
    Full,
    /// "in 8 hours"
    Relative,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Block {
    Heading {
        text: String,
    },
    Line {
        spans: Vec<Span>,
    },
    /// Small print.
    Note {
        spans: Vec<Span>,
    },
    /// A labelled value; neighbours are laid out side by side where there is room.
    Field {
        label: String,
        spans: Vec<Span>,
    },
    /// One item of a list. `mark` says in one sign or word what it is: "✓", "–", "✗", "1.", "•".
    Item {
        mark: String,
        spans: Vec<Span>,
    },
    /// What a member wrote, verbatim and never markup. `hits` are byte ranges of `text` that counted.
    Quote {
        by: Option<String>,
        text: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        hits: Vec<(usize, usize)>,
    },
    Code {
        text: String,
    },
    /// Rows of equal length under a head; what is shown as a table or in a monospaced block.
    Table {
        head: Vec<String>,
        rows: Vec<Vec<String>>,
    },
    Divider,
}

/// How prominent a button is; never its only meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    Primary,
    Secondary,
    Danger,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Button {
    /// An encoded `command::Action`; at most 100 characters.
    pub action: String,
    /// At most 75 characters.
    pub label: String,
    pub style: Style,
}

/// The colour or icon a platform may use beside the words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    #[default]
    Plain,
    /// An open question.
    Question,
    /// A closed question.
    Closed,
    Good,
    Warning,
    Error,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub tone: Tone,
    /// The whole in one plain sentence, for notifications and screen readers.
    pub summary: String,
    pub blocks: Vec<Block>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Button>,
}

/// What one person sees at once after a command, a press or a form; nobody else sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reply {
    /// A new private message.
    Show {
        message: Message,
    },
    /// The private message whose button was pressed becomes this one.
    Replace {
        message: Message,
    },
    Open {
        form: Form,
    },
}

impl Reply {
    pub fn show(message: Message) -> Self {
        Reply::Show { message }
    }
}

impl Span {
    pub fn plain(text: impl Into<String>) -> Span {
        Span::Plain { text: text.into() }
    }

    pub fn bold(text: impl Into<String>) -> Span {
        Span::Bold { text: text.into() }
    }

    pub fn code(text: impl Into<String>) -> Span {
        Span::Code { text: text.into() }
    }

    pub fn command(text: impl Into<String>) -> Span {
        Span::Command { text: text.into() }
    }

    /// A sentence of ours: where it names a command ("until /daily resume."), that is one. Not for what members or authors wrote.
    pub fn sentence(text: &str) -> Vec<Span> {
        let mut out = Vec::new();
        let mut rest = text;
        while let Some((at, end)) = command::mentioned(rest) {
            out.extend((at > 0).then(|| Span::plain(&rest[..at])));
            out.push(Span::command(&rest[at..end]));
            rest = &rest[end..];
        }
        out.extend((!rest.is_empty()).then(|| Span::plain(rest)));
        out
    }

    /// The words of the span without their dress; a time shows as an RFC 3339 instant.
    pub fn as_plain(&self) -> String {
        match self {
            Span::Plain { text }
            | Span::Bold { text }
            | Span::Code { text }
            | Span::Command { text }
            | Span::Link { text, .. } => text.clone(),
            Span::Role { id } => id.clone(),
            Span::Time { at, .. } => {
                jiff::Timestamp::from_millisecond(*at).map_or_else(|_| at.to_string(), |time| time.to_string())
            }
        }
    }
}

impl Block {
    pub fn heading(text: impl Into<String>) -> Block {
        Block::Heading { text: text.into() }
    }

    /// One line of plain words.
    pub fn line(text: impl Into<String>) -> Block {
        Block::Line { spans: vec![Span::plain(text)] }
    }

    pub fn note(text: impl Into<String>) -> Block {
        Block::Note { spans: vec![Span::plain(text)] }
    }

    /// [`Span::sentence`] as a line.
    pub fn sentence(text: &str) -> Block {
        Block::Line { spans: Span::sentence(text) }
    }

    pub fn field(label: impl Into<String>, text: impl Into<String>) -> Block {
        Block::Field { label: label.into(), spans: vec![Span::plain(text)] }
    }

    pub fn item(mark: impl Into<String>, spans: Vec<Span>) -> Block {
        Block::Item { mark: mark.into(), spans }
    }
}

impl Message {
    /// A message of one sentence of ours.
    pub fn say(text: impl Into<String>) -> Message {
        let text = text.into();
        Message { blocks: vec![Block::sentence(&text)], summary: text, ..Message::default() }
    }

    pub fn toned(mut self, tone: Tone) -> Message {
        self.tone = tone;
        self
    }

    /// The message as text, one block a line, buttons in brackets: for tests, logs of a terminal and plain clients.
    pub fn as_text(&self) -> String {
        let join = |spans: &[Span]| spans.iter().map(Span::as_plain).collect::<String>();
        let mut lines = Vec::new();
        for block in &self.blocks {
            lines.push(match block {
                Block::Heading { text } => format!("# {text}"),
                Block::Line { spans } => join(spans),
                Block::Note { spans } => format!("({})", join(spans)),
                Block::Field { label, spans } => format!("{label}: {}", join(spans)),
                Block::Item { mark, spans } => format!("{mark} {}", join(spans)),
                Block::Quote { by: Some(by), text, .. } => format!("{by}: {text}"),
                Block::Quote { by: None, text, .. } => format!("> {text}"),
                Block::Code { text } => format!("```\n{text}\n```"),
                Block::Table { head, rows } => {
                    std::iter::once(head).chain(rows).map(|row| row.join(" | ")).collect::<Vec<_>>().join("\n")
                }
                Block::Divider => "---".to_owned(),
            });
        }
        if !self.buttons.is_empty() {
            lines.push(self.buttons.iter().map(|b| format!("[{}]", b.label)).collect::<Vec<_>>().join(" "));
        }
        lines.join("\n")
    }
}
