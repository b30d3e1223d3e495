//! Errors as data: a key, slots and a class. One function makes their text in either language from `rules/texts.csv`.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::Path;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::{Key, Lang, Text, Texts, fill};
use crate::sys;
use crate::tables::TableError;
use crate::values::Date;
use crate::watch::Stopped;

/// The class of an error. It decides the exit code of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorClass {
    /// The data have findings of severity error.
    Findings,
    /// Wrong usage, configuration or rule tables; the result or the store cannot be written.
    Usage,
    /// There is nothing to work on.
    Nothing,
    /// The workflow table or the user's rights do not allow it.
    Refused,
    /// A site or server is unreachable or refuses the request.
    Remote,
    /// The input is unreadable or unsafe.
    Input,
    /// Another program is using the same workspace.
    Busy,
    /// A bug of the program.
    Bug,
    /// The work was stopped from outside.
    Interrupted,
}

impl ErrorClass {
    /// Every class.
    pub const ALL: [Self; 9] = [Self::Findings, Self::Usage, Self::Nothing, Self::Refused, Self::Remote, Self::Input, Self::Busy, Self::Bug, Self::Interrupted];

    /// The word for this class in machine formats.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Findings => "findings",
            Self::Usage => "usage",
            Self::Nothing => "nothing",
            Self::Refused => "refused",
            Self::Remote => "remote",
            Self::Input => "input",
            Self::Busy => "busy",
            Self::Bug => "bug",
            Self::Interrupted => "interrupted",
        }
    }
}

/// An error of the library. [`Texts::error`] makes its text and [`Texts::error_wire`] its JSON; no other code does.
pub trait Coded: std::error::Error + Send + Sync {
    /// The key of the text in `rules/texts.csv`. The word of the key is the stable code of the error.
    fn key(&self) -> Key;

    /// Names and values of the text's slots. Slots that the text does not use are for programs. Values hold no personal data.
    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        Vec::new()
    }

    /// The class of the error.
    fn class(&self) -> ErrorClass {
        ErrorClass::Usage
    }

    /// Further lines of the text, for example alternatives or where to look.
    fn hints(&self) -> Vec<Slot<'_>> {
        Vec::new()
    }
}

/// The value of a slot, in a form without language.
#[derive(Debug)]
pub enum Slot<'a> {
    /// A name, a value, or a word of the system.
    Text(Cow<'a, str>),
    /// A line, a byte offset or a count; shown as digits without groups.
    Number(u64),
    /// An amount in kopecks; shown in roubles.
    Money(i64),
    /// A path of a file or folder.
    Path(&'a Path),
    /// A moment in UTC (RFC 3339); shown in the reader's time zone, to the minute.
    Moment(&'a str),
    /// A day; shown in the notation of the language.
    Day(Date),
    /// A text from another table than `rules/texts.csv`.
    Both(Cow<'a, Text>),
    /// A text of `rules/texts.csv` with slots of its own.
    Phrase {
        /// The value used in machine formats.
        plain: Cow<'a, str>,
        /// The key of the text.
        key: Key,
        /// The slots of the text.
        slots: Vec<(&'static str, Slot<'a>)>,
    },
    /// A sentence that is English where it is made, by a reader of tables or a library; [`Texts::said`] has it in Russian.
    Said(Cow<'a, str>),
    /// The cause of the error.
    Nested(&'a dyn Coded),
    /// Values separated by commas.
    List(Vec<Slot<'a>>),
    /// Values on lines of their own.
    Lines(Vec<Slot<'a>>),
}

impl<'a> Slot<'a> {
    /// A slot with a text.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// A slot with a count.
    pub fn number(number: usize) -> Self {
        Self::Number(number as u64)
    }

    /// A slot with names separated by commas.
    pub fn list<S: AsRef<str> + 'a>(items: impl IntoIterator<Item = &'a S>) -> Self {
        Self::List(items.into_iter().map(|item| Self::text(item.as_ref())).collect())
    }

    /// Why the system refused: the usual reasons in the reader's language, others in the system's words.
    pub fn io(error: &'a io::Error) -> Self {
        match carried(error) {
            Some(inner) => Self::Nested(inner),
            None if sys::is_device_failure(error) => Self::reason(error.to_string(), Key::ReasonDevice),
            None if sys::is_held_elsewhere(error) => Self::reason(error.to_string(), Key::ReasonDenied),
            // An error of a library may contain the error of the system.
            None => match (io_key(error.kind()), error.get_ref().and_then(|inner| inner.downcast_ref::<io::Error>())) {
                (Some(key), _) => Self::reason(error.to_string(), key),
                (None, Some(inner)) => Self::io(inner),
                (None, None) => Self::Said(error.to_string().into()),
            },
        }
    }

    /// Like [`Slot::io`], when only the kind of the error is known.
    pub fn io_kind(kind: io::ErrorKind) -> Self {
        match io_key(kind) {
            Some(key) => Self::reason(kind.to_string(), key),
            None => Self::text(kind.to_string()),
        }
    }

    /// A slot with a text of `rules/texts.csv` that has no slots.
    pub fn reason(plain: impl Into<Cow<'a, str>>, key: Key) -> Self {
        Self::Phrase { plain: plain.into(), key, slots: Vec::new() }
    }

    /// The value without language, for machine formats that have a single text.
    pub fn plain(&self) -> String {
        match self {
            Self::Text(text) | Self::Said(text) => text.clone().into_owned(),
            Self::Number(number) => number.to_string(),
            Self::Money(kopecks) => crate::values::money(*kopecks),
            Self::Path(path) => path.display().to_string(),
            Self::Moment(at) => (*at).to_owned(),
            Self::Day(day) => day.to_string(),
            Self::Both(text) => text.en.clone(),
            Self::Phrase { plain, .. } => plain.clone().into_owned(),
            Self::Nested(error) => plain(*error),
            Self::List(items) | Self::Lines(items) => items.iter().map(Self::plain).collect::<Vec<_>>().join(", "),
        }
    }
}

fn io_key(kind: io::ErrorKind) -> Option<Key> {
    Some(match kind {
        io::ErrorKind::NotFound => Key::ReasonNotFound,
        io::ErrorKind::PermissionDenied => Key::ReasonDenied,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Key::ReasonFull,
        io::ErrorKind::IsADirectory => Key::ReasonFolder,
        io::ErrorKind::ReadOnlyFilesystem => Key::ReasonReadOnly,
        io::ErrorKind::NotSeekable => Key::ReasonNotRegular,
        _ => return None,
    })
}

/// The error of this program inside an [`io::Error`], if there is one.
pub fn carried(error: &io::Error) -> Option<&dyn Coded> {
    let inner = error.get_ref()?;
    let table = inner.downcast_ref::<TableError>().map(|e| e as &dyn Coded);
    table.or_else(|| inner.downcast_ref::<Stopped>().map(|e| e as &dyn Coded))
}

/// An error on one line, without language, for logs and machine formats: `form.sum file=H.xml offset=12`.
pub fn plain(error: &dyn Coded) -> String {
    error.slots().iter().fold(error.key().as_str().to_owned(), |line, (name, value)| line + &format!(" {name}={}", value.plain()))
}

/// Implements `Display` for coded errors: writes the English text from the built-in table.
///
/// # Errors
/// The formatter fails.
pub fn display(error: &dyn Coded, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(&Texts::built_in().error(error, Lang::En))
}

impl Texts {
    /// The text of an error, followed by its hints on further lines.
    pub fn error(&self, error: &dyn Coded, lang: Lang) -> String {
        let first = self.phrase(error.key(), &error.slots(), lang);
        error.hints().iter().fold(first, |text, hint| text + "\n" + &self.slot(hint, lang))
    }

    /// The value of a slot in the reader's language.
    pub fn slot(&self, slot: &Slot<'_>, lang: Lang) -> String {
        let joined = |items: &[Slot<'_>], between| items.iter().map(|item| self.slot(item, lang)).collect::<Vec<_>>().join(between);
        match slot {
            Slot::Text(_) | Slot::Number(_) | Slot::Path(_) => slot.plain(),
            Slot::Said(sentence) => self.said(sentence, lang),
            Slot::Money(kopecks) => self.money(lang, *kopecks),
            Slot::Moment(at) => self.moment(lang, at),
            Slot::Day(day) => self.day(lang, *day),
            Slot::Both(text) => text.get(lang).to_owned(),
            Slot::Phrase { key, slots, .. } => self.phrase(*key, slots, lang),
            Slot::Nested(error) => self.error(*error, lang),
            Slot::List(items) => joined(items, ", "),
            Slot::Lines(items) => joined(items, "\n"),
        }
    }

    fn phrase(&self, key: Key, slots: &[(&'static str, Slot<'_>)], lang: Lang) -> String {
        let values: Vec<(&str, String)> = slots.iter().map(|(name, slot)| (*name, self.slot(slot, lang))).collect();
        fill(self.get(key, lang), |name| values.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str()))
    }

    /// The error in the form for programs.
    pub fn error_wire<'a>(&self, error: &'a dyn Coded) -> ErrorWire<'a> {
        ErrorWire {
            code: error.key().as_str(),
            class: error.class().as_str(),
            message_ru: self.error(error, Lang::Ru),
            message_en: self.error(error, Lang::En),
            slots: WireSlots(error.slots()),
        }
    }
}

/// An error in JSON. It has both messages, so that the bytes do not depend on the language of the run.
#[derive(Debug, Serialize)]
pub struct ErrorWire<'a> {
    code: &'static str,
    class: &'static str,
    message_ru: String,
    message_en: String,
    slots: WireSlots<'a>,
}

#[derive(Debug)]
struct WireSlots<'a>(Vec<(&'static str, Slot<'a>)>);

impl Serialize for WireSlots<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        // The messages already contain these texts in both languages.
        for (name, slot) in self.0.iter().filter(|(_, slot)| !matches!(slot, Slot::Both(_))) {
            map.serialize_entry(name, slot)?;
        }
        map.end()
    }
}

impl Serialize for Slot<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Nested<'t> {
            code: &'static str,
            slots: WireSlots<'t>,
        }
        match self {
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Money(kopecks) => serializer.serialize_i64(*kopecks),
            Self::Nested(error) => Nested { code: error.key().as_str(), slots: WireSlots(error.slots()) }.serialize(serializer),
            Self::List(items) | Self::Lines(items) => serializer.collect_seq(items),
            Self::Text(_) | Self::Said(_) | Self::Path(_) | Self::Moment(_) | Self::Day(_) | Self::Both(_) | Self::Phrase { .. } => {
                serializer.serialize_str(&self.plain())
            }
        }
    }
}

/// An error that consists only of its key, slots, class and hints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyed {
    /// The key of the text.
    pub key: Key,
    /// The class of the error.
    pub class: ErrorClass,
    /// Names and values of the slots.
    pub slots: Vec<(&'static str, String)>,
    /// Keys and slots of the further lines.
    pub hints: Vec<(Key, Vec<(&'static str, String)>)>,
}

impl Keyed {
    /// An error without hints.
    pub fn new(class: ErrorClass, key: Key, slots: &[(&'static str, &str)]) -> Self {
        Self { key, class, slots: owned(slots), hints: Vec::new() }
    }

    /// Adds a further line.
    #[must_use]
    pub fn hint(mut self, key: Key, slots: &[(&'static str, &str)]) -> Self {
        self.hints.push((key, owned(slots)));
        self
    }
}

fn owned(slots: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    slots.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

fn borrowed<'a>(slots: &'a [(&'static str, String)]) -> Vec<(&'static str, Slot<'a>)> {
    // The reason is what a reader of tables or a library says.
    let slot = |name, value: &'a String| if name == "reason" { Slot::Said(value.into()) } else { Slot::text(value) };
    slots.iter().map(|(name, value)| (*name, slot(*name, value))).collect()
}

impl Coded for Keyed {
    fn key(&self) -> Key {
        self.key
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        borrowed(&self.slots)
    }

    fn class(&self) -> ErrorClass {
        self.class
    }

    fn hints(&self) -> Vec<Slot<'_>> {
        self.hints.iter().map(|(key, slots)| Slot::Phrase { plain: key.as_str().into(), key: *key, slots: borrowed(slots) }).collect()
    }
}

impl fmt::Display for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for Keyed {}

impl Coded for TableError {
    fn key(&self) -> Key {
        Key::ErrorTable
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        // `error` holds place and message together, as people read them.
        let parts = [("error", Slot::Said(self.to_string().into())), ("table", Slot::text(&self.table)), ("line", Slot::Number(self.line))];
        Vec::from(parts)
    }
}

impl Coded for Stopped {
    fn key(&self) -> Key {
        Key::ErrorStopped
    }

    fn class(&self) -> ErrorClass {
        ErrorClass::Interrupted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_reasons_are_told_in_the_users_language() {
        let said = |error: io::Error| Texts::built_in().slot(&Slot::io(&error), Lang::Ru);
        for (kind, words) in [
            (io::ErrorKind::NotFound, "такой папки или файла нет"),
            (io::ErrorKind::PermissionDenied, "нет прав"),
            (io::ErrorKind::StorageFull, "нет места"),
            (io::ErrorKind::QuotaExceeded, "нет места"),
            (io::ErrorKind::ReadOnlyFilesystem, "только для чтения"),
            (io::ErrorKind::NotSeekable, "не файл"),
        ] {
            assert!(said(kind.into()).contains(words), "{kind}");
            assert!(said(io::Error::other(io::Error::from(kind))).contains(words), "{kind} inside");
        }
        assert_eq!(said(io::Error::other("odd")), "odd");
        #[cfg(unix)]
        for (code, words) in [(5, "ошибка чтения или записи"), (28, "нет места"), (13, "нет прав"), (30, "только для чтения"), (2, "нет")]
        {
            assert!(said(io::Error::from_raw_os_error(code)).contains(words), "{code}");
        }
    }

    #[test]
    fn what_a_stream_carries_is_told_as_itself() {
        let stopped = io::Error::from(Stopped);
        assert_eq!(carried(&stopped).map(|e| (e.key(), e.class())), Some((Key::ErrorStopped, ErrorClass::Interrupted)));
        let table = io::Error::other(TableError::new("x.csv", 3, "odd"));
        assert_eq!(Texts::built_in().slot(&Slot::io(&table), Lang::En), "a rule table is broken: rules/x.csv:3: odd");
        assert!(carried(&io::Error::other("odd")).is_none());
    }

    #[test]
    fn a_program_gets_both_languages_and_the_slots() {
        let error = Keyed::new(ErrorClass::Busy, Key::WorkspaceBusy, &[("who", "Анна@касса")]);
        let json = serde_json::to_value(Texts::built_in().error_wire(&error)).expect("JSON");
        assert_eq!((&json["code"], &json["class"], &json["slots"]["who"]), (&"workspace.busy".into(), &"busy".into(), &"Анна@касса".into()));
        assert_eq!(json["message_en"], "the workspace is busy: Анна@касса; wait, or raise --wait");
        assert_eq!(plain(&error), "workspace.busy who=Анна@касса");
    }
}
