//! Draws a source window in the style of compilers.

use std::fmt;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::window::Window;

/// Abilities of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Whether to use ANSI colours.
    pub color: bool,
    /// Whether to draw lines and arrows in ASCII only.
    pub ascii: bool,
}

/// Draws the window as lines of text. miette scans its whole source for every report, so it gets only the window.
pub(super) fn draw(window: &Window, style: Style) -> String {
    let theme = match (style.color, style.ascii) {
        (true, false) => GraphicalTheme::unicode(),
        (true, true) => GraphicalTheme::ascii(),
        (false, false) => GraphicalTheme::unicode_nocolor(),
        (false, true) => GraphicalTheme::none(),
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_context_lines(16).without_primary_span_start().with_width(80).without_syntax_highlighting();
    let mut out = String::new();
    // Writing to a String cannot fail. If miette fails, the report still shows the place without a window.
    if handler.render_report(&mut out, &Shown(window)).is_err() {
        return String::new();
    }
    // The first line is miette's headline, which repeats the report.
    out.split_once('\n').map_or("", |(_, rest)| rest).to_owned()
}

#[derive(Debug)]
struct Shown<'a>(&'a Window);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(LabeledSpan::underline((self.0.start, self.0.length)))))
    }
}

impl SourceCode for Shown<'_> {
    fn read_span<'a>(&'a self, span: &SourceSpan, before: usize, after: usize) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let inner = self.0.text.as_str().read_span(span, before, after)?;
        let line = inner.line() + self.0.line as usize - 1;
        Ok(Box::new(MietteSpanContents::new(
            self.0.text.as_bytes().get(range(inner.span())).unwrap_or(b""),
            *inner.span(),
            line,
            inner.column(),
            inner.line_count(),
        )))
    }
}

fn range(span: &SourceSpan) -> std::ops::Range<usize> {
    span.offset()..span.offset() + span.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_the_numbers_of_the_file() {
        let text = "<SL>\n  <DATE_1>2021-02-30</DATE_1>\n</SL>".to_owned();
        let start = text.find("<DATE_1>").expect("there");
        let window = Window { line: 998, length: "<DATE_1>2021-02-30</DATE_1>".len(), start, text };
        insta::assert_snapshot!(format!("{}{}", draw(&window, Style::default()), draw(&window, Style { ascii: true, color: false })));
        assert!(draw(&window, Style { color: true, ascii: false }).contains('\u{1b}'));
    }
}
