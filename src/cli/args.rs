//! The command line: the options of every verb, and the verbs. Only `mod.rs` uses all of it.

use std::path::Path;

use clap::{Parser, Subcommand};

use super::backup::BackupArgs;
use super::cases::CasesArgs;
use super::completions::CompletionsArgs;
use super::config::ConfigArgs;
use super::explain::ExplainArgs;
use super::flags::Flags;
use super::form::FormArgs;
use super::formats::FormatsArgs;
use super::generate::GenerateArgs;
use super::init::InitArgs;
use super::journal::JournalArgs;
use super::load::LoadArgs;
use super::man::ManArgs;
use super::nsi::NsiArgs;
use super::receive::ReceiveArgs;
use super::restore::RestoreArgs;
use super::review::ReviewArgs;
use super::rules::RulesArgs;
use super::session::Session;
use super::status::StatusArgs;
use super::submit::SubmitArgs;
use super::validate::ValidateArgs;
use super::watch::WatchArgs;
use super::withdraw::WithdrawArgs;
use super::{Exit, Failure};

/// The command line of the program.
#[derive(Debug, Parser)]
#[command(name = "puomp", version, propagate_version = false, disable_help_subcommand = true)]
pub(super) struct Cli {
    /// The verb with its arguments.
    #[command(subcommand)]
    pub(super) verb: Verb,
    #[command(flatten)]
    pub(super) flags: Flags,
}

/// The verbs; each has a file of its own.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Format-logic control.
    Validate(ValidateArgs),
    /// Makes a folder into a workspace.
    Init(InitArgs),
    /// Loads packages into the workspace.
    Load(LoadArgs),
    /// Watches a folder and loads the packages that appear there.
    Watch(WatchArgs),
    /// Forms registries from cases.
    Form(FormArgs),
    /// Sends registries to their payers.
    Submit(SubmitArgs),
    /// Records a decision of the payer.
    Review(ReviewArgs),
    /// Receives answers of payers.
    Receive(ReceiveArgs),
    /// Takes a registry back from the payer.
    Withdraw(WithdrawArgs),
    /// Shows the registries and their statuses.
    Status(StatusArgs),
    /// Lists cases and takes them back.
    Cases(CasesArgs),
    /// Shows the journal and verifies it.
    Journal(JournalArgs),
    /// Writes a backup of the workspace.
    Backup(BackupArgs),
    /// Makes a workspace of a backup.
    Restore(RestoreArgs),
    /// The tables of the formats.
    Formats(FormatsArgs),
    /// Shows the settings in force.
    Config(ConfigArgs),
    /// Invented packages.
    Generate(GenerateArgs),
    /// Reference books.
    Nsi(NsiArgs),
    /// The rule book.
    Rules(RulesArgs),
    /// Explains a rule.
    Explain(ExplainArgs),
    /// Manual pages.
    #[command(hide = true)]
    Man(ManArgs),
    /// Completions of the shells.
    #[command(hide = true)]
    Completions(CompletionsArgs),
}

impl Verb {
    /// The first path that a verb works on; the search for the configuration file begins there.
    pub(super) fn first_path(&self) -> Option<&Path> {
        match self {
            Self::Validate(verb) => verb.first_path(),
            Self::Config(verb) => verb.path.as_deref(),
            _ => None,
        }
    }

    /// The files and folders that a verb reads as they come from elsewhere.
    pub(super) fn inputs(&self) -> Vec<&Path> {
        match self {
            Self::Validate(verb) => verb.inputs(),
            Self::Load(verb) => verb.inputs(),
            Self::Watch(verb) => vec![verb.folder()],
            Self::Receive(verb) => verb.inputs(),
            Self::Config(verb) => verb.path.as_deref().into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Whether the folder of rules may be missing, because the verb is an import that makes it.
    pub(super) fn makes_rules_folder(&self) -> bool {
        matches!(self, Self::Rules(verb) if verb.makes_folder())
    }

    /// Runs the verb and returns how the program ends.
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        match self {
            Self::Validate(verb) => verb.run(session),
            Self::Init(verb) => verb.run(session),
            Self::Load(verb) => verb.run(session),
            Self::Watch(verb) => verb.run(session),
            Self::Form(verb) => verb.run(session),
            Self::Submit(verb) => verb.run(session),
            Self::Review(verb) => verb.run(session),
            Self::Receive(verb) => verb.run(session),
            Self::Withdraw(verb) => verb.run(session),
            Self::Status(verb) => verb.run(session),
            Self::Cases(verb) => verb.run(session),
            Self::Journal(verb) => verb.run(session),
            Self::Backup(verb) => verb.run(session),
            Self::Restore(verb) => verb.run(session),
            Self::Formats(verb) => verb.run(session),
            Self::Config(verb) => verb.run(session),
            Self::Generate(verb) => verb.run(session),
            Self::Nsi(verb) => verb.run(session),
            Self::Rules(verb) => verb.run(session),
            Self::Explain(verb) => verb.run(session),
            Self::Man(verb) => verb.run(session),
            Self::Completions(verb) => verb.run(session),
        }
    }
}
