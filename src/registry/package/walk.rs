//! Collects the files to inspect: the named ones and those under the named folders.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Input;
use crate::registry::source::DiskFile;

/// Extensions of the files that are inspected in folders.
const CANDIDATES: [&str; 3] = ["xml", "zip", "oms"];

/// A file to inspect.
#[derive(Debug)]
pub(super) struct Found {
    /// The file. Its path is as given, or the given folder with the path below it.
    pub file: DiskFile,
    /// Whether the user named exactly this file.
    pub explicit: bool,
    /// Real path of the folder, the same for all paths to it.
    pub folder: PathBuf,
    /// Why the file cannot be inspected.
    pub error: Option<io::Error>,
}

impl Found {
    pub(super) fn has_extension(&self, extensions: &[&str]) -> bool {
        has_extension(Path::new(&self.file.name()), extensions)
    }

    /// Name without the extension, in lower case.
    pub(super) fn stem(&self) -> String {
        self.file.stem().to_lowercase()
    }
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|found| extensions.iter().any(|e| found.eq_ignore_ascii_case(e)))
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// Collects files in the order of the inputs; a repeated file is taken once.
#[derive(Debug, Default)]
pub(super) struct Walk {
    found: Vec<Found>,
    /// Index in `found` by the real path of the file.
    seen: HashMap<PathBuf, usize>,
    /// Real paths of folders by their given paths.
    folders: HashMap<PathBuf, PathBuf>,
}

impl Walk {
    pub(super) fn run(inputs: &[Input]) -> Vec<Found> {
        let mut walk = Self::default();
        for input in inputs {
            let path = &input.file.path;
            if input.file.alias.is_some() {
                walk.kept(&input.file);
            } else if path.is_dir() {
                walk.folder(path);
            } else if input.explicit || has_extension(path, &CANDIDATES) {
                let real = fs::canonicalize(path);
                walk.push(path.clone(), real.ok(), input.explicit, None);
            }
        }
        walk.found
    }

    fn folder(&mut self, folder: &Path) {
        let listed = fs::read_dir(folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
        let mut entries = match listed {
            Ok(entries) => entries,
            Err(error) => return self.push(folder.to_owned(), None, true, Some(error)),
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            if is_hidden(&path) {
                continue;
            }
            // Linked folders are not followed: they could lead back up.
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.folder(&path),
                // A pipe would be waited for; a link to nothing is told as a file that cannot be read.
                Ok(_) if has_extension(&path, &CANDIDATES) && fs::metadata(&path).map_or(true, |there| there.is_file()) => self.push(path, None, false, None),
                Ok(_) | Err(_) => {}
            }
        }
    }

    /// A kept file has no neighbours: what lies beside it has nothing to do with it.
    fn kept(&mut self, file: &DiskFile) {
        if let Entry::Vacant(at) = self.seen.entry(file.path.clone()) {
            at.insert(self.found.len());
            self.found.push(Found { file: file.clone(), explicit: true, folder: file.path.clone(), error: None });
        }
    }

    fn push(&mut self, path: PathBuf, real: Option<PathBuf>, explicit: bool, error: Option<io::Error>) {
        let folder = self.real_folder(&path);
        let real = real.unwrap_or_else(|| path.file_name().map_or_else(|| path.clone(), |name| folder.join(name)));
        match self.seen.entry(real) {
            Entry::Occupied(at) => self.found[*at.get()].explicit |= explicit,
            Entry::Vacant(at) => {
                at.insert(self.found.len());
                self.found.push(Found { file: DiskFile::at(path), explicit, folder, error });
            }
        }
    }

    fn real_folder(&mut self, path: &Path) -> PathBuf {
        let folder = parent(path);
        if let Some(real) = self.folders.get(folder) {
            return real.clone();
        }
        let real = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        self.folders.insert(folder.to_owned(), real.clone());
        real
    }
}

/// The folder that contains a path; `.` for a bare name.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Files of folders by their names without extension, for finding the other half of a package.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    folders: HashMap<PathBuf, BTreeMap<String, Vec<PathBuf>>>,
}

impl Neighbours {
    /// The candidate files beside `path` whose name without extension is `stem` (in lower case), XML first.
    pub(super) fn named(&mut self, path: &Path, stem: &str) -> Vec<PathBuf> {
        let folder = parent(path);
        let names = self.folders.entry(folder.to_owned()).or_insert_with(|| {
            let mut names: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
            // An unreadable folder has no neighbours; the named file itself may still be readable.
            let entries = fs::read_dir(folder).map(|entries| entries.flatten().map(|e| e.file_name()).collect::<Vec<_>>()).unwrap_or_default();
            for name in entries {
                let name = PathBuf::from(name);
                if has_extension(&name, &CANDIDATES)
                    && !is_hidden(&name)
                    && let Some(stem) = name.file_stem()
                {
                    // A bare name stays bare: the user sees the path as he would write it.
                    let bare = path.parent().is_none_or(|p| p.as_os_str().is_empty());
                    let full = if bare { name.clone() } else { folder.join(&name) };
                    names.entry(stem.to_string_lossy().to_lowercase()).or_default().push(full);
                }
            }
            for paths in names.values_mut() {
                paths.sort_by_key(|p| (!has_extension(p, &CANDIDATES[..1]), p.clone()));
            }
            names
        });
        names.get(stem).cloned().unwrap_or_default()
    }
}

/// The paths of one argument; see [`super::expand`].
pub(super) fn expand(argument: &str) -> Result<Vec<Input>, String> {
    let path = Path::new(argument);
    if path.exists() || !argument.contains(['*', '?', '[']) {
        return Ok(vec![Input::named(path)]);
    }
    // Windows users expect `*.xml` to match `HM….XML`; their shell does not expand wildcards.
    let options = glob::MatchOptions { case_sensitive: false, require_literal_separator: true, require_literal_leading_dot: true };
    let paths = glob::glob_with(argument, options).map_err(|e| e.to_string())?;
    Ok(paths.flatten().map(|path| Input { file: DiskFile::at(path), explicit: false }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
            fs::write(path, "x").expect("written");
        }
        folder
    }

    fn names(root: &Path, found: &[Found]) -> Vec<String> {
        found.iter().map(|f| f.file.path.strip_prefix(root).expect("below the folder").to_string_lossy().replace('\\', "/")).collect()
    }

    #[test]
    fn folders_are_walked_in_order_without_what_is_hidden() {
        let root = folder(&["b.XML", "a/z.zip", "a/a.oms", "a.txt", ".hidden/a.xml", ".puomp/b.xml", ".c.xml", "c.json", "Я папка/д.xml"]);
        let found = Walk::run(&[Input::named(root.path())]);
        assert_eq!(names(root.path(), &found), ["a/a.oms", "a/z.zip", "b.XML", "Я папка/д.xml"]);
        assert!(found.iter().all(|f| !f.explicit));
    }

    #[test]
    fn a_file_given_twice_is_taken_once() {
        let root = folder(&["a.xml", "b.xml", "c.txt"]);
        let named = |name: &str| Input::named(root.path().join(name));
        let found = Walk::run(&[named("b.xml"), Input::named(root.path()), named("c.txt"), named("a.xml"), Input { explicit: false, ..named("c.txt") }]);
        assert_eq!(names(root.path(), &found), ["b.xml", "a.xml", "c.txt"]);
        assert_eq!(found.iter().map(|f| f.explicit).collect::<Vec<_>>(), [true, true, true]);
        assert!(found[0].folder == found[1].folder);
    }

    #[test]
    fn wildcards_find_any_letter_case() {
        let root = folder(&["HM1.XML", "lm1.xml", "other.txt"]);
        let pattern = root.path().join("*.xml");
        let inputs = expand(pattern.to_str().expect("a plain path")).expect("a pattern");
        assert_eq!(inputs.len(), 2);
        assert!(inputs.iter().all(|i| !i.explicit));
        let plain = root.path().join("none.xml");
        assert_eq!(expand(plain.to_str().expect("a plain path")), Ok(vec![Input::named(plain)]));
        assert!(expand("a[").is_err());
    }

    #[test]
    fn neighbours_by_name_in_any_letter_case() {
        let root = folder(&["LM1.zip", "lm1.XML", "lm1.txt"]);
        let mut neighbours = Neighbours::default();
        let found = neighbours.named(&root.path().join("HM1.xml"), "lm1");
        assert_eq!(found, [root.path().join("lm1.XML"), root.path().join("LM1.zip")]);
    }
}
