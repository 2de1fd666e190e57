//! Manual pages in the macros of man(7). Decides how text is escaped and nothing about what it says.

use super::entry::{MADE, Program, forms};
use crate::getopt::OptionSpec;

/// A page that is being written.
pub(super) struct Page(String);

impl Page {
    /// Begins the page of this name and section with one line about what it describes.
    pub(super) fn new(name: &str, section: u8, about: &str) -> Self {
        let mut page = Self(format!(
            ".\\\" {MADE}\n.TH {} {section} \"\" \"supervisor {}\" \"\"\n",
            name.to_uppercase(),
            env!("CARGO_PKG_VERSION")
        ));
        page.heading("NAME");
        page.0 += &format!("{} \\- {}\n", escaped(name), escaped(about));
        page
    }

    /// Begins a section.
    pub(super) fn heading(&mut self, title: &str) {
        self.0 += &format!(".SH {title}\n");
    }

    /// Begins a part of a section.
    pub(super) fn subheading(&mut self, title: &str) {
        self.0 += &format!(".SS {}\n", escaped(title));
    }

    /// Adds paragraphs, which empty lines divide. Words between backquotes are bold.
    pub(super) fn text(&mut self, text: &str) {
        for (at, paragraph) in text.split("\n\n").enumerate() {
            // Behind a heading a paragraph begins anyway.
            if at > 0 || !self.0.lines().last().is_some_and(|line| line.starts_with(".S")) {
                self.0 += ".PP\n";
            }
            self.0 += &lines(paragraph);
        }
    }

    /// Adds lines that stay as they are.
    pub(super) fn example(&mut self, text: &str) {
        self.0 += ".PP\n.RS 4\n.nf\n";
        for line in text.lines() {
            self.0 += &format!("{}\n", guarded(&escaped(line)));
        }
        self.0 += ".fi\n.RE\n";
    }

    /// Adds an entry of a list: a bold term and what it means.
    pub(super) fn item(&mut self, term: &str, text: &str) {
        self.0 += &format!(".TP\n\\fB{}\\fR\n", escaped(term));
        self.0 += &lines(text);
    }

    /// Adds the options of a program.
    pub(super) fn options(&mut self, program: &Program) {
        self.heading("OPTIONS");
        for option in program.options {
            self.option(option);
        }
    }

    /// Adds one option.
    pub(super) fn option(&mut self, option: &OptionSpec) {
        let forms: Vec<String> = forms(option).iter().map(|form| format!("\\fB{}\\fR", escaped(form))).collect();
        let argument = option.argument.map(|name| format!(" \\fI{}\\fR", escaped(name))).unwrap_or_default();
        self.0 += &format!(".TP\n{}{argument}\n{}", forms.join(", "), lines(&sentence(option.help)));
    }

    /// The page.
    pub(super) fn end(self) -> String {
        self.0
    }
}

/// A help text as a sentence.
pub(super) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", characters.as_str())
}

/// Text that flows, a sentence or line of the source in each line.
fn lines(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", guarded(&with_bold_words(&escaped(line.trim()))))).collect()
}

/// What roff would take for something else.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq").replace('^', "\\(ha").replace('~', "\\(ti")
}

/// A line that begins like a request, but is none.
fn guarded(line: &str) -> String {
    if line.starts_with('.') { format!("\\&{line}") } else { line.to_owned() }
}

/// Words between backquotes in bold.
fn with_bold_words(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { format!("\\fB{part}\\fR") } else { part.to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_a_request() {
        let mut page = Page::new("x", 1, "it's -x");
        page.text(".first `bold` line\n\nC:\\x");
        let text = page.end();
        assert!(text.contains("x \\- it\\(aqs \\-x\n"), "{text}");
        assert!(text.ends_with(".PP\n\\&.first \\fBbold\\fR line\n.PP\nC:\\ex\n"), "{text}");
        assert_eq!((sentence("show this"), sentence("Done.")), ("Show this.".to_owned(), "Done.".to_owned()));
    }
}
