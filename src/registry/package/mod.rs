//! Packages: finds which files under the given paths belong together.

mod look;
mod pair;
#[cfg(test)]
mod tests;
mod twins;
mod walk;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::archive::Limits;
use super::encoding::Coding;
use super::fault::Fault;
use super::format::{Formats, Prefix};
use super::name::{FileName, NameError};
use super::probe::{Head, Prober};
use super::source::{DiskFile, Source};
use crate::finding::Check;
use look::{Looked, Looker, Side};
use pair::{Half, pair};
use twins::name_twins;
use walk::{Found, Neighbours, Walk};

/// A path that the user gave, or a kept file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Input {
    /// The file, or a folder of files.
    pub file: DiskFile,
    /// Whether the user named exactly this file. If it is not a registry, that is then a fault; other files are ignored.
    pub explicit: bool,
}

impl Input {
    /// A path that the user named.
    pub fn named(path: impl Into<PathBuf>) -> Self {
        Self { file: DiskFile::at(path), explicit: true }
    }

    /// A kept file with the name that it bears.
    pub fn kept(file: DiskFile) -> Self {
        Self { file, explicit: true }
    }
}

/// One file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Where the bytes are read from.
    pub source: Source,
    /// The head of the file, or the fault that prevents reading it, which is then the only finding about the file.
    pub head: Result<Head, Fault>,
}

impl Member {
    /// Name with the extension, without folders.
    pub fn file_name(&self) -> String {
        self.source.file_name()
    }

    /// Name without the extension.
    pub fn stem(&self) -> String {
        self.source.stem()
    }

    /// Where the bytes are read from, and in which encoding; windows-1251 if that is not known.
    pub fn origin(&self) -> (Source, Coding) {
        (self.source.clone(), self.head.as_ref().map_or(Coding::default(), |head| head.coding))
    }

    /// The file name, parsed.
    ///
    /// # Errors
    /// The first part that does not follow the naming rules.
    pub fn name(&self, prefixes: &[Prefix]) -> Result<FileName, NameError> {
        FileName::parse(prefixes, &self.stem())
    }
}

/// A main file and its person file; one of them may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The archive, or the main file, or a lone person file; its path is as given or as found in a folder.
    pub file: DiskFile,
    /// The main file.
    pub main: Option<Member>,
    /// The person file.
    pub persons: Option<Member>,
    /// Faults of the package as a whole (a fault of its archive, a missing half, a repeated name). When both members are absent, one of these
    /// faults is the reason.
    pub faults: Vec<Fault>,
}

impl Package {
    /// Total size on disk in bytes; an archive that contains both files counts once.
    pub fn size_on_disk(&self) -> u64 {
        let mut files: Vec<&Path> = [&self.main, &self.persons].into_iter().flatten().map(|m| m.source.container()).collect();
        files.dedup();
        files.into_iter().map(|file| file.metadata().map_or(0, |m| m.len())).sum()
    }
}

/// Finds the packages under the given paths, in the order of the paths. Folders are walked in the order of names.
///
/// In folders, files with the extensions `xml`, `zip` and `oms` are inspected, except hidden files; protocols are ignored. A named file always
/// gives a package; its other half is searched beside it. This never fails: an unreadable file becomes a package with a fault.
pub fn discover(inputs: &[Input], formats: &Formats, limits: &Limits) -> Vec<Package> {
    let looker = Looker { prober: Prober::new(formats), prefixes: formats.prefixes(), limits: *limits };
    let mut files = Walk::run(inputs);
    let looked: Vec<Looked> = files.par_iter().map(|found| looker.look(found)).collect();
    let mut halves = Vec::new();
    let mut faults = Vec::with_capacity(files.len());
    for (file, looked) in looked.into_iter().enumerate() {
        halves.extend(looked.members.into_iter().map(|(side, member)| Half::new(side, member, file, true, looker.prefixes)));
        faults.push(looked.faults);
    }
    leave_out_third_files(&mut halves, &files, &mut faults, looker.prefixes);
    pair_groups(&mut halves, &files);
    fetch_other_halves(&mut halves, &mut files, &looker);
    leave_out_idle_files(&mut halves, &files, &mut faults, looker.prefixes);
    let mut packages = assemble(halves, &files, faults, looker.prefixes);
    name_twins(&mut packages, looker.prefixes);
    packages
}

/// Leaves out main files that lie beside a main file of the same name with other letters, and whose own are of no family or of a person file: some funds want
/// a third file in a package.
fn leave_out_third_files(halves: &mut Vec<Half>, files: &[Found], faults: &mut [Vec<Fault>], prefixes: &[Prefix]) {
    let place =
        |half: &Half, name: &FileName| (files[half.file].folder.clone(), FileName { letters: String::new(), family: None, is_persons: false, ..name.clone() });
    let named = |half: &&Half| half.side == Side::Main && half.name.as_ref().is_some_and(|name| !name.is_persons && name.prefix(prefixes).is_some());
    let leaders: HashMap<(PathBuf, FileName), usize> =
        halves.iter().filter(named).filter_map(|half| Some((place(half, half.name.as_ref()?), half.file))).collect();
    let mut left_out: Vec<(usize, usize)> = Vec::new();
    halves.retain(|half| {
        let name = half.name.as_ref().filter(|name| half.side == Side::Main && (name.family.is_none() || name.is_persons));
        let leader = name.and_then(|name| leaders.get(&place(half, name)));
        if let Some(file) = leader {
            faults[*file].push(Fault::new(Check::ThirdFile).value(half.member.file_name()));
            left_out.push((half.file, *file));
        }
        leader.is_none()
    });
    // What is wrong with an archive of which nothing is left is told with the package too.
    for (file, leader) in left_out.into_iter().filter(|(file, _)| halves.iter().all(|half| half.file != *file)) {
        let own = std::mem::take(&mut faults[file]);
        faults[leader].extend(own);
    }
}

/// Pairs halves within each archive, then within each folder, then among the named files.
fn pair_groups(halves: &mut [Half], files: &[Found]) {
    let mut in_file: Vec<Vec<usize>> = vec![Vec::new(); files.len()];
    let mut in_folder: BTreeMap<&Path, Vec<usize>> = BTreeMap::new();
    let mut named = Vec::new();
    for (index, half) in halves.iter().enumerate() {
        let found = &files[half.file];
        in_file[half.file].push(index);
        in_folder.entry(&found.folder).or_default().push(index);
        if found.explicit {
            named.push(index);
        }
    }
    for group in &in_file {
        pair(halves, group, true);
    }
    for group in in_folder.values().chain([&named]) {
        pair(halves, group, false);
    }
}

/// Searches beside named files for their missing halves.
fn fetch_other_halves(halves: &mut Vec<Half>, files: &mut Vec<Found>, looker: &Looker<'_>) {
    let mut neighbours = Neighbours::default();
    for index in 0..halves.len() {
        let half = &halves[index];
        let found = &files[half.file];
        if half.partner.is_some() || !found.explicit || found.file.alias.is_some() {
            continue;
        }
        let (path, folder, wanted) = (found.file.path.clone(), found.folder.clone(), if half.side == Side::Main { Side::Persons } else { Side::Main });
        let beside: Vec<PathBuf> = half.partner_stems(looker.prefixes).iter().flat_map(|stem| neighbours.named(&path, stem)).collect();
        for path in beside {
            if files.iter().any(|f| f.folder == folder && f.file.path.file_name() == path.file_name()) {
                continue;
            }
            let found = Found { file: DiskFile::at(path), explicit: false, folder: folder.clone(), error: None };
            let members = looker.look(&found).members;
            // An archive with both halves is a separate package, which the user did not ask for.
            if let [(side, _)] = members.as_slice()
                && *side == wanted
            {
                let first = halves.len();
                halves.extend(members.into_iter().map(|(side, member)| Half::new(side, member, files.len(), false, looker.prefixes)));
                files.push(found);
                pair(halves, &[index, first], true);
                break;
            }
        }
    }
}

/// Leaves out files without a partner that are no half of a package. Their findings would be those of a package that nobody made.
fn leave_out_idle_files(halves: &mut [Half], files: &[Found], faults: &mut [Vec<Fault>], prefixes: &[Prefix]) {
    let idle = idle_files(halves, files, prefixes);
    for (index, file) in idle {
        faults[file].push(Fault::new(Check::ThirdFile).value(halves[index].member.file_name()));
        halves[index].given = false;
    }
}

/// A whole package: indexes of its main file and its person file among the halves.
type Whole = (usize, usize);

/// The files without a partner that are no half of a package, each with the file whose package tells of it.
fn idle_files(halves: &[Half], files: &[Found], prefixes: &[Prefix]) -> Vec<(usize, usize)> {
    // Of whole packages in one folder with one name of a main file: the first, and the first one whose person file has other letters than the first one's.
    // A lone file belongs to the first whose person file has other letters than its own, which is always one of these two.
    let mut whole: HashMap<(&Path, &str), (Whole, Option<Whole>)> = HashMap::new();
    for (main, half) in halves.iter().enumerate().filter(|(_, half)| half.side == Side::Main) {
        let Some(persons) = half.partner else { continue };
        for name in half.own_names() {
            let (first, other) = whole.entry((&files[half.file].folder, name)).or_insert(((main, persons), None));
            if other.is_none() && halves[first.1].letters() != halves[persons].letters() {
                *other = Some((main, persons));
            }
        }
    }
    let leader = |half: &Half| {
        // A main file names none.
        let named = half.main_names().filter(|_| half.side == Side::Persons).filter_map(|name| whole.get(&(files[half.file].folder.as_path(), name)));
        let each = named.flat_map(|(first, other)| std::iter::once(*first).chain(*other));
        each.filter(|(_, persons)| half.letters() != halves[*persons].letters()).map(|(main, _)| main).min()
    };
    let lone = halves.iter().enumerate().filter(|(_, half)| half.partner.is_none() && half.given && half.member.head.is_ok());
    let of = |(index, half): (usize, &Half)| match leader(half) {
        Some(main) => Some((index, halves[main].file)),
        None => half.is_of_no_package(prefixes).then_some((index, half.file)),
    };
    lone.filter_map(of).collect()
}

/// Builds packages from the halves, in the order of their files.
fn assemble(halves: Vec<Half>, files: &[Found], faults: Vec<Vec<Fault>>, prefixes: &[Prefix]) -> Vec<Package> {
    let mut heads: Vec<Vec<usize>> = vec![Vec::new(); files.len()];
    for (index, half) in halves.iter().enumerate().filter(|(_, half)| half.given) {
        // The main file gives the package its place, unless it was only found beside its person file.
        let led = half.side == Side::Persons && half.partner.is_some_and(|partner| halves[partner].given);
        if !led {
            heads[half.file].push(index);
        }
    }
    let mut slots: Vec<Option<Half>> = halves.into_iter().map(Some).collect();
    let mut packages = Vec::new();
    let mut first_of_file: HashMap<usize, usize> = HashMap::new();
    let mut names = BTreeSet::new();
    for (file, heads) in heads.into_iter().enumerate() {
        for index in heads {
            let Some(half) = slots[index].take() else { continue };
            let partner = half.partner.and_then(|partner| slots[partner].take());
            let mut own = missing_half(&half, partner.as_ref(), prefixes).into_iter().collect::<Vec<_>>();
            let (main, persons) = if half.side == Side::Main { (Some(half), partner) } else { (partner, Some(half)) };
            let leader = main.as_ref().or(persons.as_ref()).map_or(file, |half| half.file);
            let stem = |half: &Option<Half>| half.as_ref().filter(|h| h.name.is_some()).map(|h| (h.member.stem().to_lowercase(), h.member.file_name()));
            if let Some((stem, file_name)) = stem(&main).or_else(|| stem(&persons))
                && !names.insert((files[leader].folder.clone(), files[leader].stem(), stem))
            {
                own.push(Fault::new(Check::PackageTwice).value(file_name));
            }
            for half in [&main, &persons].into_iter().flatten() {
                first_of_file.entry(half.file).or_insert(packages.len());
            }
            let leading = files[leader].file.clone();
            packages.push((file, Package { file: leading, main: main.map(|h| h.member), persons: persons.map(|h| h.member), faults: own }));
        }
    }
    // At the end, because the archive of a person file may precede the main file of its package.
    for (file, faults) in faults.into_iter().enumerate().filter(|(_, faults)| !faults.is_empty()) {
        match first_of_file.get(&file) {
            Some(&package) => packages[package].1.faults.extend(faults),
            None => packages.push((file, Package { file: files[file].file.clone(), main: None, persons: None, faults })),
        }
    }
    packages.sort_by_key(|(file, _)| *file);
    packages.into_iter().map(|(_, package)| package).collect()
}

/// The fault of a half without a partner. An unreadable file has its own fault only.
fn missing_half(half: &Half, partner: Option<&Half>, prefixes: &[Prefix]) -> Option<Fault> {
    // Files between funds contain the persons in their records; of a file of no family nothing is known.
    let alone = || half.name.as_ref().is_some_and(|n| n.prefix(prefixes).is_none_or(|p| p.persons.is_empty()));
    if partner.is_some() || half.member.head.is_err() || half.side == Side::Main && alone() {
        return None;
    }
    let check = if half.side == Side::Main { Check::PersonsMissing } else { Check::MainMissing };
    Some(Fault::new(check).expected(half.partner_name(prefixes)))
}

/// The paths of one argument: the argument itself when it exists or has no wildcard, otherwise all matching paths, sorted.
///
/// # Errors
/// The wildcard is malformed; the message says how.
pub fn expand(argument: &str) -> Result<Vec<Input>, String> {
    walk::expand(argument)
}
