//! A rule book as the fund publishes one, made from the tables at hand: so that an import is tried with a whole book without the published one.

use std::collections::{BTreeMap, BTreeSet};

use puomp::rules::import::TableRow;
use puomp::rules::rows;
use puomp::tables::RuleFiles;

/// A row of a packet: its id and its fields in their order.
#[derive(Debug, Clone)]
pub(crate) struct Zap {
    pub(crate) id: String,
    pub(crate) files: String,
    pub(crate) fields: BTreeMap<&'static str, String>,
}

impl Zap {
    pub(crate) fn new(id: &str, element: &str, files: &str) -> Self {
        let fields = BTreeMap::from([("ID_EL", element.to_owned()), ("DATEBEG", "01.11.2019".to_owned())]);
        Self { id: id.to_owned(), files: files.to_owned(), fields }
    }

    pub(crate) fn with(mut self, field: &'static str, text: &str) -> Self {
        self.fields.insert(field, text.to_owned());
        self
    }

    fn xml(&self) -> String {
        let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let files: String = self.files.chars().map(|c| format!("<TYPE_D>{c}</TYPE_D>")).collect();
        let fields: String = self.fields.iter().map(|(field, text)| format!("<{field}>{}</{field}>", escaped(text))).collect();
        format!("<zap><ID_TEST>{}</ID_TEST><TYPE_MD>{files}</TYPE_MD>{fields}</zap>\n", escaped(&self.id))
    }
}

/// An edition of Q015.
#[derive(Debug, Clone)]
pub(crate) struct Book {
    pub(crate) edition: String,
    pub(crate) date: String,
    pub(crate) rows: Vec<Zap>,
}

impl Book {
    /// The rules of the edition at hand under another number and date.
    pub(crate) fn at_hand(edition: &str, date: &str) -> Self {
        let (files, spelling) = (RuleFiles::embedded(), Spelling::load());
        let mut by_id: BTreeMap<String, Vec<TableRow>> = BTreeMap::new();
        for row in rows(&files).expect("sound tables") {
            by_id.entry(row.id.clone()).or_default().push(row);
        }
        // What later programs know is not of the book.
        let of_book = by_id.into_values().filter(|rows| rows.iter().any(|r| r.source.starts_with("Q015")));
        Self { edition: edition.to_owned(), date: date.to_owned(), rows: of_book.map(|rows| spelling.zap(&rows)).collect() }
    }

    pub(crate) fn row(&mut self, id: &str) -> &mut Zap {
        self.rows.iter_mut().find(|r| r.id == id).unwrap_or_else(|| panic!("{id}"))
    }

    pub(crate) fn xml(&self) -> String {
        let rows: String = self.rows.iter().map(Zap::xml).collect();
        let head = format!("<zglv><type>FLK_MPF</type><version>{}</version><date>{}</date></zglv>", self.edition, self.date);
        format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<packet>{head}\n{rows}</packet>\n")
    }
}

/// Puts rules as the published books spell them.
struct Spelling {
    /// Words of a comment for characters.
    letters: Vec<(String, BTreeSet<String>)>,
    charsets: BTreeMap<String, BTreeSet<String>>,
}

impl Spelling {
    fn load() -> Self {
        let files = RuleFiles::embedded();
        let items = |text: &str| text.split(' ').map(str::to_owned).collect::<BTreeSet<_>>();
        let comments: Vec<(_, (String, String, String))> = files.rows("import/comments.csv").expect("a table");
        let charsets: Vec<(_, (String, String, String, String))> = files.rows("formats/charsets.csv").expect("a table");
        Self {
            letters: comments.into_iter().map(|(_, c)| c).filter(|c| c.0 == "letters").map(|c| (c.1, items(&c.2))).collect(),
            charsets: charsets.into_iter().map(|(_, c)| (c.0, items(&c.1))).collect(),
        }
    }

    /// The rows of one id as one published row.
    fn zap(&self, rows: &[TableRow]) -> Zap {
        let files: BTreeSet<char> = rows.iter().flat_map(|r| r.files.chars()).filter(|c| *c != ' ').collect();
        let (first, name) = (&rows[0], rows[0].element.rsplit('/').next().unwrap_or(""));
        let from = rows.iter().map(|r| r.from.as_str()).min().unwrap_or("");
        let mut zap = Zap::new(&first.id, &first.element, &files.iter().collect::<String>()).with("DATEBEG", from);
        // An inferred end is not of the book.
        if let Some(last) = rows.iter().map(|r| r.until.as_str()).max().filter(|_| rows.iter().all(|r| r.inferred.is_empty() && !r.until.is_empty())) {
            zap = zap.with("DATEEND", last);
        }
        if !first.when.is_empty() {
            zap = zap.with("USL_TEST", &published(&first.when));
        }
        let require = first.require.as_str();
        let argument = |function: &str| require.strip_prefix(function).and_then(|r| r.strip_suffix(')'));
        if let Some((book, field)) = argument("BOOK(").and_then(|inner| inner.split_once('.')) {
            return zap.with("NSI_OBJ", book).with("NSI_EL", &field.replace(" + ", "+"));
        }
        if require == format!("PRESENT({name})") || require == format!("REGIONAL_BOOK({name})") {
            return zap;
        }
        if require == format!("ABSENT({name})") {
            return zap.with("COMMENT", "Элемент должен отсутствовать");
        }
        if first.id.starts_with("004F") {
            return require.split(" AND ").fold(zap, |zap, part| self.look(zap, part));
        }
        // A bare value is a text.
        let bare = require.strip_prefix(&format!("{name} = '")).and_then(|rest| rest.strip_suffix('\'')).filter(|value| !value.contains('\''));
        zap.with("VAL_EL", &bare.map_or_else(|| published(require), str::to_owned))
    }

    /// A part of the look of a value: length, mask, characters.
    fn look(&self, zap: Zap, part: &str) -> Zap {
        let inner = part.split_once('(').map_or("", |(_, rest)| rest.split_once(')').map_or(rest, |(inner, _)| inner));
        let args: Vec<&str> = inner.split(", ").collect();
        let number = |at: usize| args[at].parse::<usize>().expect("a number");
        match part.split('(').next().unwrap_or("") {
            "LEN" => {
                let (from, to) = part.rsplit(' ').next().and_then(|range| range.split_once("..")).expect("a range");
                zap.with("MIN_LEN", from).with("MAX_LEN", to)
            }
            "DATE" => zap.with("MASK_VAL", "ГГГГ-ММ-ДД").with("MIN_LEN", "10").with("MAX_LEN", "10"),
            "DIGITS" => {
                let mask = "X".repeat(number(2) - number(1)) + &"9".repeat(number(1));
                let zap = zap.with("MASK_VAL", &mask);
                if zap.fields.contains_key("MIN_LEN") { zap } else { zap.with("MIN_LEN", args[1]).with("MAX_LEN", args[2]) }
            }
            "DECIMAL" => {
                let mask = "X".repeat(number(1) - 1) + "9." + &"9".repeat(number(2));
                let zap = zap.with("MASK_VAL", &mask);
                let (from, to) = ((number(2) + 2).to_string(), (number(1) + 1 + number(2)).to_string());
                if zap.fields.contains_key("MIN_LEN") { zap } else { zap.with("MIN_LEN", &from).with("MAX_LEN", &to) }
            }
            "MASK" if args[1].starts_with("BOOK1") => {
                zap.with("NSI_OBJ", args[1].split_once('(').map_or("", |(_, book)| book)).with("NSI_EL", args[args.len() - 1])
            }
            "MASK" => {
                let mut depth = 0;
                let place = |c| match c {
                    '[' => {
                        depth += 1;
                        None
                    }
                    ']' => {
                        depth -= 1;
                        None
                    }
                    '9' if depth > 0 => Some('X'),
                    c => Some(c),
                };
                zap.with("MASK_VAL", &args[1].trim_matches('\'').chars().filter_map(place).collect::<String>())
            }
            "CHARSET" => {
                let set = &self.charsets[args[1].trim_matches('\'')];
                let words: Vec<&str> = self.letters.iter().filter(|(_, chars)| chars.is_subset(set)).map(|(word, _)| word.as_str()).collect();
                zap.with("COMMENT", &format!("Допустимы: {}", words.join(", ")))
            }
            other => panic!("{other}: {part}"),
        }
    }
}

/// An expression of the rule language in the words of the books.
fn published(text: &str) -> String {
    const MONTHS: [&str; 12] = ["январь", "февраль", "март", "апрель", "май", "июнь", "июль", "август", "сентябрь", "октябрь", "ноябрь", "декабрь"];
    let text = text.replace(" NOT IN {", "<>{").replace(" IN {", "={").replace('\'', "");
    let text = calls(text, "PERIOD() >= PERIOD(", |month| {
        format!("с отчетного периода \"{} {}\"", MONTHS[month[5..].parse::<usize>().expect("a month") - 1], &month[..4])
    });
    let text = calls(text, "PERIOD() <= PERIOD(", |month| {
        format!("до отчетного периода \"{} {}\" включительно", MONTHS[month[5..].parse::<usize>().expect("a month") - 1], &month[..4])
    });
    let text = calls(text, "PRESENT(", |name| format!("{name} присутствует"));
    let text = calls(text, "ABSENT(", |name| format!("{name} отсутствует"));
    let text = calls(text, "MAIN(", |name| format!("в основном файле {name}"));
    let text =
        calls(text, "MAINFILE_TYPE(", |_| "основной файл относится к типу передаваемых данных из множества".to_owned()).replace("множества=", "множества ");
    let text = calls(text, "LASTCHAR(", |name| format!("последний символ {name} равен")).replace("равен <>", "не равен").replace("равен =", "равен");
    let text = calls(text, "INBOOK(", |inner| inner.replace(", ", " найден в "));
    let each = |words: &'static str| {
        move |inner: &str| {
            let (places, condition) = inner.split_once(": ").expect("a condition");
            let (block, within) = places.split_once(" IN ").expect("two blocks");
            format!("{condition} {words} {block}, входящих в {within}")
        }
    };
    let text = calls(text, "EXISTS(", each("хотя бы в одном из элементов"));
    let text = calls(text, "FORALL(", each("во всех элементах"));
    calls(text, "AGE(", |date| format!("возраст пациента на {date}")).replace(" AND ", " и ").replace(" OR ", " или ").replace("..", "-")
}

/// Replaces each call of a function by what its arguments become.
fn calls(mut text: String, function: &str, to: impl Fn(&str) -> String) -> String {
    while let Some(at) = text.find(function) {
        let inner = at + function.len();
        let mut depth = 1;
        let end = text[inner..].find(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0
        });
        let end = inner + end.expect("closed");
        let with = to(&text[inner..end]);
        text.replace_range(at..=end, &with);
    }
    text
}
