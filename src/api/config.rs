//! The settings in force.

use serde::{Deserialize, Serialize};

/// All settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The settings, in the order in which they are shown.
    pub settings: Vec<Setting>,
}

/// A setting in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// Its name in `puomp.toml`.
    pub key: String,
    /// Its value; empty for none.
    pub value: String,
    /// The option, the variable or the file that said it; else a word in the language of the user.
    pub origin: String,
}
