//! Where imported books live.

use std::path::{Path, PathBuf};

/// The folder of a workspace, and that of its books in it.
const WORKSPACE: &str = ".puomp";
const BOOKS: &str = "books";
/// The folder of this program among the user's data.
const PROGRAM: &str = "puomp";

/// The folder of compiled books when nobody named one: that of the workspace around `start`, else that among the user's data. It need not exist.
pub fn folder(start: &Path, user: Option<&Path>) -> Option<PathBuf> {
    let workspace = start.ancestors().map(|a| a.join(WORKSPACE)).find(|w| w.is_dir()).map(|w| w.join(BOOKS));
    workspace.or_else(|| user.map(|data| data.join(PROGRAM).join(BOOKS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_around_comes_first() {
        let place = tempfile::tempdir().expect("a folder");
        let deep = place.path().join("год/месяц");
        std::fs::create_dir_all(&deep).expect("folders");
        let user = Path::new("user");
        assert_eq!(folder(&deep, None), None);
        assert_eq!(folder(&deep, Some(user)), Some(user.join("puomp/books")));
        std::fs::create_dir(place.path().join(WORKSPACE)).expect("a folder");
        assert_eq!(folder(&deep, Some(user)), Some(place.path().join(".puomp/books")));
    }
}
