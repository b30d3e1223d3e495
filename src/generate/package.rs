//! A whole package: the main file and its person file, block by block.

use std::io::{self, Write};

use rayon::prelude::*;
use serde::Deserialize;

use super::calendar::month_days;
use super::defect::{Defect, Patient, Progress, Ways};
use super::edition::choose_edition;
use super::emit::Output;
use super::plan::{Document, Plan};
use super::population::Population;
use super::rng::{Rng, mix};
use super::words::{State, Value, Words, given};
use super::{Choice, Error, Options};
use crate::finding::Catalog;
use crate::registry::format::{Formats, PERSONS, Prefix};
use crate::registry::name::{FileName, Party, PartyKind};
use crate::tables::{RuleFiles, TableError};

/// Number of persons that are generated as one piece of work.
const BLOCK: u64 = 512;

/// Names of the two files, without extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Name of the main file.
    pub main: String,
    /// Name of the person file.
    pub persons: String,
}

/// Receives each defect that was put in.
pub type Note<'a> = &'a mut (dyn FnMut(&Defect) -> io::Result<()> + Send);

/// Totals of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Records, each with one completed case.
    pub records: u64,
    /// Number of persons.
    pub persons: u64,
    /// Sum of the completed cases in kopecks.
    pub sum_kopecks: i64,
}

/// A package ready to be written.
#[derive(Debug)]
pub struct Generator<'t> {
    plan: Plan<'t>,
    people: Population,
    /// Seed of the cases: another one for each population, month and kind of file.
    seed: u64,
    names: Names,
    blocks: Vec<Block>,
    totals: Totals,
    spoiling: Option<Spoiling>,
}

/// Which records are spoiled, and how.
#[derive(Debug)]
struct Spoiling {
    ways: Ways,
    /// Share of the cases that are spoiled, in units of 2⁻⁶⁴.
    share: u64,
}

impl Spoiling {
    /// The random generator for spoiling a case; `None` if the case stays valid.
    fn of(&self, seed: u64, person: u64, case: u64) -> Option<Rng> {
        let mut rng = Rng::new(seed ^ SPOILING, person * 64 + case);
        (rng.bits() <= self.share).then_some(rng)
    }

    /// Whether the defect goes to the person instead of the first record.
    fn takes_person(rng: &mut Rng) -> bool {
        rng.below(12) == 0
    }
}

/// Keeps the choice of spoiled records apart from the choice of their content.
const SPOILING: u64 = 0x5301_1EDD;
/// Keeps the choice of what a person comes for apart from the choice of the cases.
const VISIT: u64 = 0x0715_17ED;

/// Bytes of one block and the defects in them.
type Piece = (Vec<u8>, Vec<Defect>);

/// A run of persons and their records.
#[derive(Debug, Clone, Copy, Default)]
struct Block {
    first_person: u64,
    persons: u64,
    first_record: u64,
    records: u64,
    sum: i64,
}

impl<'t> Generator<'t> {
    /// Compiles the tables for the options and computes the totals.
    ///
    /// # Errors
    /// A family, edition, period, letters or code does not exist, or a table is invalid.
    pub fn new(files: &'t RuleFiles, formats: &Formats, options: &Options) -> Result<Self, Error> {
        let unknown = |what, given: String, known: Vec<String>| Error::Unknown { what, given, known };
        let main = choose_edition(formats, options)?;
        let choose_persons = || formats.choose(PERSONS, None, Some(options.period));
        let (persons, _) = choose_persons().ok_or_else(|| unknown(Choice::Family, PERSONS.to_string(), Vec::new()))?;
        let prefix = prefix(formats, options)?;
        invented(files, formats, prefix)?;

        let mut words = Words::new(files);
        let (clinic, insurer) = parties(&mut words, options)?;
        let name = |letters: &str, is_persons: bool| FileName {
            letters: letters.to_owned(),
            family: Some(options.family),
            is_persons,
            sender: Party { kind: PartyKind::Clinic, code: clinic.clone() },
            receiver: Party { kind: PartyKind::Insurer, code: insurer.clone() },
            year: options.period.year,
            month: options.period.month,
            number: options.packet.to_string(),
        };
        let names = Names { main: name(&prefix.letters, false).to_string(), persons: name(&prefix.persons, true).to_string() };
        let (first_day, last_day) = month_days(options.period);
        let (year, month) = (i64::from(options.period.year), i64::from(options.period.month));
        // Editions of one VERSION differ by period; this number orders the VERSIONs.
        let version: i64 = main.edition.version.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0);
        let mut give = |slot, value| words.give(slot, value);
        give(given::YEAR, Value::Int(year));
        give(given::MONTH, Value::Int(month));
        give(given::PERIOD, Value::Int(year * 100 + month));
        give(given::VERSION, Value::Int(version));
        give(given::FIRST_DAY, Value::Date(first_day));
        give(given::LAST_DAY, Value::Date(last_day));
        give(given::PACKET, Value::Int(options.packet.into()));
        let people = Population::new(options.seed, &clinic, &insurer, options.period);
        give(given::POPULATION, Value::Int((people.key() >> 1) as i64));
        let family = options.family.to_string();
        for (slot, text) in [
            (given::FAMILY, &family),
            (given::LETTERS, &prefix.letters),
            (given::CLINIC, &clinic),
            (given::INSURER, &insurer),
            (given::FILE_NAME, &names.main),
            (given::MAIN_NAME, &names.main),
        ] {
            let id = words.text(text);
            words.give(slot, Value::Text(id));
        }
        words.text(&names.persons);
        words.text(&main.edition.version);
        words.text(&persons.edition.version);
        let plan = Plan::new(files, words, main, persons, options.encoding, options.layout)?;
        let stay = match plan.package.facts[plan.stay] {
            Value::Int(months) => months,
            _ => 1,
        };
        let (people, seed) = (people.staying(stay), people.cases(&prefix.letters));
        let mut generator = Self { plan, people, seed, names, blocks: Vec::new(), totals: Totals::default(), spoiling: None };
        generator.survey(options.cases)?;
        Ok(generator)
    }

    /// Spoils a share (0 to 1) of the cases, each in one way of `rules/generate/defects.csv`.
    ///
    /// # Errors
    /// That table is invalid.
    pub fn spoil(&mut self, files: &RuleFiles, catalog: &Catalog, share: f64) -> Result<(), TableError> {
        // A share of 1 becomes the largest number, which means every case.
        let share = (share.clamp(0.0, 1.0) * u64::MAX as f64) as u64;
        self.spoiling = if share == 0 { None } else { Some(Spoiling { ways: Ways::load(files, catalog)?, share }) };
        Ok(())
    }

    /// Whether defects will be put in.
    pub fn is_spoiled(&self) -> bool {
        self.spoiling.is_some()
    }

    /// Names of the files.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Totals of the package.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Writes the main file; `note` receives every defect in it, in order of place.
    ///
    /// # Errors
    /// The output or `note` fails, or a recipe of the tables fails.
    pub fn write_main(&self, out: &mut (dyn Write + Send), note: Note<'_>) -> Result<(), Error> {
        self.write(&self.plan.main, &self.names.main, out, note, |block| self.main_block(block))
    }

    /// Writes the person file.
    ///
    /// # Errors
    /// See [`Generator::write_main`].
    pub fn write_persons(&self, out: &mut (dyn Write + Send), note: Note<'_>) -> Result<(), Error> {
        self.write(&self.plan.persons, &self.names.persons, out, note, |block| self.persons_block(block))
    }

    /// Finds the blocks of persons whose cases fill the package, and their sums.
    fn survey(&mut self, cases: u64) -> Result<(), Error> {
        let threads = rayon::current_num_threads() as u64;
        let mut next_person = 0;
        while self.totals.records < cases {
            // Every person has a record, so no more persons are needed than records are left.
            let left = cases - self.totals.records;
            let window = (threads * 8).min(left.div_ceil(BLOCK));
            let surveyed = (0..window).into_par_iter().map(|i| self.survey_block(next_person + i * BLOCK, BLOCK, left)).collect::<Result<Vec<_>, _>>()?;
            next_person += window * BLOCK;
            for mut block in surveyed {
                let left = cases - self.totals.records;
                if left == 0 {
                    break;
                }
                if block.records > left {
                    block = self.survey_block(block.first_person, block.persons, left)?;
                }
                block.first_record = self.totals.records;
                self.totals.records += block.records;
                self.totals.persons += block.persons;
                self.totals.sum_kopecks += block.sum;
                self.blocks.push(block);
            }
        }
        Ok(())
    }

    fn survey_block(&self, first_person: u64, persons: u64, limit: u64) -> Result<Block, TableError> {
        let mut block = Block { first_person, ..Block::default() };
        let mut state = self.plan.package.clone();
        let mut facts = state.facts.clone();
        while block.persons < persons && block.records < limit {
            let person = first_person + block.persons;
            let records = self.records_of(person, limit - block.records, &mut state)?;
            facts.copy_from_slice(&state.facts);
            for case in 0..records {
                state.facts.copy_from_slice(&facts);
                self.case(person, case, &mut state)?;
                if let Value::Int(sum) = state.facts[self.plan.case_sum] {
                    block.sum += sum;
                }
                block.records += 1;
            }
            block.persons += 1;
        }
        Ok(block)
    }

    /// Sets the facts of a person; returns the number of the person's records, at most `limit`.
    fn records_of(&self, person: u64, limit: u64, state: &mut State) -> Result<u64, TableError> {
        state.facts.copy_from_slice(&self.plan.package.facts);
        let visitor = self.people.visitor(person);
        state.facts[given::PERSON_NO] = Value::Int(person as i64);
        state.facts[given::PERSON_KEY] = Value::Int((visitor.key >> 1) as i64);
        state.facts[given::SINCE] = Value::Date(visitor.since);
        state.rng = visitor.rng();
        self.plan.run(&self.plan.person, state)?;
        state.rng = Rng::new(self.seed ^ VISIT, person);
        self.plan.run(&self.plan.visit, state)?;
        let cases = match state.facts[self.plan.cases] {
            Value::Int(cases) if cases > 0 => cases as u64,
            _ => 1,
        };
        Ok(cases.min(limit))
    }

    /// Sets the facts of a case, after those of its person.
    fn case(&self, person: u64, case: u64, state: &mut State) -> Result<(), TableError> {
        state.rng = Rng::new(self.seed ^ mix(case + 1), person);
        state.facts[given::CASE_NO] = Value::Int(case as i64 + 1);
        state.facts[given::CASE_KEY] = Value::Int((mix(self.seed ^ mix(person) ^ case) >> 1) as i64);
        self.plan.run(&self.plan.case, state)
    }

    fn main_block(&self, block: &Block) -> Result<Piece, TableError> {
        let mut out = Output::new(block.records as usize * 2048);
        let mut defects = Vec::new();
        let mut state = self.plan.package.clone();
        let mut order = Vec::with_capacity(block.records as usize);
        let mut people = Vec::with_capacity(block.persons as usize);
        for person in block.first_person..block.first_person + block.persons {
            let records = self.records_of(person, block.records - order.len() as u64, &mut state)?;
            order.extend((0..records).map(|case| (person, case, case == 0 && records > 1)));
            people.push(state.facts.clone());
        }
        // Records of a person need not be adjacent.
        let mut rng = Rng::new(!self.seed, block.first_person);
        for i in (1..order.len()).rev() {
            order.swap(i, rng.below(i as u64 + 1) as usize);
        }
        for (i, (person, case, has_more)) in order.into_iter().enumerate() {
            state.facts.copy_from_slice(&people[(person - block.first_person) as usize]);
            self.case(person, case, &mut state)?;
            let record = block.first_record + i as u64 + 1;
            state.facts[given::RECORD_NO] = Value::Int(record as i64);
            let patient = Patient { record: Some(record), has_more };
            let chosen = self.spoiling.as_ref().and_then(|s| Some((s, s.of(self.seed, person, case)?)));
            match chosen.map(|(spoiling, mut rng)| (case == 0 && Spoiling::takes_person(&mut rng), spoiling, rng)) {
                Some((false, spoiling, rng)) => self.spoiled(&self.plan.main, &mut state, &mut out, spoiling, rng, patient, &mut defects)?,
                _ => self.plan.record(&self.plan.main, &mut state, &mut out)?,
            }
        }
        Ok((out.bytes, defects))
    }

    fn persons_block(&self, block: &Block) -> Result<Piece, TableError> {
        let mut out = Output::new(block.persons as usize * 512);
        let mut defects = Vec::new();
        let mut state = self.plan.package.clone();
        for person in block.first_person..block.first_person + block.persons {
            self.records_of(person, u64::MAX, &mut state)?;
            state.rng = self.people.visitor(person).file_rng();
            let chosen = self.spoiling.as_ref().and_then(|s| Some((s, s.of(self.seed, person, 0)?)));
            match chosen.map(|(spoiling, mut rng)| (Spoiling::takes_person(&mut rng), spoiling, rng)) {
                Some((true, spoiling, rng)) => {
                    let patient = Patient { record: None, has_more: false };
                    self.spoiled(&self.plan.persons, &mut state, &mut out, spoiling, rng, patient, &mut defects)?;
                }
                _ => self.plan.record(&self.plan.persons, &mut state, &mut out)?,
            }
        }
        Ok((out.bytes, defects))
    }

    #[expect(clippy::too_many_arguments, reason = "one step of the two loops above")]
    fn spoiled(
        &self,
        document: &Document,
        state: &mut State,
        out: &mut Output,
        spoiling: &Spoiling,
        mut rng: Rng,
        patient: Patient,
        defects: &mut Vec<Defect>,
    ) -> Result<(), TableError> {
        out.spans = Some(Vec::with_capacity(96));
        self.plan.record(document, state, out)?;
        let spans = out.spans.take().unwrap_or_default();
        defects.extend(spoiling.ways.spoil(document, &spans, &mut out.bytes, patient, &mut rng));
        Ok(())
    }

    /// Writes a file; blocks are made in parallel while earlier ones are written.
    fn write(
        &self,
        document: &Document,
        name: &str,
        out: &mut (dyn Write + Send),
        note: Note<'_>,
        make: impl Fn(&Block) -> Result<Piece, TableError> + Sync,
    ) -> Result<(), Error> {
        let mut state = self.plan.package.clone();
        state.facts[given::TOTAL_CASES] = Value::Int(self.totals.records as i64);
        state.facts[given::TOTAL_SUM] = Value::Int(self.totals.sum_kopecks);
        state.facts[given::FILE_NAME] = Value::Text(self.text(name));
        state.facts[given::VERSION_TEXT] = Value::Text(self.text(&document.format.edition.version));
        let mut head = Output::new(4096);
        self.plan.head(document, &mut state, &mut head)?;
        let file = format!("{name}.xml");
        let encoding = document.tags.encoding();
        let mut progress = Progress::START;
        let mut ready: Vec<Piece> = vec![(head.bytes, Vec::new())];
        let mut windows = self.blocks.chunks(rayon::current_num_threads().max(1) * 2);
        loop {
            let window = windows.next();
            let mut hand_on = || -> io::Result<()> {
                for (bytes, defects) in &mut ready {
                    if self.is_spoiled() {
                        progress.locate(bytes, encoding, &file, defects);
                        progress = progress.after(bytes, encoding);
                        defects.iter().try_for_each(&mut *note)?;
                    }
                    out.write_all(bytes)?;
                }
                Ok(())
            };
            let (written, made) = rayon::join(&mut hand_on, || -> Result<Vec<Piece>, TableError> { window.unwrap_or(&[]).par_iter().map(&make).collect() });
            written?;
            ready = made?;
            if window.is_none() {
                break;
            }
        }
        let mut tail = Output::new(64);
        self.plan.tail(document, &mut tail);
        out.write_all(&tail.bytes)?;
        Ok(())
    }

    fn text(&self, text: &str) -> u32 {
        self.plan.words.known_text(text)
    }
}

fn prefix<'f>(formats: &'f Formats, options: &Options) -> Result<&'f Prefix, Error> {
    let of_family = || formats.prefixes().iter().filter(|p| p.family == options.family);
    let in_force = |p: &&Prefix| p.from.is_none_or(|f| f <= options.period) && p.until.is_none_or(|u| options.period <= u);
    let chosen = match &options.letters {
        Some(letters) => of_family().filter(in_force).find(|p| p.letters == *letters),
        None => of_family().find(in_force),
    };
    chosen.ok_or_else(|| Error::Unknown {
        what: Choice::Letters,
        given: options.letters.clone().unwrap_or_else(|| options.family.to_string()),
        known: of_family().filter(in_force).map(|p| p.letters.clone()).collect(),
    })
}

/// The letters that a row of the dispensary checks is about.
#[derive(Deserialize)]
struct OfLetters {
    letters: String,
}

/// Fails if the dispensary checks of these letters are not described, as those of a region's own letters.
fn invented(files: &RuleFiles, formats: &Formats, prefix: &Prefix) -> Result<(), Error> {
    let described: Vec<String> = files.rows::<OfLetters>("generate/pools/dispensary.csv")?.into_iter().map(|(_, row)| row.letters).collect();
    let of_family = formats.prefixes().iter().filter(|p| p.family == prefix.family).map(|p| &p.letters);
    let known: Vec<String> = of_family.filter(|letters| described.contains(letters)).cloned().collect();
    // The other families need no such row.
    if known.is_empty() || known.contains(&prefix.letters) {
        return Ok(());
    }
    Err(Error::Unknown { what: Choice::Invented, given: prefix.letters.clone(), known })
}

fn parties(words: &mut Words<'_>, options: &Options) -> Result<(String, String), Error> {
    let table = |e: String| Error::Table(TableError::new("generate/pools/parties.csv", 0, e));
    let pool = words.pool("parties").map_err(table)?;
    let code = |given: &Option<String>, column: &str, digits: usize| -> Result<String, Error> {
        let code = match given {
            Some(code) => code.clone(),
            None => words.show(words.cell(pool, words.column(pool, column).map_err(table)?, 0)),
        };
        let fits = code.len() == digits && code.bytes().all(|b| b.is_ascii_digit());
        if fits { Ok(code) } else { Err(Error::Unknown { what: Choice::Code, given: code, known: vec!["9".repeat(digits)] }) }
    };
    Ok((code(&options.clinic, "own_clinic", PartyKind::Clinic.digits())?, code(&options.insurer, "own_insurer", PartyKind::Insurer.digits())?))
}
