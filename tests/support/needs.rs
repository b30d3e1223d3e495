//! Things that a test needs and a machine may lack. Such a test is ignored with the reason that `.ci/run` looks for; run anyway, it fails.

use std::path::{Path, PathBuf};

/// A file or folder of the facts from which our tables were made. They are kept beside the repository.
pub(crate) fn shared(inside: &str) -> PathBuf {
    let shared = std::env::var_os("PUOMP_SHARED").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = shared.join(inside);
    assert!(path.exists(), "there is no {}: PUOMP_SHARED must name the folder of facts (tests/README.md)", path.display());
    path
}
