//! Documents that go between funds: nothing generates them, so they are made from the samples and from what stood in generated records.

use std::path::Path;
use std::sync::Arc;

use puomp::registry::encoding::Encoding;
use puomp::registry::format::{Content, Family, Format, Formats, NodeId, Role};
use puomp::rules::witness::{Document, Elem, Tree, typical};
use puomp::values::Month;

use super::by_hand::named;

/// What is carried over of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Share {
    /// All that the target knows.
    All,
    /// What the target asks for, where nobody else has it.
    Required,
}

/// A source: a tree and the element of it that answers to the one that is made.
type Source<'a> = (&'a Tree, &'a Elem, Share);

/// What only funds write, and what it repeats in a sound document.
const SAME: &[(&str, &str)] =
    &[("USL/DS", "SL/DS1"), ("SCHET/SUMMAV", "Z_SL/SUMV"), ("SCHET/SUMMAP", "Z_SL/SUMV"), ("Z_SL/SUMP", "Z_SL/SUMV"), ("PACIENT/ST_OKATO", "ZGLV/OKATO_OMS")];

/// The sample of each family between funds, read in its own edition and named as its file.
pub(crate) fn samples(formats: &Formats) -> Vec<Tree> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/between-funds");
    let mut paths: Vec<_> = std::fs::read_dir(folder).expect("the samples").map(|e| e.expect("an entry").path()).collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let family = formats.prefixes().iter().find(|p| name.starts_with(&format!("{}T", p.letters)) && !formats.has_persons(p.family)).expect("known").family;
        let bytes = std::fs::read(path).expect("read");
        let trees = formats.editions(family).iter().filter_map(|format| Tree::read(format, &bytes, Encoding::Windows1251));
        // The version that it states is that of its edition.
        let mut tree = trees.into_iter().find(|t| t.role(Role::Version) == Some(t.format.edition.version.as_str())).expect("of its edition");
        tree.name = name;
        tree
    };
    paths.iter().map(read).collect()
}

/// A sample as it would be of another month.
pub(crate) fn of_month(formats: &Formats, sample: &Tree, month: Month) -> Option<Document> {
    let format = format_of(formats, sample.format.family, month)?;
    let mut main = Tree { name: name_of(sample, month), root: made(format, &[(sample, &sample.root, Share::All)])?, format: Arc::clone(format) };
    let old = |role| sample.role(role).and_then(|t| t.parse::<u16>().ok());
    let was = Month::new(old(Role::Year)?, u8::try_from(old(Role::Month)?).ok()?)?;
    let next = |m: Month| m.next();
    for (from, to) in [(next(next(was)), next(next(month))), (next(was), next(month)), (was, month)] {
        main.root.each_value(&mut |_, text| {
            if let Some(day) = text.strip_prefix(&format!("{from}-")) {
                // The two changes do not meet: days that are done begin with another mark.
                *text = format!("!{to}-{day}");
            }
        });
    }
    main.root.each_value(&mut |_, text| {
        if let Some(done) = text.strip_prefix('!') {
            *text = done.to_owned();
        }
    });
    stamped(&mut main, month);
    Some(Document { main, persons: None })
}

/// What stood in a record of a clinic, as a fund tells it to another.
pub(crate) fn carried(formats: &Formats, sample: &Tree, doc: &Document) -> Option<Document> {
    let number = |role| doc.main.role(role).and_then(|t| t.parse::<u16>().ok());
    let month = Month::new(number(Role::Year)?, u8::try_from(number(Role::Month)?).ok()?)?;
    let format = format_of(formats, sample.format.family, month)?;
    let persons = doc.persons.as_ref()?;
    let person = persons.format.role(Role::Record).and_then(|r| persons.below(&[], r).into_iter().next())?;
    let person = (persons, persons.root.at(&person)?, Share::All);
    let root = block(format, format.root(), &[(&doc.main, &doc.main.root, Share::All), (sample, &sample.root, Share::Required)], Some(person))?;
    let mut main = Tree { name: name_of(sample, month), root, format: Arc::clone(format) };
    stamped(&mut main, month);
    for (name, of) in SAME {
        let value = |name| named(&main, name).and_then(|node| main.below(&[], node).into_iter().next()).and_then(|way| Some(main.root.at(&way)?.text.clone()));
        if let Some((node, text)) = named(&main, name).zip(value(of)) {
            let block = main.format.node(node).parent.and_then(|parent| main.below(&[], parent).into_iter().next());
            if let Some(block) = block.filter(|_| main.below(&[], node).is_empty()) {
                main.insert(&block, Elem::new(node));
            }
            main.below(&[], node).iter().for_each(|way| main.set(way, &text));
        }
    }
    Some(Document { main, persons: None })
}

fn format_of(formats: &Formats, family: Family, month: Month) -> Option<&Arc<Format>> {
    formats.editions(family).iter().rfind(|f| f.edition.in_force(month))
}

/// The name of the sample with another month.
fn name_of(sample: &Tree, month: Month) -> String {
    let (parties, number) = sample.name.split_once('_').unwrap_or((&sample.name, ""));
    format!("{parties}_{:02}{:02}{}", month.year % 100, month.month, number.get(4..).unwrap_or("1"))
}

fn stamped(main: &mut Tree, month: Month) {
    let version = main.format.edition.version.clone();
    main.set_role(Role::Version, &version);
    main.set_role(Role::Year, &month.year.to_string());
    main.set_role(Role::Month, &month.month.to_string());
}

fn made(format: &Format, sources: &[Source<'_>]) -> Option<Elem> {
    block(format, format.root(), sources, None)
}

/// A block out of blocks of the same name; of the patient also out of the person.
fn block(format: &Format, node: NodeId, sources: &[Source<'_>], person: Option<Source<'_>>) -> Option<Elem> {
    let mut elem = Elem::new(node);
    let own = person.filter(|_| format.role(Role::Patient) == Some(node));
    // The sample comes last: what a person's file says is said of this person.
    let (last, first) = sources.split_last()?;
    let sources: Vec<Source<'_>> = first.iter().copied().chain(own).chain([*last]).collect();
    for child in &format.node(node).children {
        let found = format.node(*child);
        let all: Vec<Vec<Source<'_>>> =
            sources.iter().map(|source| answering(*source, &found.name, found.obligation.required)).filter(|list| !list.is_empty()).collect();
        match &found.content {
            Content::Value(kind) => {
                let texts = all.first().into_iter().flatten().map(|(_, e, _)| e.text.clone());
                let mut texts: Vec<String> = texts.take(if found.obligation.repeatable { usize::MAX } else { 1 }).collect();
                if texts.is_empty() && found.obligation.required {
                    texts.push(typical(kind));
                }
                elem.children.extend(texts.into_iter().map(|text| Elem { node: *child, text, children: Vec::new() }));
            }
            Content::Block => {
                let Some((main, rest)) = all.split_first() else { continue };
                for source in main {
                    let sources: Vec<Source<'_>> = std::iter::once(*source).chain(rest.iter().filter_map(|r| r.first().copied())).collect();
                    elem.children.push(block(format, *child, &sources, person)?);
                }
            }
        }
    }
    Some(elem)
}

/// The elements of a name in a source, if it gives them.
fn answering<'a>((tree, elem, share): Source<'a>, name: &str, required: bool) -> Vec<Source<'a>> {
    let same = elem.children.iter().filter(|e| *tree.format.node(e.node).name == *name);
    same.filter(|_| share == Share::All || required).map(|e| (tree, e, share)).collect()
}
