//! The lines of a file, each of which is used for something; what nobody used is skipped, and says so.

use super::{Counted, Draft, Format, GuideSection, Reading, Skipped, Warning, markdown};

/// How much of a skipped line is told.
const SKIPPED_CHARS: usize = 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    Free,
    Question,
    FrontMatter,
    Comment,
    Structure,
    Guide,
    Skipped(&'static str),
}

/// A file on its way to a [`Reading`].
pub struct Sheet<'a> {
    pub lines: Vec<&'a str>,
    pub uses: Vec<Use>,
    /// Which lines belong to a block of code.
    pub code: Vec<bool>,
    pub title: Option<String>,
    pub date: Option<String>,
    pub questions: Vec<Draft>,
    pub guide_sections: Vec<GuideSection>,
    pub warnings: Vec<Warning>,
}

impl<'a> Sheet<'a> {
    pub fn new(text: &'a str) -> Sheet<'a> {
        let lines: Vec<&str> = text.lines().collect();
        Sheet {
            uses: vec![Use::Free; lines.len()],
            code: vec![false; lines.len()],
            lines,
            title: None,
            date: None,
            questions: Vec::new(),
            guide_sections: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// With blocks of code, front matter and comments told apart.
    pub fn markdown(text: &'a str) -> Sheet<'a> {
        let mut sheet = Sheet::new(text);
        let (code, unclosed) = markdown::fences(&sheet.lines);
        sheet.code = code;
        for at in unclosed {
            sheet.warn(at, "unclosed-fence", sheet.lines[at].trim());
        }
        let begin = sheet.front_matter();
        sheet.comments(begin);
        sheet
    }

    fn front_matter(&mut self) -> usize {
        if self.lines.first().is_none_or(|line| line.trim_end() != "---") {
            return 0;
        }
        let is_end = |line: &&str| matches!(line.trim_end(), "---" | "...");
        let Some(end) = self.lines.iter().skip(1).position(is_end) else { return 0 };
        let fields = &self.lines[1..=end];
        // A rule, then text, then a rule is no front matter.
        let is_field = |line: &&str| {
            line.trim().is_empty()
                || line.starts_with([' ', '\t', '#', '-'])
                || line.split_once(':').is_some_and(|(key, _)| !key.contains(' '))
        };
        if !fields.iter().all(is_field) {
            return 0;
        }
        for line in fields {
            let Some((key, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            let bare = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
            let value = Some(bare.unwrap_or(value).to_owned()).filter(|value| !value.is_empty());
            match key {
                "title" => self.title = value,
                "date" => self.date = value,
                _ => {}
            }
        }
        self.claim(0..end + 2, Use::FrontMatter);
        end + 2
    }

    /// Comments that have their lines for themselves.
    fn comments(&mut self, begin: usize) {
        let mut at = begin;
        while at < self.lines.len() {
            let line = self.lines[at];
            if self.code[at] || !line.trim_start().starts_with("<!--") || line.len() - line.trim_start().len() > 3 {
                at += 1;
                continue;
            }
            let Some(end) = (at..self.lines.len()).find(|end| self.lines[*end].contains("-->")) else { return };
            let alone = self.lines[end].trim_end().ends_with("-->");
            if alone {
                self.claim(at..end + 1, Use::Comment);
            }
            at = end + 1;
        }
    }

    pub fn is_blank(&self, at: usize) -> bool {
        self.lines[at].trim().is_empty()
    }

    pub fn is_free(&self, at: usize) -> bool {
        self.uses[at] == Use::Free
    }

    /// The next line from `at` on, and before `end`, that is not blank and that nobody uses.
    pub fn next_text(&self, at: usize, end: usize) -> Option<usize> {
        (at..end.min(self.lines.len())).find(|at| !self.is_blank(*at) && self.is_free(*at))
    }

    /// The first use of a line counts.
    pub fn claim(&mut self, lines: std::ops::Range<usize>, what: Use) {
        for at in lines {
            if let Some(used) = self.uses.get_mut(at)
                && *used == Use::Free
            {
                *used = what;
            }
        }
    }

    /// The lines of a range that are free, as one uses them for a question.
    pub fn take(&mut self, lines: std::ops::Range<usize>) -> Vec<&'a str> {
        let end = lines.end.min(self.lines.len());
        let taken = (lines.start..end).filter(|at| self.is_free(*at)).map(|at| self.lines[at]).collect();
        self.claim(lines, Use::Question);
        taken
    }

    pub fn warn(&mut self, at: usize, code: &'static str, detail: impl Into<String>) {
        self.warnings.push(Warning::new(at + 1, code, detail));
    }

    /// Adds a question; its number is the running one when the source printed none.
    pub fn ask(&mut self, printed: Option<usize>, mut draft: Draft) {
        draft.n = printed.unwrap_or(self.questions.len() + 1);
        if draft.track.is_none() {
            draft.track = draft.section.as_deref().and_then(super::draft::track_in).map(str::to_owned);
        }
        if let Some(n) = printed
            && self.questions.iter().rev().take(500).any(|other| other.n == n && other.section == draft.section)
        {
            self.warnings.push(Warning::new(draft.line, "duplicate-number", n.to_string()));
        }
        if !draft.options.is_empty() {
            let right = draft.options.iter().filter(|option| option.correct).count();
            match right {
                0 => self.warnings.push(Warning::new(draft.line, "no-right-option", draft.prompt.clone())),
                1 => {}
                _ => self.warnings.push(Warning::new(draft.line, "several-right-options", right.to_string())),
            }
        }
        self.questions.push(draft);
    }

    pub fn finish(mut self, format: Format, reason: &'static str) -> Reading {
        let mut counted = Counted::default();
        let mut skipped = Vec::new();
        for (at, line) in self.lines.iter().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let reason = match self.uses[at] {
                Use::Question => continue,
                Use::FrontMatter => {
                    counted.front_matter += 1;
                    continue;
                }
                Use::Comment => {
                    counted.comments += 1;
                    continue;
                }
                Use::Structure => {
                    counted.structure += 1;
                    continue;
                }
                Use::Guide => {
                    counted.guide += 1;
                    continue;
                }
                Use::Skipped(reason) => reason,
                Use::Free => reason,
            };
            skipped.push(Skipped { line: at + 1, reason, text: line.trim().chars().take(SKIPPED_CHARS).collect() });
        }
        self.title = self.title.filter(|title| !title.is_empty());
        Reading {
            format,
            title: self.title,
            date: self.date,
            questions: self.questions,
            guide_sections: self.guide_sections,
            skipped,
            warnings: self.warnings,
            counted,
        }
    }
}

/// Which headings lead to a question, so that they are sections; the others ask nothing.
pub fn claim_headings(sheet: &mut Sheet<'_>, headings: &[(usize, usize)], questions: &[usize]) {
    for (index, (at, level)) in headings.iter().enumerate() {
        let end =
            headings[index + 1..].iter().find(|(_, other)| other <= level).map_or(sheet.lines.len(), |(end, _)| *end);
        let asked = questions.partition_point(|question| question < at);
        if questions.get(asked).is_some_and(|question| *question < end) {
            sheet.claim(*at..*at + 1, Use::Structure);
        }
    }
}
