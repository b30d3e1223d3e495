//! The command line: options of every verb, and the verbs. Nobody but `mod.rs` knows the whole of it.

use std::path::Path;

use clap::{Parser, Subcommand};

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
use super::review::ReviewArgs;
use super::rules::RulesArgs;
use super::session::Session;
use super::status::StatusArgs;
use super::submit::SubmitArgs;
use super::validate::ValidateArgs;
use super::watch::WatchArgs;
use super::withdraw::WithdrawArgs;
use super::{Exit, Failure};

/// The program.
#[derive(Debug, Parser)]
#[command(name = "puomp", version, propagate_version = false, disable_help_subcommand = true)]
pub(super) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(super) verb: Verb,
    #[command(flatten)]
    pub(super) flags: Flags,
}

/// The verbs, one file each.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Format-logic control.
    Validate(ValidateArgs),
    /// A folder becomes a workspace.
    Init(InitArgs),
    /// Packages are taken in.
    Load(LoadArgs),
    /// A folder of exports is taken in as they come.
    Watch(WatchArgs),
    /// Cases become registries.
    Form(FormArgs),
    /// Registries go to their payers.
    Submit(SubmitArgs),
    /// The payer decides.
    Review(ReviewArgs),
    /// The clinic takes in an answer.
    Receive(ReceiveArgs),
    /// The clinic takes a registry back.
    Withdraw(WithdrawArgs),
    /// What stands where.
    Status(StatusArgs),
    /// Who did what.
    Journal(JournalArgs),
    /// The tables of the formats.
    Formats(FormatsArgs),
    /// What is in force.
    Config(ConfigArgs),
    /// Invented packages.
    Generate(GenerateArgs),
    /// Reference books.
    Nsi(NsiArgs),
    /// The rule book.
    Rules(RulesArgs),
    /// One rule.
    Explain(ExplainArgs),
    /// Manual pages.
    #[command(hide = true)]
    Man(ManArgs),
    /// Completions of the shells.
    #[command(hide = true)]
    Completions(CompletionsArgs),
}

impl Verb {
    /// The first path that a verb works on: from there the configuration file is looked for.
    pub(super) fn first_path(&self) -> Option<&Path> {
        match self {
            Self::Validate(verb) => verb.first_path(),
            Self::Config(verb) => verb.path.as_deref(),
            _ => None,
        }
    }

    /// Whether the folder of rules may still be missing: an import makes it.
    pub(super) fn makes_rules_folder(&self) -> bool {
        matches!(self, Self::Rules(verb) if verb.makes_folder())
    }

    /// Does it.
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
            Self::Journal(verb) => verb.run(session),
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
