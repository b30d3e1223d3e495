//! Writes the explanation of a rule for people.

use super::facts::{After, Both, Explained, Federal, Lookup};
use crate::texts::layout::hang;
use crate::texts::{Key, Lang, Texts};

/// Width of the first column, in characters.
const LABEL: usize = 16;

/// The explanation of one id.
pub(super) fn rule(rule: &Explained, texts: &Texts, lang: Lang) -> String {
    let mut out = String::new();
    if let Some(structure) = &rule.structure {
        out.push_str(&format!("{}  {}\n", rule.id, severity(&structure.severity, texts, lang)));
        let mut sheet = Sheet { out: &mut out, texts, lang };
        sheet.line(Key::ExplainChecks, structure.text.get(lang));
        sheet.line(Key::ExplainSource, texts.get(Key::ExplainStructure, lang));
        sheet.line(Key::ExplainSame, &structure.federal.join(", "));
        sheet.examples(structure.passing.as_deref(), structure.failing.as_deref());
        sheet.line(Key::ExplainMends, structure.mends.name(texts, lang));
        sheet.line(Key::ExplainAdvice, structure.advice.get(lang));
    }
    for (n, version) in rule.versions.iter().enumerate() {
        if n > 0 {
            out.push('\n');
        }
        out.push_str(&format!("{}  {}  {}\n", rule.id, severity(&version.severity, texts, lang), version.files));
        Sheet { out: &mut out, texts, lang }.version(version);
    }
    if let Some(elsewhere) = &rule.elsewhere {
        out.push('\n');
        Sheet { out: &mut out, texts, lang }.line(Key::ExplainElsewhere, elsewhere.get(lang));
    }
    out
}

fn severity<'t>(word: &str, texts: &'t Texts, lang: Lang) -> &'t str {
    let key = match word {
        "warning" => Key::SeverityWarning,
        "info" => Key::SeverityInfo,
        _ => Key::SeverityError,
    };
    texts.get(key, lang)
}

/// What holds when a row has ended: ids, a reason, or both.
fn told(after: &After, lang: Lang) -> String {
    let reason = after.reason.as_ref().map_or("", |r| r.get(lang));
    let parts = [after.rules.join(", "), reason.to_owned()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ")
}

struct Sheet<'s> {
    out: &'s mut String,
    texts: &'s Texts,
    lang: Lang,
}

impl Sheet<'_> {
    /// Writes a fact with its label; an empty fact is left out.
    fn line(&mut self, key: Key, fact: &str) {
        if !fact.is_empty() {
            let label = self.texts.get(key, self.lang);
            hang(self.out, &format!("  {label:<LABEL$}  {fact}"), LABEL + 4);
        }
    }

    fn more(&mut self, text: &str) {
        for line in text.lines() {
            hang(self.out, &format!("  {:<LABEL$}  {line}", ""), LABEL + 4);
        }
    }

    fn version(&mut self, v: &Federal) {
        let (texts, lang) = (self.texts, self.lang);
        self.line(Key::ExplainChecks, v.text.get(lang));
        let title = v.title.as_ref().map_or_else(String::new, |t| format!(" ({})", t.get(lang)));
        self.line(Key::ExplainElement, &format!("{}{title}", v.element));
        let editions = if v.editions.is_empty() { texts.get(Key::ExplainNoEdition, lang).to_owned() } else { v.editions.join("; ") };
        self.line(Key::ExplainEditions, &editions);
        let term = match (&v.from, &v.until) {
            (None, None) => texts.get(Key::NsiDaysAlways, lang).to_owned(),
            (Some(from), None) => texts.fill(Key::NsiDaysFrom, lang, &[("from", from)]),
            (None, Some(until)) => texts.fill(Key::NsiDaysUntil, lang, &[("until", until)]),
            (Some(from), Some(until)) => texts.fill(Key::NsiDaysBoth, lang, &[("from", from), ("until", until)]),
        };
        self.line(Key::ExplainTerm, &term);
        if let Some(reason) = &v.inferred {
            let confidence = v.confidence.map_or("", |c| texts.get(c.key(), lang));
            self.more(&texts.fill(Key::ExplainInferred, lang, &[("reason", reason.get(lang)), ("confidence", confidence)]));
        }
        if let Some(after) = &v.after {
            self.line(Key::ExplainAfter, &told(after, lang));
        }
        if v.unread {
            self.line(Key::ExplainWhen, &v.when);
            self.line(Key::ExplainRequire, &v.require);
        } else {
            self.side(Key::ExplainWhen, &v.when, v.when_words.as_ref(), Key::ExplainAlways);
            self.side(Key::ExplainRequire, &v.require, v.require_words.as_ref(), Key::ExplainUnwritten);
        }
        for book in &v.books {
            let fact = self.book(book);
            self.line(Key::ExplainBook, &fact);
        }
        if let Some(note) = &v.note {
            self.line(Key::ExplainNote, note.get(lang));
        }
        let state = match v.state {
            "executed" => texts.get(Key::ExplainRuns, lang).to_owned(),
            "partly" => texts.fill(Key::ExplainPartly, lang, &[("what", v.partly.as_ref().map_or("", |what| what.get(lang)))]),
            "no-book" => texts.fill(Key::ExplainWaits, lang, &[("books", &v.waits_for.join(", "))]),
            _ => texts.fill(Key::ExplainOutside, lang, &[("reason", v.reason.as_ref().map_or("", |reason| reason.get(lang)))]),
        };
        self.line(Key::ExplainState, &state);
        self.line(Key::ExplainTwin, &v.twin);
        self.line(Key::ExplainSource, &v.source);
        if !v.unread {
            self.examples(v.passing.as_deref(), v.failing.as_deref());
        }
        self.line(Key::ExplainMends, v.mends.name(texts, lang));
        self.line(Key::ExplainAdvice, v.advice.get(lang));
    }

    /// A right and a wrong example.
    fn examples(&mut self, passing: Option<&str>, failing: Option<&str>) {
        let (Some(passing), Some(failing)) = (passing, failing) else {
            return self.line(Key::ExplainExample, self.texts.get(Key::ExplainNoExample, self.lang));
        };
        for (key, piece) in [(Key::ExplainPassing, passing), (Key::ExplainFailing, failing)] {
            let mut lines = piece.lines();
            self.line(key, lines.next().unwrap_or_default());
            self.more(&lines.collect::<Vec<_>>().join("\n"));
        }
    }

    /// A condition in words, and below in the language of the tables.
    fn side(&mut self, key: Key, text: &str, words: Option<&Both>, none: Key) {
        match words {
            Some(words) => {
                self.line(key, words.get(self.lang));
                self.more(text);
            }
            None => self.line(key, self.texts.get(none, self.lang)),
        }
    }

    fn book(&self, book: &Lookup) -> String {
        let (texts, lang) = (self.texts, self.lang);
        let title = if lang == Lang::Ru { &book.ru } else { &book.en };
        let count = texts.number(lang, book.valid as u64);
        let values = match (book.absent, book.values.is_empty()) {
            (true, _) => texts.get(Key::ExplainBookAbsent, lang).to_owned(),
            (false, false) => texts.fill(Key::ExplainBookValues, lang, &[("values", &book.values.join(", "))]),
            (false, true) => texts.fill(Key::ExplainBookCount, lang, &[("count", &count), ("book", &book.book)]),
        };
        let slots = [("book", book.book.as_str()), ("field", &book.field), ("name", title), ("on", &book.on), ("values", &values)];
        texts.fill(Key::ExplainBookLine, lang, &slots)
    }
}
