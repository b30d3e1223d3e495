//! Inspects one file on disk: a registry file, an archive of registry files, or something else.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use super::Member;
use super::walk::Found;
use crate::finding::Check;
use crate::registry::archive::{Archive, Limits, is_zip};
use crate::registry::fault::Fault;
use crate::registry::format::Prefix;
use crate::registry::name::FileName;
use crate::registry::probe::{Head, Kind, Prober};
use crate::registry::source::Source;
use crate::sys::open_input;

const XML: [&str; 1] = ["xml"];
const ARCHIVES: [&str; 2] = ["zip", "oms"];

/// Which of the two files of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Main,
    Persons,
}

/// The result of inspecting one file on disk.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// Registry files, including unreadable files whose name marks them as registry files.
    pub members: Vec<(Side, Member)>,
    /// Faults of the file itself. Without members, they are the whole result.
    pub faults: Vec<Fault>,
}

impl Looked {
    fn fault(fault: Fault) -> Self {
        Self { members: Vec::new(), faults: vec![fault] }
    }

    fn member(side: Side, source: Source, head: Result<Head, Fault>) -> Self {
        Self { members: vec![(side, Member { source, head })], faults: Vec::new() }
    }
}

/// Inspects files; shared by several threads.
#[derive(Debug)]
pub(super) struct Looker<'f> {
    pub prober: Prober<'f>,
    pub prefixes: &'f [Prefix],
    pub limits: Limits,
}

impl Looker<'_> {
    /// Inspects one file. A result without members and faults means that the file is to be ignored.
    pub(super) fn look(&self, found: &Found) -> Looked {
        if let Some(error) = &found.error {
            return Looked::fault(Fault::refused(error.kind()));
        }
        self.open(found).unwrap_or_else(Looked::fault)
    }

    fn open(&self, found: &Found) -> Result<Looked, Fault> {
        // A stream that the program was started with can be read only once.
        if !std::fs::metadata(&found.file.path)?.is_file() {
            return Err(Fault::new(Check::NotRegular));
        }
        let mut file = open_input(&found.file.path)?;
        let mut start = Vec::with_capacity(4);
        (&mut file).take(4).read_to_end(&mut start)?;
        if is_zip(&start) {
            return self.archive(found, file);
        }
        file.seek(SeekFrom::Start(0))?;
        let side = || self.side_by_name(&Source::File(found.file.clone()));
        match self.prober.look(file) {
            Ok(head) => Ok(match (head.kind, self.classify(head)) {
                (Kind::Protocol, _) if !found.explicit => Looked::default(),
                (Kind::Persons, head) => Looked::member(Side::Persons, Source::File(found.file.clone()), head),
                (Kind::Main, head) => Looked::member(Side::Main, Source::File(found.file.clone()), head),
                (_, head) => Looked::member(side().unwrap_or(Side::Main), Source::File(found.file.clone()), head),
            }),
            Err(fault) if found.has_extension(&ARCHIVES) && fault.check == Check::EmptyFile => Err(fault),
            // Neither XML nor zip by its content, and not XML by its name.
            Err(fault) if fault.check == Check::NotXml && !found.has_extension(&XML) => Err(Fault::new(Check::NotRegistry)),
            Err(fault) => Ok(Looked::member(side().unwrap_or(Side::Main), Source::File(found.file.clone()), Err(fault))),
        }
    }

    /// Turns a head with a foreign root element into a fault.
    fn classify(&self, head: Head) -> Result<Head, Fault> {
        match head.kind {
            Kind::Main | Kind::Persons => Ok(head),
            Kind::Protocol | Kind::Other => {
                let roots: Vec<&str> = self.prober.registry_roots().collect();
                Err(Fault::new(Check::WrongRoot).expected(roots.join(", ")).found(head.root))
            }
        }
    }

    fn side_by_name(&self, source: &Source) -> Option<Side> {
        let name = FileName::parse(self.prefixes, &source.stem()).ok()?;
        Some(if name.is_persons { Side::Persons } else { Side::Main })
    }

    fn archive(&self, found: &Found, file: File) -> Result<Looked, Fault> {
        let mut archive = Archive::new(file, &self.limits)?;
        archive.refuse_nested()?;
        let mut looked = Looked::default();
        // XML files that are registries neither by root element nor by name. A single one counts as the main file when there is no other.
        let mut strangers: Vec<Member> = Vec::new();
        let mut extra = Vec::new();
        let mut answers = 0;
        for index in 0..archive.entries().len() {
            let entry = &archive.entries()[index];
            if entry.is_folder() {
                continue;
            }
            let (name, base) = (entry.name.clone(), entry.base_name().to_owned());
            let hidden = base.starts_with('.');
            let is_xml = base.rsplit_once('.').is_some_and(|(_, e)| e.eq_ignore_ascii_case(XML[0]));
            if hidden || !is_xml {
                extra.push(base);
                continue;
            }
            let head = self.prober.look(archive.entry(index)?);
            let source = Source::Entry { archive: found.file.path.clone(), index, name };
            let by_name = self.side_by_name(&source);
            let side = match &head {
                Ok(head) if head.kind == Kind::Main => Some(Side::Main),
                Ok(head) if head.kind == Kind::Persons => Some(Side::Persons),
                Ok(head) if head.kind == Kind::Protocol => {
                    answers += 1;
                    extra.push(base);
                    continue;
                }
                Ok(_) => by_name,
                // A fault of the archive concerns the whole archive.
                Err(fault) if is_of_archive(fault.check) => return Err(fault.clone()),
                Err(_) => by_name,
            };
            let member = Member { source, head: head.and_then(|head| self.classify(head)) };
            match side {
                Some(side) => looked.members.push((side, member)),
                None => strangers.push(member),
            }
        }
        if looked.members.is_empty() && strangers.is_empty() && answers > 0 && !found.explicit {
            return Ok(Looked::default());
        }
        let no_main = looked.members.iter().all(|(side, _)| *side != Side::Main);
        if no_main && strangers.len() == 1 {
            looked.members.extend(strangers.pop().map(|member| (Side::Main, member)));
        }
        if looked.members.is_empty() {
            looked.faults.push(Fault::new(Check::NoMainFile));
        }
        extra.extend(strangers.iter().map(Member::file_name));
        looked.faults.extend(extra.into_iter().map(|name| Fault::new(Check::ZipExtra).value(name)));
        Ok(looked)
    }
}

fn is_of_archive(check: Check) -> bool {
    matches!(check, Check::ZipDamaged | Check::ZipRatio | Check::ZipTotal | Check::Unreadable | Check::NotFound | Check::NoAccess)
}
