//! The folder of imported books.

use std::path::{Path, PathBuf};

/// The folder of a workspace; the folder of books is inside it.
const WORKSPACE: &str = ".puomp";
const BOOKS: &str = "books";
/// This program's folder among the user's data.
const PROGRAM: &str = "puomp";

/// The default folder of compiled books: in the workspace around `start`, otherwise among the user's data. It may not exist yet.
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
