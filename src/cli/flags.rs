//! Options that several verbs share. Help texts stand in `rules/texts.csv`; the comments here are for programmers.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Options of every verb.
#[derive(Debug, Default, Clone, Args)]
pub(super) struct Flags {
    /// Language of messages; read before parsing, see `lang.rs`.
    #[arg(long, global = true, value_name = "LANG")]
    pub(super) lang: Option<LangArg>,
    /// When to use colours.
    #[arg(long, global = true, value_name = "WHEN")]
    pub(super) color: Option<ColorArg>,
    /// Only report what is wrong.
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    /// Worker threads; as many as the machine has by default.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) threads: Option<u16>,
    /// A folder shaped like `rules/` that overrides built-in tables.
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) rules: Option<PathBuf>,
    /// Code of the region whose tables are merged over the federal ones.
    #[arg(long, global = true, value_name = "CODE")]
    pub(super) region: Option<String>,
    /// The configuration file; found upward from the first path by default.
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// No configuration file.
    #[arg(long, global = true, conflicts_with = "config")]
    pub(super) no_config: bool,
    /// The folder of imported books.
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) books: Option<PathBuf>,
    /// The time zone of the clinic.
    #[arg(long, global = true, value_name = "ZONE", allow_hyphen_values = true)]
    pub(super) time_zone: Option<String>,
    /// The folder to work in.
    #[arg(short = 'C', long = "directory", global = true, value_name = "DIR")]
    pub(super) directory: Option<PathBuf>,
}

/// Options about which findings count.
#[derive(Debug, Default, Clone, Args)]
pub(super) struct ControlArgs {
    /// Only these rules.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub(super) select: Vec<String>,
    /// All but these rules.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub(super) ignore: Vec<String>,
    /// Severity of rules.
    #[arg(long, value_name = "ID=LEVEL", value_delimiter = ',')]
    pub(super) severity: Vec<String>,
    /// Only what these can mend; an option of `validate` alone, because a case whose findings are hidden could go into a registry.
    #[arg(skip)]
    pub(super) mendable: Vec<String>,
    /// File with findings of an earlier run, which do not count.
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// File into which the findings of this run are written as a baseline.
    #[arg(long, value_name = "FILE")]
    pub(super) write_baseline: Option<PathBuf>,
}

/// Options about the workspace's store and the acting role.
#[derive(Debug, Default, Clone, Args)]
pub(super) struct PlaceArgs {
    /// Address of the store.
    #[arg(long, value_name = "URL")]
    pub(super) store: Option<String>,
    /// The role in which the user acts.
    #[arg(long, value_name = "ROLE")]
    pub(super) role: Option<String>,
    /// How long to wait for another program, seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    pub(super) wait: f64,
}

/// Form of an answer: for people or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Shape {
    /// For reading.
    #[default]
    Human,
    /// For programs.
    Json,
}

/// Form of an answer that is a list, which can also be a table for Excel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum ListShape {
    /// For reading.
    #[default]
    Human,
    /// For programs.
    Json,
    /// For Excel.
    Csv,
}

/// Form of an answer that is a list, which can also be a workbook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum TableShape {
    /// For reading.
    #[default]
    Human,
    /// For programs.
    Json,
    /// For tables.
    Csv,
    /// For Excel.
    Xlsx,
}

/// The values of `--lang`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LangArg {
    /// Russian.
    Ru,
    /// English.
    En,
}

/// The values of `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum ColorArg {
    /// On a terminal that shows them, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}
