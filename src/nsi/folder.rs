//! Where imported books live.

use std::path::{Path, PathBuf};

/// The folder of a workspace, and that of its books in it.
const WORKSPACE: &str = ".puomp";
const BOOKS: &str = "books";
/// The folder of this program among the user's data.
const PROGRAM: &str = "puomp";

/// The folder of compiled books: the one that was named; else that of the workspace around `start`; else the configured one; else that among
/// the user's data. It need not exist.
pub fn folder(start: &Path, named: Option<&Path>, configured: Option<&Path>, user: Option<&Path>) -> Option<PathBuf> {
    let workspace = || start.ancestors().map(|a| a.join(WORKSPACE)).find(|w| w.is_dir()).map(|w| w.join(BOOKS));
    let user = || user.map(|data| data.join(PROGRAM).join(BOOKS));
    named.map(Path::to_owned).or_else(workspace).or_else(|| configured.map(Path::to_owned)).or_else(user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_counts() {
        let place = tempfile::tempdir().expect("a folder");
        let deep = place.path().join("год/месяц");
        std::fs::create_dir_all(&deep).expect("folders");
        let (configured, user) = (Path::new("configured"), Path::new("user"));
        assert_eq!(folder(&deep, None, None, None), None);
        assert_eq!(folder(&deep, None, None, Some(user)), Some(user.join("puomp/books")));
        assert_eq!(folder(&deep, None, Some(configured), Some(user)), Some(configured.to_owned()));
        std::fs::create_dir(place.path().join(WORKSPACE)).expect("a folder");
        assert_eq!(folder(&deep, None, Some(configured), Some(user)), Some(place.path().join(".puomp/books")));
        assert_eq!(folder(&deep, Some(Path::new("named")), Some(configured), Some(user)), Some(PathBuf::from("named")));
    }
}
