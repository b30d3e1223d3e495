//! Reads the tables of `rules/formats/` and refuses inconsistent ones.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::Deserialize;

use super::edition::{self, Edition, EditionChoice};
use super::name_key::{MAX_NAME, NameKey};
use super::value::{Charset, ValueType};
use super::{Content, Family, Format, Node, NodeId, Obligation, PERSONS, Role};
use crate::tables::{Line, RuleFiles, TableError};
use crate::texts::Text;
use crate::values::Month;

/// All families in all editions, and the letters in file names that belong to them.
#[derive(Debug, Clone)]
pub struct Formats {
    families: BTreeMap<Family, Vec<Arc<Format>>>,
    kinds: BTreeMap<Family, Kind>,
    prefixes: Vec<Prefix>,
    charsets: BTreeMap<String, Arc<Charset>>,
    answers: BTreeMap<String, Text>,
}

/// A family, a row of `rules/formats/families.csv`.
#[derive(Debug, Clone)]
struct Kind {
    /// Letter of the table with its elements; families of one format share a table.
    table: char,
    /// Letter of the family in the federal rule book.
    book: char,
    /// The family of the person files; `None` when the records contain the persons.
    persons: Option<Family>,
}

#[derive(Deserialize)]
struct KindRow {
    family: char,
    table: char,
    book: char,
    persons: Option<char>,
}

/// The letters at the beginning of a file name, a row of `rules/formats/names.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    /// Letters of a main file, `DP`.
    pub letters: String,
    /// Family of the main file.
    pub family: Family,
    /// Letters of the person file, `LP`; empty when there is no person file.
    pub persons: String,
    /// Kind of dispensary care by V016; `None` when the letters do not tell it.
    pub disp: Option<String>,
    /// First reporting month; `None` when unknown.
    pub from: Option<Month>,
    /// Last reporting month, inclusive; `None` when unknown.
    pub until: Option<Month>,
    /// Description for people.
    pub title: Text,
}

#[derive(Deserialize)]
struct EditionRow {
    family: char,
    edition: String,
    version: String,
    from: String,
    until: String,
    basis: String,
    source_note: String,
}

#[derive(Deserialize)]
struct CharsetRow {
    id: String,
    chars: String,
    name_ru: String,
    name_en: String,
}

#[derive(Deserialize)]
struct PrefixRow {
    prefix: String,
    family: char,
    person_prefix: String,
    disp: String,
    since: String,
    until: String,
    name_ru: String,
    name_en: String,
}

#[derive(Deserialize)]
struct AnswerRow {
    root: String,
    name_ru: String,
    name_en: String,
}

#[derive(Deserialize)]
struct ElementRow {
    parent: String,
    element: String,
    obligation: String,
    #[serde(rename = "type")]
    base: String,
    length: String,
    mask: String,
    chars: String,
    values: String,
    book: String,
    since: String,
    until: String,
    role: String,
    personal: String,
    basis: String,
    scope: String,
    name_ru: String,
    name_en: String,
}

const FAMILIES: &str = "formats/families.csv";
const EDITIONS: &str = "formats/editions.csv";
const CHARSETS: &str = "formats/charsets.csv";
const NAMES: &str = "formats/names.csv";
const ANSWERS: &str = "formats/answers.csv";

impl Formats {
    /// Reads and compiles every table.
    ///
    /// # Errors
    /// An unknown parent, an element repeated in one edition, or a broken length, mask, list or role.
    pub fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let charsets = charsets(files)?;
        let mut families = BTreeMap::new();
        let kinds = kinds(files)?;
        for (family, editions) in editions(files)? {
            let kind = kinds.get(&family).ok_or_else(|| TableError::new(EDITIONS, 0, format!("family {family} is not in {FAMILIES}")))?;
            families.insert(family, family_formats(files, family, kind.table, &editions, &charsets)?);
        }
        let prefixes = prefixes(files, &families)?;
        let answers = files.rows::<AnswerRow>(ANSWERS)?;
        let answers = answers.into_iter().map(|(_, row)| (row.root, Text { ru: row.name_ru, en: row.name_en })).collect();
        Ok(Self { families, kinds, prefixes, charsets, answers })
    }

    /// The families, in the order of their letters.
    pub fn families(&self) -> impl Iterator<Item = Family> + '_ {
        self.families.keys().copied()
    }

    /// The editions of a family, oldest first; empty for an unknown family.
    pub fn editions(&self, family: Family) -> &[Arc<Format>] {
        self.families.get(&family).map_or(&[], Vec::as_slice)
    }

    /// The format of a family in the edition with this id.
    pub fn get(&self, family: Family, edition: &str) -> Option<&Arc<Format>> {
        self.editions(family).iter().find(|f| f.edition.id == edition)
    }

    /// Every format of every family.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Format>> {
        self.families.values().flatten()
    }

    /// The format that a file is checked against, and how it was chosen; `None` for an unknown family.
    pub fn choose(&self, family: Family, version: Option<&str>, period: Option<Month>) -> Option<(&Arc<Format>, EditionChoice)> {
        let formats = self.families.get(&family)?;
        let editions: Vec<Edition> = formats.iter().map(|f| f.edition.clone()).collect();
        let choice = edition::choose(&editions, version, period);
        Some((&formats[choice.index()], choice))
    }

    /// The family of main files whose edition of this VERSION and month lacks the fewest of these elements. Of several the favourite is chosen if it is
    /// one of them.
    pub fn closest(&self, names: &BTreeSet<String>, version: Option<&str>, period: Option<Month>, favourite: Family) -> Family {
        let lacks = |family: Family| {
            let known: BTreeSet<&str> =
                self.choose(family, version, period).map(|(format, _)| format.nodes().iter().map(|node| &*node.name).collect()).unwrap_or_default();
            names.iter().filter(|name| !known.contains(name.as_str())).count()
        };
        let mains = self.families().filter(|family| *family != PERSONS);
        mains.min_by_key(|family| (lacks(*family), *family != favourite)).unwrap_or(favourite)
    }

    /// The family that a user means by letters in any case: a family's own letter, the letters at the head of a file name, or a letter that only the
    /// federal rule book uses.
    pub fn family_of(&self, given: &str) -> Option<Family> {
        let given = given.to_uppercase();
        let by_letter = self.families().find(|family| family.to_string() == given);
        let by_name = || self.prefixes.iter().find(|p| p.letters == given).map(|p| p.family);
        let by_persons = || self.prefixes.iter().any(|p| p.persons == given).then_some(PERSONS);
        let by_book = || self.kinds.iter().find(|(_, kind)| kind.book.to_string() == given).map(|(family, _)| *family);
        by_letter.or_else(by_name).or_else(by_persons).or_else(by_book)
    }

    /// Letters of the federal rule book, separated by spaces, as letters of families.
    pub fn families_of_book(&self, letters: &str) -> String {
        let family =
            |letter: &str| self.kinds.iter().find(|(_, kind)| kind.book.to_string() == letter).map_or(letter.to_owned(), |(family, _)| family.to_string());
        letters.split(' ').map(family).collect::<Vec<_>>().join(" ")
    }

    /// The letter of a family in the federal rule book, which names dispensary files X and the accounts of funds D.
    pub fn book_letter(&self, family: Family) -> char {
        self.kinds.get(&family).map_or(family.0, |kind| kind.book)
    }

    /// Whether packages of a family have a person file.
    pub fn has_persons(&self, family: Family) -> bool {
        self.kinds.get(&family).is_none_or(|kind| kind.persons.is_some())
    }

    /// The known beginnings of file names.
    pub fn prefixes(&self) -> &[Prefix] {
        &self.prefixes
    }

    /// Root elements of the exchange's answers (protocols) and their descriptions, from `rules/formats/answers.csv`.
    pub fn answers(&self) -> &BTreeMap<String, Text> {
        &self.answers
    }

    /// The character set with this id.
    pub fn charset(&self, id: &str) -> Option<&Charset> {
        self.charsets.get(id).map(Arc::as_ref)
    }

    /// The character set with this id, shared.
    pub fn shared_charset(&self, id: &str) -> Option<Arc<Charset>> {
        self.charsets.get(id).cloned()
    }

    /// The names of all elements of all families, and whether the values are personal in any of them.
    pub fn element_names(&self) -> BTreeMap<&str, bool> {
        let mut names = BTreeMap::new();
        for node in self.all().flat_map(|f| f.nodes()) {
            *names.entry(&*node.name).or_default() |= node.personal;
        }
        names
    }

    /// The names that elements with a role have in any family and edition.
    pub fn names_of_role(&self, role: Role) -> BTreeSet<&str> {
        self.all().filter_map(|f| f.role(role).map(|id| &*f.node(id).name)).collect()
    }
}

fn month(table: &str, line: Line, text: &str) -> Result<Option<Month>, TableError> {
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(|e: String| TableError::new(table, line, e)) }
}

fn charsets(files: &RuleFiles) -> Result<BTreeMap<String, Arc<Charset>>, TableError> {
    let mut sets = BTreeMap::new();
    for (line, row) in files.rows::<CharsetRow>(CHARSETS)? {
        let set = Charset::new(&row.id, &row.chars, Text { ru: row.name_ru, en: row.name_en }).map_err(|e| TableError::new(CHARSETS, line, e))?;
        if sets.insert(row.id.clone(), Arc::new(set)).is_some() {
            return Err(TableError::new(CHARSETS, line, format!("id {} stands twice", row.id)));
        }
    }
    Ok(sets)
}

fn kinds(files: &RuleFiles) -> Result<BTreeMap<Family, Kind>, TableError> {
    let mut kinds = BTreeMap::new();
    for (line, row) in files.rows::<KindRow>(FAMILIES)? {
        let kind = Kind { table: row.table, book: row.book, persons: row.persons.map(Family) };
        if kinds.insert(Family(row.family), kind).is_some() {
            return Err(TableError::new(FAMILIES, line, format!("family {} stands twice", row.family)));
        }
    }
    Ok(kinds)
}

fn editions(files: &RuleFiles) -> Result<BTreeMap<Family, Vec<Edition>>, TableError> {
    let mut families: BTreeMap<Family, Vec<Edition>> = BTreeMap::new();
    for (line, row) in files.rows::<EditionRow>(EDITIONS)? {
        let list = families.entry(Family(row.family)).or_default();
        if list.iter().any(|e| e.id == row.edition) {
            return Err(TableError::new(EDITIONS, line, format!("edition {} of {} stands twice", row.edition, row.family)));
        }
        list.push(Edition {
            id: row.edition,
            version: row.version,
            from: month(EDITIONS, line, &row.from)?,
            until: month(EDITIONS, line, &row.until)?,
            basis: row.basis,
            source: row.source_note,
        });
    }
    Ok(families)
}

fn prefixes(files: &RuleFiles, families: &BTreeMap<Family, Vec<Arc<Format>>>) -> Result<Vec<Prefix>, TableError> {
    let mut list: Vec<Prefix> = Vec::new();
    for (line, row) in files.rows::<PrefixRow>(NAMES)? {
        let family = Family(row.family);
        if !families.contains_key(&family) {
            return Err(TableError::new(NAMES, line, format!("no family {family} in {EDITIONS}")));
        }
        if list.iter().any(|p| p.letters == row.prefix) {
            return Err(TableError::new(NAMES, line, format!("letters {} stand twice", row.prefix)));
        }
        list.push(Prefix {
            letters: row.prefix,
            family,
            persons: row.person_prefix,
            disp: Some(row.disp).filter(|d| !d.is_empty()),
            from: month(NAMES, line, &row.since)?,
            until: month(NAMES, line, &row.until)?,
            title: Text { ru: row.name_ru, en: row.name_en },
        });
    }
    Ok(list)
}

fn family_formats(
    files: &RuleFiles,
    family: Family,
    table: char,
    editions: &[Edition],
    charsets: &BTreeMap<String, Arc<Charset>>,
) -> Result<Vec<Arc<Format>>, TableError> {
    let table = format!("formats/{table}.csv");
    let rows = files.rows::<ElementRow>(&table)?;
    let index = |line: Line, id: &str| {
        editions.iter().position(|e| e.id == id).ok_or_else(|| TableError::new(&table, line, format!("edition «{id}» of {family} is not in {EDITIONS}")))
    };
    let mut spans = Vec::with_capacity(rows.len());
    for (line, row) in &rows {
        let since = index(*line, &row.since)?;
        let until = if row.until.is_empty() { editions.len() - 1 } else { index(*line, &row.until)? };
        if since > until {
            return Err(TableError::new(&table, *line, format!("since {} is later than until {}", row.since, row.until)));
        }
        spans.push(since..=until);
    }
    let mut formats = Vec::new();
    for (i, edition) in editions.iter().enumerate() {
        let chosen = rows.iter().zip(&spans).filter(|(_, span)| span.contains(&i)).map(|(row, _)| row);
        formats.push(Arc::new(compile(&table, family, edition, chosen, charsets)?));
    }
    Ok(formats)
}

fn compile<'a>(
    table: &str,
    family: Family,
    edition: &Edition,
    rows: impl Iterator<Item = &'a (Line, ElementRow)>,
    charsets: &BTreeMap<String, Arc<Charset>>,
) -> Result<Format, TableError> {
    let mut nodes: Vec<Node> = Vec::new();
    let mut paths: HashMap<Arc<str>, NodeId> = HashMap::new();
    let mut roles = [None; Role::ALL.len()];
    for (line, row) in rows {
        let fail = |message: String| TableError::new(table, *line, format!("{} (edition {}): {message}", row.element, edition.id));
        let id = NodeId(u16::try_from(nodes.len()).map_err(|_| fail("too many elements".into()))?);
        let key = NameKey::new(row.element.as_bytes()).filter(|_| !row.element.is_empty()).ok_or_else(|| fail(format!("a name has 1 to {MAX_NAME} bytes")))?;
        if row.name_ru.is_empty() || row.name_en.is_empty() {
            return Err(fail("name_ru or name_en is empty".into()));
        }
        let parent = match (row.parent.as_str(), id.0) {
            ("", 0) => None,
            ("", _) => return Err(fail("a second root".into())),
            (path, _) => Some(*paths.get(path).ok_or_else(|| fail(format!("unknown parent {path}")))?),
        };
        let path: Arc<str> = if row.parent.is_empty() { row.element.as_str().into() } else { format!("{}/{}", row.parent, row.element).into() };
        if paths.insert(Arc::clone(&path), id).is_some() {
            return Err(fail("the element stands twice in its parent".into()));
        }
        let obligation = obligation(&row.obligation).ok_or_else(|| fail(format!("obligation «{}»: О, Н, У, ОМ, НМ or УМ is due", row.obligation)))?;
        let content = if row.base == "S" {
            if [&row.length, &row.mask, &row.chars, &row.values].iter().any(|c| !c.is_empty()) {
                return Err(fail("a block (S) has no length, mask, chars or values".into()));
            }
            Content::Block
        } else {
            let set = match row.chars.as_str() {
                "" => None,
                id => Some(Arc::clone(charsets.get(id).ok_or_else(|| fail(format!("no character set «{id}» in {CHARSETS}")))?)),
            };
            Content::Value(ValueType::compile(&row.base, &row.length, &row.mask, set, &row.values).map_err(&fail)?)
        };
        let role = if row.role.is_empty() { None } else { Some(row.role.parse::<Role>().map_err(&fail)?) };
        if let Some(role) = role
            && roles[role as usize].replace(id).is_some()
        {
            return Err(fail(format!("the role «{}» is taken already", row.role)));
        }
        let mut position = 0;
        if let Some(parent) = parent {
            let parent = &mut nodes[usize::from(parent.0)];
            if matches!(parent.content, Content::Value(_)) {
                return Err(fail(format!("{} is a value and has no children", parent.path)));
            }
            position = parent.children.len() as u8;
            if position >= 64 {
                return Err(fail(format!("{} has more than 64 children", parent.path)));
            }
            parent.children.push(id);
            // An element that only one region requires is not required from other regions.
            parent.required |= u64::from(obligation.required && row.scope != "regional") << position;
            parent.repeatable |= u64::from(obligation.repeatable) << position;
        }
        nodes.push(Node {
            name: row.element.as_str().into(),
            key,
            path,
            parent,
            position,
            obligation,
            content,
            children: Vec::new(),
            required: 0,
            repeatable: 0,
            role,
            personal: row.personal == "1",
            book: row.book.as_str().into(),
            basis: row.basis.as_str().into(),
            regional: row.scope == "regional",
            title: Text { ru: row.name_ru.clone(), en: row.name_en.clone() },
        });
    }
    let format = Format { family, edition: edition.clone(), nodes, roles };
    let whole = |message: String| TableError::new(table, 0, format!("edition {}: {message}", edition.id));
    if format.nodes.is_empty() {
        return Err(whole("no elements".into()));
    }
    if let Some(empty) = format.nodes.iter().find(|n| matches!(n.content, Content::Block) && n.children.is_empty()) {
        return Err(whole(format!("the block {} has no children", empty.path)));
    }
    let record = format.role(Role::Record).ok_or_else(|| whole("no element has the role «record»".into()))?;
    if format.node(record).parent != Some(format.root()) {
        return Err(whole("the record is no child of the root".into()));
    }
    Ok(format)
}

fn obligation(text: &str) -> Option<Obligation> {
    let (letter, repeatable) = match text.strip_suffix('М') {
        Some(letter) => (letter, true),
        None => (text, false),
    };
    let (required, conditional) = match letter {
        "О" => (true, false),
        "У" => (false, true),
        "Н" => (false, false),
        _ => return None,
    };
    Some(Obligation { required, conditional, repeatable })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_tables_are_sound() {
        let formats = Formats::load(&RuleFiles::embedded()).expect("every table compiles");
        assert!(formats.all().count() >= 29, "27 tables of facts, two editions of 5.x twice");
        for format in formats.all() {
            let of_packages = formats.has_persons(format.family) || format.family == PERSONS;
            for role in [Role::Root, Role::Header, Role::Version, Role::Record, Role::FileName, Role::IdPac].into_iter().take(if of_packages { 6 } else { 4 }) {
                assert!(format.role(role).is_some(), "{} {} has no {role:?}", format.family, format.edition.id);
            }
        }
    }

    #[test]
    fn broken_tables_are_refused_with_the_line() {
        let head = "parent,element,obligation,type,length,mask,chars,values,book,since,until,role,personal,basis,scope,name_ru,name_en\n";
        let root = ",R,О,S,,,,,,3.2,,root,,structure,federal,корень,root\nR,P,ОМ,S,,,,,,3.2,,record,,structure,federal,запись,record\n";
        let broken = [
            ("R/Q,A,О,T,5,,,,,3.2,,,,Q015,federal,а,a", "unknown parent R/Q"),
            ("R/P,A,О,T,5,,,,,3.2,,,,Q015,federal,а,a\nR/P,A,О,T,5,,,,,3.2,,,,Q015,federal,а,a", "stands twice"),
            ("R/P,A,О,T,x,,,,,3.2,,,,Q015,federal,а,a", "length «x»"),
            ("R/P,A,О,T,9-5,,,,,3.2,,,,Q015,federal,а,a", "length «9-5»"),
            ("R/P,A,Ж,T,5,,,,,3.2,,,,Q015,federal,а,a", "obligation"),
            ("R/P,A,О,T,5,,latin,,,3.2,,,,Q015,federal,а,a", "no character set «latin»"),
            ("R/P,A,О,T,5,9[,,,,3.2,,,,Q015,federal,а,a", "«[» without «]»"),
            ("R/P,A,О,N,1,,,7 x,,3.2,,,,Q015,federal,а,a", "«x» does not fit"),
            ("R/P,A,О,T,5,,,,,7.7,,,,Q015,federal,а,a", "edition «7.7»"),
            ("R/P,A,О,T,5,,,,,3.2,,record,,Q015,federal,а,a", "taken already"),
            ("R/P,A,О,T,5,,,,,3.2,,,,Q015,federal,,a", "name_ru"),
            ("R/P,A,О,S,,,,,,3.2,,,,Q015,federal,а,a", "has no children"),
        ];
        for (rows, reason) in broken {
            let folder = tempfile::tempdir().expect("a folder");
            std::fs::create_dir_all(folder.path().join("formats")).expect("a folder");
            let write = |name: &str, text: String| std::fs::write(folder.path().join("formats").join(name), text).expect("written");
            write("editions.csv", "family,edition,version,from,until,basis,source_note\nL,3.2,3.2,,,proven,\n".into());
            write("names.csv", "prefix,family,person_prefix,disp,since,until,scope,name_ru,name_en\n".into());
            write("charsets.csv", "id,chars,name_ru,name_en\ndigits,0-9,цифры,digits\n".into());
            write("L.csv", format!("{head}{root}{rows}\n"));
            let error = Formats::load(&RuleFiles::with_overlay(folder.path())).expect_err(reason).to_string();
            assert!(error.contains(reason) && error.contains("rules/formats/L.csv"), "{error} does not say {reason}");
        }
    }
}
