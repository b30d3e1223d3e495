//! From a path to decoded text: files, folders, archives and encodings.

use std::borrow::Cow;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::Refusal;
use crate::registry::archive::{Archive, Limits, is_zip};
use crate::registry::encoding::{BOM, Encoding};
use crate::sys::open_input;

/// Limit of unpacked bytes; it exceeds any published book.
const MAX_BYTES: u64 = 1 << 30;
/// Bytes of a file that are looked at before the others are read.
const HEAD: u64 = 64 << 10;
/// The extensions that are read from folders and archives.
const ENDINGS: [&str; 2] = ["xml", "csv"];
const ARCHIVE: &str = "zip";
/// A file in every Excel workbook, which is a zip archive of XML too.
const WORKBOOK: &str = "[Content_Types].xml";

/// The content of one file or entry.
#[derive(Debug)]
pub(in crate::nsi) struct Source {
    /// Path, with the name of the entry in an archive.
    pub(in crate::nsi) name: String,
    /// Name without folders and extension.
    pub(in crate::nsi) stem: String,
    pub(in crate::nsi) bytes: Vec<u8>,
}

/// The files of a path: the path itself, or the books and archives in a folder and its subfolders, sorted by name.
pub(in crate::nsi) fn files(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    let mut entries: Vec<_> = std::fs::read_dir(path).into_iter().flatten().flatten().map(|e| e.path()).collect();
    entries.sort();
    let wanted = |p: &PathBuf| p.extension().and_then(|e| e.to_str()).is_some_and(|e| ends_with(e, &ENDINGS) || e.eq_ignore_ascii_case(ARCHIVE));
    // A link to a folder is not followed: it could lead in a circle.
    entries.into_iter().flat_map(|p| if p.is_dir() && !p.is_symlink() { files(&p) } else { Some(p).filter(wanted).into_iter().collect() }).collect()
}

fn ends_with(ending: &str, endings: &[&str]) -> bool {
    endings.iter().any(|e| ending.eq_ignore_ascii_case(e))
}

/// Takes a file that is no book, if it is one for it: gets the file's name, its first 64 KiB, and all its bytes as a stream, so that a huge file
/// need not fit in memory. Says whether it took the file.
pub type Aside<'a> = dyn FnMut(&str, &[u8], &mut dyn Read) -> bool + 'a;

/// Reads a file; an archive gives each of its books. What `aside` takes is not among them.
pub(in crate::nsi) fn read(path: &Path, aside: &mut Aside<'_>) -> Found {
    let name = path.display().to_string();
    let bytes = match slurp(path, &name, aside) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Vec::new(),
        Err(refusal) => return vec![(name, Err(refusal))],
    };
    if !is_zip(&bytes) {
        let stem = stem(&path.file_name().unwrap_or_default().to_string_lossy());
        return vec![(name.clone(), Ok(Source { name, stem, bytes }))];
    }
    match entries(&name, &bytes, aside) {
        Ok(found) => found,
        Err(refusal) => vec![(name, Err(refusal))],
    }
}

/// The bytes of a file; `None` when it was taken aside.
fn slurp(path: &Path, name: &str, aside: &mut Aside<'_>) -> Result<Option<Vec<u8>>, Refusal> {
    let unreadable = |e: std::io::Error| Refusal::Unreadable(e.kind());
    let mut file = open_input(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(Refusal::Unreadable(std::io::ErrorKind::IsADirectory));
    }
    let mut bytes = Vec::new();
    file.by_ref().take(HEAD).read_to_end(&mut bytes).map_err(unreadable)?;
    if !is_zip(&bytes) && aside(name, &bytes, &mut bytes.as_slice().chain(&mut file)) {
        return Ok(None);
    }
    file.take(MAX_BYTES + 1 - bytes.len() as u64).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES { Err(Refusal::TooLarge) } else { Ok(Some(bytes)) }
}

pub(in crate::nsi) type Found = Vec<(String, Result<Source, Refusal>)>;

/// The books of an archive. What `aside` takes is not among them.
pub(in crate::nsi) fn entries(archive_name: &str, bytes: &[u8], aside: &mut Aside<'_>) -> Result<Found, Refusal> {
    let limits = Limits { total: MAX_BYTES, ..Limits::default() };
    let mut archive = Archive::new(std::io::Cursor::new(bytes), &limits).map_err(Refusal::Archive)?;
    if archive.entries().iter().any(|e| e.name == WORKBOOK) {
        return Err(Refusal::NotABook);
    }
    let wanted = |base: &str| base.rsplit_once('.').is_some_and(|(_, ending)| ends_with(ending, &ENDINGS));
    let list: Vec<_> = archive.entries().iter().enumerate().filter(|(_, e)| wanted(e.base_name())).map(|(i, e)| (i, e.base_name().to_owned())).collect();
    if list.is_empty() {
        return Err(Refusal::NotABook);
    }
    let mut found = Vec::new();
    for (index, base) in list {
        let name = format!("{archive_name}/{base}");
        let mut content = Vec::new();
        let read = archive.entry(index).and_then(|mut entry| {
            entry.by_ref().take(HEAD).read_to_end(&mut content)?;
            if aside(&name, &content, &mut content.as_slice().chain(&mut entry)) {
                return Ok(false);
            }
            entry.read_to_end(&mut content)?;
            Ok(true)
        });
        match read {
            Ok(false) => {}
            Ok(true) => found.push((name.clone(), Ok(Source { name, stem: stem(&base), bytes: content }))),
            Err(fault) => found.push((name, Err(Refusal::Archive(fault)))),
        }
    }
    Ok(found)
}

fn stem(base: &str) -> String {
    match base.rsplit_once('.') {
        Some((stem, ending)) if ends_with(ending, &ENDINGS) => stem.to_owned(),
        _ => base.to_owned(),
    }
}

/// Decodes a file: by its byte order mark or its XML declaration; without both as UTF-8 when the bytes are valid, otherwise as windows-1251.
///
/// # Errors
/// The bytes are not valid in the encoding.
pub(in crate::nsi) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Refusal> {
    let (bytes, encoding) = match bytes.strip_prefix(BOM) {
        Some(rest) => (rest, Encoding::Utf8),
        None => match declared(bytes) {
            Some(label) => (bytes, known(&label).ok_or(Refusal::Encoding)?),
            None if std::str::from_utf8(bytes).is_ok() => (bytes, Encoding::Utf8),
            None => (bytes, Encoding::Windows1251),
        },
    };
    let text = encoding.decode(bytes);
    // A zero byte means UTF-16 or a binary file.
    if text.contains([char::REPLACEMENT_CHARACTER, '\0']) { Err(Refusal::Encoding) } else { Ok(text) }
}

/// The encoding that an XML declaration names.
fn declared(bytes: &[u8]) -> Option<String> {
    let head = bytes.trim_ascii_start();
    let head = &head[..head.len().min(200)];
    let head = head.starts_with(b"<?xml").then(|| String::from_utf8_lossy(head))?;
    let (declaration, _) = head.split_once("?>")?;
    let (_, rest) = declaration.split_once("encoding")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    rest[1..].split(quote).next().map(str::to_owned)
}

fn known(label: &str) -> Option<Encoding> {
    let is = |names: &[&str]| ends_with(label, names);
    if is(&["windows-1251", "cp1251", "win-1251", "1251"]) { Some(Encoding::Windows1251) } else { is(&["utf-8", "utf8", "us-ascii"]).then_some(Encoding::Utf8) }
}

/// Whether a text begins like XML.
pub(super) fn is_xml(text: &str) -> bool {
    text.trim_start().starts_with('<')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_by_mark_declaration_and_content() {
        assert_eq!(decode("\u{FEFF}IDPR;имя".as_bytes()).as_deref(), Ok("IDPR;имя"));
        assert_eq!(decode(b"<?xml version='1.0' encoding='windows-1251'?><a>\xE8</a>").as_deref(), Ok("<?xml version='1.0' encoding='windows-1251'?><a>и</a>"));
        assert_eq!(decode(b"IDPR;\xE8\xEC\xFF").as_deref(), Ok("IDPR;имя"));
        assert_eq!(decode("IDPR;имя".as_bytes()).as_deref(), Ok("IDPR;имя"));
        for bad in [
            b"<?xml version=\"1.0\" encoding=\"utf-8\"?><a>\xE8</a>".as_slice(),
            b"<?xml version=\"1.0\" encoding=\"koi8-r\"?><a/>",
            b"I\0D\0",
            b"<a>\x98</a>\xFF",
        ] {
            assert_eq!(decode(bad), Err(Refusal::Encoding));
        }
    }

    #[test]
    fn folders_give_their_books_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("b")).expect("a folder");
        for name in ["c.XML", "a.csv", "b/d.zip", "e.txt"] {
            std::fs::write(folder.path().join(name), "").expect("written");
        }
        let names: Vec<_> = files(folder.path()).iter().map(|p| p.file_name().expect("a name").to_string_lossy().into_owned()).collect();
        assert_eq!(names, ["a.csv", "d.zip", "c.XML"]);
        assert_eq!(files(&folder.path().join("nothing.xml")).len(), 1);
    }
}
