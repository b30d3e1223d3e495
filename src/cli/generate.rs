//! `puomp generate`: invented packages for training, pilots, tests and benches.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::out::{bytes, print};
use super::session::Session;
use super::ui::Ui;
use super::{Exit, Failure};
use crate::finding::Catalog;
use crate::generate::{self, Choice, Error, Generator, Options, Packing};
use crate::registry::encoding::Encoding;
use crate::registry::format::Formats;
use crate::registry::writer::Layout;
use crate::texts::Key;
use crate::values::Month;

/// Arguments of `puomp generate`.
#[derive(Debug, Args)]
pub(super) struct GenerateArgs {
    /// The folder of the result.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Family, or letters of a file name.
    #[arg(long, value_name = "FAMILY", default_value = "H")]
    family: String,
    /// Edition.
    #[arg(long, value_name = "EDITION")]
    edition: Option<String>,
    /// Reporting month.
    #[arg(long, value_name = "YYYY-MM")]
    period: Option<String>,
    /// Number of cases.
    #[arg(long, value_name = "N", default_value_t = 100)]
    cases: u32,
    /// Seed of the people and their cases: the same arguments give the same package.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Code of the clinic.
    #[arg(long, value_name = "CODE")]
    clinic: Option<String>,
    /// Code of the insurer.
    #[arg(long, value_name = "CODE")]
    insurer: Option<String>,
    /// Number of the packet in the file's name.
    #[arg(long, value_name = "N", default_value_t = 1)]
    packet: u16,
    /// Share of the cases that is spoiled.
    #[arg(long, value_name = "SHARE")]
    defects: Option<f64>,
    /// One record with every element of the edition.
    #[arg(long, conflicts_with_all = ["cases", "seed", "clinic", "insurer", "packet", "defects"])]
    everything: bool,
    /// Two files instead of an archive.
    #[arg(long)]
    plain: bool,
    /// Nothing between the elements.
    #[arg(long)]
    compact: bool,
    /// Encoding of the files.
    #[arg(long, value_name = "ENCODING", default_value = "windows-1251")]
    encoding: EncodingArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EncodingArg {
    #[value(name = "windows-1251")]
    Windows1251,
    #[value(name = "utf-8")]
    Utf8,
}

impl GenerateArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let Session { files, ui, .. } = *session;
        let formats = Formats::load(files)?;
        let options = self.options(&formats)?;
        let failure = |error: Error| self.failure(error);
        let packing = if self.plain { Packing::Plain } else { Packing::Zip };
        if self.everything {
            return self.everything(&formats, &options, packing, ui);
        }
        let mut generator = Generator::new(files, &formats, &options).map_err(failure)?;
        if let Some(share) = self.defects {
            if !(0.0..=1.0).contains(&share) {
                return Err(Failure::Value(share.to_string(), "0…1".to_owned()));
            }
            generator.spoil(files, &Catalog::load(files)?, share)?;
        }
        let summary = generator.write_into(&self.folder, packing).map_err(failure)?;
        if !ui.quiet {
            let paths: Vec<String> = summary.files.iter().map(|p| p.display().to_string()).collect();
            let (texts, lang) = (ui.texts, ui.lang);
            let slots = [
                ("files", paths.join(", ")),
                ("cases", texts.count(Key::CountCase, lang, summary.totals.records)),
                ("persons", texts.number(lang, summary.totals.persons)),
                ("sum", texts.money(lang, summary.totals.sum_kopecks)),
            ];
            let slots: Vec<(&str, &str)> = slots.iter().map(|(name, value)| (*name, value.as_str())).collect();
            print(&format!("{}\n", texts.fill(Key::GenerateDone, lang, &slots)))?;
            if generator.is_spoiled() {
                print(&format!("{}\n", texts.fill(Key::GenerateDefects, lang, &[("number", &texts.number(lang, summary.defects))])))?;
            }
        }
        Ok(Exit::Done)
    }

    fn everything(&self, formats: &Formats, options: &Options, packing: Packing, ui: &Ui<'_>) -> Result<Exit, Failure> {
        let failure = |error: Error| self.failure(error);
        let edition = &generate::choose_edition(formats, options).map_err(failure)?.edition.id;
        let package = generate::everything(formats, options.family, edition, options.encoding, options.layout).map_err(failure)?;
        for file in package.write_into(&self.folder, packing).map_err(failure)? {
            if !ui.quiet {
                bytes(format!("{}\n", file.display()).as_bytes())?;
            }
        }
        Ok(Exit::Done)
    }

    /// The options of the generator. Missing ones follow from the others: the family from the letters, the month from the first month of the
    /// edition, the edition from the month.
    fn options(&self, formats: &Formats) -> Result<Options, Failure> {
        let given = self.family.to_uppercase();
        let unknown = || {
            let known = formats.families().filter(|f| formats.has_persons(*f)).map(|f| f.to_string()).collect();
            self.failure(Error::Unknown { what: Choice::Family, given: self.family.clone(), known })
        };
        // Files exchanged between funds are not generated.
        let family = formats.family_of(&given).filter(|family| formats.has_persons(*family)).ok_or_else(unknown)?;
        let letters = formats.prefixes().iter().find(|p| p.letters == given && p.family == family);
        let period = match &self.period {
            Some(text) => text.parse::<Month>().map_err(|_| Failure::Value(text.clone(), "YYYY-MM".to_owned()))?,
            None => {
                let editions = formats.editions(family);
                let wanted = |e: &&std::sync::Arc<crate::registry::format::Format>| self.edition.as_ref().is_none_or(|id| e.edition.id == *id);
                let chosen = editions.iter().rfind(wanted).or(editions.last());
                let month = chosen.and_then(|f| f.edition.from.or(f.edition.until));
                month.ok_or_else(unknown)?
            }
        };
        Ok(Options {
            edition: self.edition.clone(),
            letters: letters.map(|p| p.letters.clone()),
            clinic: self.clinic.clone(),
            insurer: self.insurer.clone(),
            packet: self.packet.into(),
            encoding: match self.encoding {
                EncodingArg::Windows1251 => Encoding::Windows1251,
                EncodingArg::Utf8 => Encoding::Utf8,
            },
            layout: if self.compact { Layout::Compact } else { Layout::Lines },
            ..Options::new(family, period, self.cases.into(), self.seed)
        })
    }

    fn failure(&self, error: Error) -> Failure {
        match error {
            Error::Io(error) => Failure::Write(self.folder.clone(), error),
            other => Failure::of(other),
        }
    }
}
