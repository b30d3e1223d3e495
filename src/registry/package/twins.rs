//! Packages with the same contents under two names: a copy that lies beside its original would be sent and paid twice.

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::super::fault::Fault;
use super::super::format::Prefix;
use super::super::source::Source;
use super::{Member, Package};
use crate::finding::Check;

/// Bytes that are compared at once.
const BLOCK: usize = 1 << 16;

/// Gives each package whose main file has the contents of another one's a fault that names it. Only files that take the same room on disk are compared, so
/// that few files are read for this; copies that were packed by different programs are not found, nor are packages of one archive compared.
pub(super) fn name_twins(packages: &mut [Package], prefixes: &[Prefix]) {
    let mut of_size: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (index, package) in packages.iter().enumerate() {
        let named_twice = package.faults.iter().any(|fault| fault.check == Check::PackageTwice);
        if package.main.as_ref().is_some_and(|main| main.head.is_ok()) && !named_twice {
            of_size.entry(package.size_on_disk()).or_default().push(index);
        }
    }
    for mut group in of_size.into_values().filter(|group| group.len() > 1) {
        // The original is the one whose name is that of its main file, whatever the order of the files.
        group.sort_by_key(|index| {
            let (package, stem) = (&packages[*index], packages[*index].main.as_ref().map(Member::stem).unwrap_or_default());
            (!package.file.stem().eq_ignore_ascii_case(&stem), package.file.shown().chars().count(), *index)
        });
        // Of several copies each is compared with what differs from all before it.
        let mut originals: Vec<usize> = Vec::new();
        for index in group {
            let Some(own) = &packages[index].main else { continue };
            let is_copy_of = |first: &Member| !are_told_apart(own, first, prefixes) && are_equal(&own.source, &first.source).unwrap_or(false);
            let original = originals.iter().copied().find(|first| packages[*first].main.as_ref().is_some_and(is_copy_of));
            match original {
                Some(first) => {
                    let shown = packages[first].file.shown();
                    packages[index].faults.push(Fault::new(Check::SamePackage).value(shown));
                }
                None if originals.len() < MOST => originals.push(index),
                None => {}
            }
        }
    }
}

/// Different contents of one size with which another package is compared.
const MOST: usize = 8;

/// Whether the letters of two names say that the files are of different kinds, such as an account and a corrected one between funds.
fn are_told_apart(a: &Member, b: &Member, prefixes: &[Prefix]) -> bool {
    match (a.name(prefixes), b.name(prefixes)) {
        (Ok(a), Ok(b)) => a.letters != b.letters,
        _ => false,
    }
}

/// Whether two files have the same bytes.
///
/// # Errors
/// One of them cannot be read; then the check of that file says so.
fn are_equal(a: &Source, b: &Source) -> io::Result<bool> {
    if a.container() == b.container() {
        return Ok(false);
    }
    let (mut a, mut b) = (a.open()?, b.open()?);
    let (mut left, mut right) = (vec![0; BLOCK], vec![0; BLOCK]);
    loop {
        let (n, m) = (fill(&mut *a, &mut left)?, fill(&mut *b, &mut right)?);
        if left[..n] != right[..m] {
            return Ok(false);
        }
        if n == 0 {
            return Ok(true);
        }
    }
}

/// Reads until the buffer is full or the file ends; returns how many bytes were read.
fn fill(from: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match from.read(&mut buffer[read..]) {
            Ok(0) => break,
            Ok(n) => read += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}
