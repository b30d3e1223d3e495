//! Pairs person files with main files.

use std::collections::HashMap;

use super::Member;
use super::look::Side;
use crate::registry::format::{Prefix, Role};
use crate::registry::name::FileName;

/// A registry file to be paired. Texts for comparison are in lower case.
#[derive(Debug)]
pub(super) struct Half {
    pub member: Member,
    pub side: Side,
    /// Index of the inspected file that contains this half.
    pub file: usize,
    /// Whether the file was named by the user or found in a folder; false for a file that was searched as the other half of one.
    pub given: bool,
    /// Index of the other half.
    pub partner: Option<usize>,
    pub name: Option<FileName>,
    stem: String,
    /// FILENAME.
    stated: Option<String>,
    /// Only for a person file: its main file by FILENAME1, and by its own name.
    main_stated: Option<String>,
    main_by_name: Option<String>,
}

impl Half {
    pub(super) fn new(side: Side, member: Member, file: usize, given: bool, prefixes: &[Prefix]) -> Self {
        let name = member.name(prefixes).ok();
        let text = |role| member.head.as_ref().ok().and_then(|head| head.value(role)).map(str::to_lowercase);
        let main_by_name = name.as_ref().and_then(|n| n.main(prefixes)).map(|n| n.to_string().to_lowercase());
        Self {
            stem: member.stem().to_lowercase(),
            stated: text(Role::FileName),
            main_stated: text(Role::MainName),
            main_by_name,
            name,
            side,
            file,
            given,
            partner: None,
            member,
        }
    }

    /// Possible names of the other half without extension, in lower case.
    pub(super) fn partner_stems(&self, prefixes: &[Prefix]) -> Vec<String> {
        let mut stems = match self.side {
            Side::Persons => vec![self.main_stated.clone(), self.main_by_name.clone()],
            Side::Main => {
                let stated = || FileName::parse(prefixes, self.stated.as_deref()?).ok();
                let names = [self.name.clone(), stated()];
                names.map(|name| name.and_then(|n| n.persons(prefixes)).map(|n| n.to_string().to_lowercase())).to_vec()
            }
        };
        stems.dedup();
        stems.into_iter().flatten().collect()
    }

    /// The letters at the head of its name; `None` if the name does not follow the rules.
    pub(super) fn letters(&self) -> Option<&str> {
        self.name.as_ref().map(|name| name.letters.as_str())
    }

    /// The names by which a person file finds a main file, in lower case: its own and FILENAME.
    pub(super) fn own_names(&self) -> impl Iterator<Item = &str> {
        [Some(&self.stem), self.stated.as_ref()].into_iter().flatten().map(String::as_str)
    }

    /// The main files that a person file names, in FILENAME1 and by its own name, in lower case.
    pub(super) fn main_names(&self) -> impl Iterator<Item = &str> {
        [&self.main_stated, &self.main_by_name].into_iter().flatten().map(String::as_str)
    }

    /// Whether nothing about a lone file says of which package it is a half: its letters are of no family, or of another one than those of the main file that
    /// it names. A main file with such letters is one all the same if it has a reporting month.
    pub(super) fn is_of_no_package(&self, prefixes: &[Prefix]) -> bool {
        let Some(name) = &self.name else { return false };
        let is_strange = name.prefix(prefixes).is_none();
        match self.side {
            Side::Main => (is_strange || name.is_persons) && self.member.head.as_ref().is_ok_and(|head| head.period().is_none()),
            Side::Persons => {
                let stated = self.main_stated.as_deref().and_then(|stated| FileName::parse(prefixes, stated).ok());
                is_strange || stated.is_some_and(|stated| stated.family.is_some() && stated.family != name.family)
            }
        }
    }

    /// Name of the missing other half with its extension, for messages; empty when unknown.
    pub(super) fn partner_name(&self, prefixes: &[Prefix]) -> String {
        // A name from the content is shown only if it looks like a file name.
        let fit = |stem: &String| stem.len() <= 40 && stem.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        self.partner_stems(prefixes).into_iter().find(fit).map_or_else(String::new, |stem| format!("{}.xml", stem.to_uppercase()))
    }
}

/// The main file that a person file names, and the kind of that name.
type Claim = fn(&Half) -> Option<(&str, Key)>;

/// The ways in which a person file may name its main file, strongest first.
const PASSES: [Claim; 5] = [
    |p| p.main_stated.as_deref().filter(|stated| p.main_by_name.as_deref() == Some(stated)).map(|s| (s, Key::Stem)),
    |p| p.main_stated.as_deref().map(|s| (s, Key::Stem)),
    |p| p.main_stated.as_deref().map(|s| (s, Key::Stated)),
    |p| p.main_by_name.as_deref().map(|s| (s, Key::Stem)),
    |p| p.main_by_name.as_deref().map(|s| (s, Key::Stated)),
];

/// The names by which a main file is found: its file name or its FILENAME.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Stem,
    Stated,
}

/// Pairs the halves of one group (an archive, a folder, or all named files). With `only_two`, a single main file and a single person file that
/// remain belong together even when both have regular but different names.
pub(super) fn pair(halves: &mut [Half], group: &[usize], only_two: bool) {
    let alone = |halves: &[Half], side| group.iter().copied().filter(|i| halves[*i].side == side && halves[*i].partner.is_none()).collect::<Vec<_>>();
    let (mains, persons) = (alone(halves, Side::Main), alone(halves, Side::Persons));
    if mains.is_empty() || persons.is_empty() {
        return;
    }
    let mut by_key: HashMap<(Key, String), Vec<usize>> = HashMap::new();
    for main in mains {
        by_key.entry((Key::Stem, halves[main].stem.clone())).or_default().push(main);
        if let Some(stated) = halves[main].stated.clone() {
            by_key.entry((Key::Stated, stated)).or_default().push(main);
        }
    }
    for pass in PASSES {
        for &person in &persons {
            if halves[person].partner.is_some() {
                continue;
            }
            let Some((stem, key)) = pass(&halves[person]) else { continue };
            let candidates = by_key.get(&(key, stem.to_owned())).map_or(&[][..], Vec::as_slice);
            if let Some(main) = candidates.iter().copied().find(|m| halves[*m].partner.is_none()) {
                halves[person].partner = Some(main);
                halves[main].partner = Some(person);
            }
        }
    }
    if let ([main], [person]) = (alone(halves, Side::Main).as_slice(), alone(halves, Side::Persons).as_slice())
        && (only_two || halves[*main].name.is_none() || halves[*person].name.is_none())
    {
        halves[*person].partner = Some(*main);
        halves[*main].partner = Some(*person);
    }
}
