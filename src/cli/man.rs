//! `puomp man`: manual pages, made from the parser's own definitions. The verb is hidden: it is for packagers and our tests.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Command};

use super::session::Session;
use super::{Exit, Failure, help};
use crate::sys::{Access, write_atomic};
use crate::tables::RuleFiles;
use crate::texts::{Lang, Texts};

/// `puomp man DIR`.
#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// The folder; Russian pages go to `ru` in it.
    folder: PathBuf,
}

impl ManArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        for (name, page) in pages(session.command)? {
            let path = self.folder.join(name);
            let write = || path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| write_atomic(&path, Access::Default, &page));
            write().map_err(|error| Failure::Write(path.clone(), error))?;
        }
        Ok(Exit::Done)
    }
}

/// Every page with its path below the folder.
fn pages(definition: fn() -> Command) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let texts = Texts::load(&RuleFiles::embedded())?;
    let mut pages = Vec::new();
    for (lang, folder) in [(Lang::En, ""), (Lang::Ru, "ru/")] {
        let mut command = help::command(definition(), &texts, lang);
        command.build();
        page(&command, "puomp", folder, &mut pages)?;
    }
    Ok(pages)
}

fn page(command: &Command, name: &str, folder: &str, pages: &mut Vec<(String, Vec<u8>)>) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone().name(name.to_owned())).render(&mut text)?;
    pages.push((format!("{folder}{name}.1"), text));
    for verb in command.get_subcommands().filter(|c| !c.is_hide_set()) {
        page(verb, &format!("{name}-{}", verb.get_name()), folder, pages)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::args::Cli;

    #[test]
    fn the_pages_in_the_repository_are_those_of_the_program() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
        let pages = pages(Cli::command).expect("rendered");
        for (name, page) in &pages {
            let there = fs::read(folder.join(name)).unwrap_or_default();
            assert!(there == *page, "man/{name} is out of date: cargo run -- man man");
        }
        let there = |folder: &Path| fs::read_dir(folder).expect("a folder").filter(|e| e.as_ref().is_ok_and(|e| e.path().is_file())).count();
        assert_eq!(there(&folder) + there(&folder.join("ru")), pages.len(), "a page of a verb that is no more");
    }
}
