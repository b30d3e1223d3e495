//! What follows from what: a finding of a rule that reads an element follows from a finding about that element, if `rules/causes.csv` ranks the latter
//! as a cause. Worked out only where there is a cause, so that clean records cost nothing.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::finding::{Catalog, FileRole, Finding, RuleIx};

/// An element that the rule of a finding reads, and where in the file the occurrences that it reads may stand.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) file: FileRole,
    pub(super) path: Arc<str>,
    pub(super) within: Range<u64>,
}

/// Most causes of one finding that are looked at.
const MOST: usize = 64;

/// Any place in a file.
pub(super) const ANYWHERE: Range<u64> = 0..u64::MAX;

impl Asked {
    /// The element of a finding, at its place.
    pub(super) fn own(finding: &Finding) -> Self {
        let at = finding.place.offset;
        Self { file: finding.file, path: Arc::clone(&finding.path), within: at..at.saturating_add(1) }
    }
}

/// An element that a finding is about, and where it stands.
struct About<'f> {
    file: FileRole,
    path: &'f str,
    at: u64,
}

impl Asked {
    fn meets(&self, about: &About<'_>) -> bool {
        self.file == about.file && *self.path == *about.path && self.within.contains(&about.at)
    }
}

/// What a finding is about: its element, and of a cause that is about all that its rule reads these as well.
fn about<'f>(catalog: &Catalog, finding: &'f Finding, reads: &'f [Asked]) -> impl Iterator<Item = About<'f>> {
    let own = About { file: finding.file, path: &finding.path, at: finding.place.offset };
    let all = catalog.cause(finding.rule).is_some_and(|cause| cause.about_all);
    let read = |asked: &'f Asked| About { file: asked.file, path: &asked.path, at: asked.within.start };
    std::iter::once(own).chain(reads.iter().filter(move |_| all).map(read))
}

/// Causes by the file and path of an element that they are about: where it stands, and the index of the finding, in ascending order.
type ByElement<'f> = HashMap<(FileRole, &'f str), Vec<(u64, usize)>>;

/// The causes that are about an element which a finding reads.
fn met<'f>(causes: &'f ByElement<'f>, asked: &'f Asked) -> &'f [(u64, usize)] {
    let list = causes.get(&(asked.file, &*asked.path)).map_or(&[][..], Vec::as_slice);
    let from = list.partition_point(|c| c.0 < asked.within.start);
    &list[from..from + list[from..].partition_point(|c| c.0 < asked.within.end)]
}

/// Sets of each finding from which other one it follows, if it does not follow from one already. A finding of a rule that yields follows from any
/// other one about an element that the rule reads. `asked` tells what the rule of a finding reads.
pub(super) fn settle(catalog: &Catalog, findings: &mut [Finding], asked: impl Fn(usize, &Finding) -> Vec<Asked>) {
    // A lower rank first; of equal ones, the first in the file.
    let rank = |f: &Finding| catalog.cause(f.rule).filter(|_| f.follows_from.is_none()).map(|rank| (rank, f.place.offset, f.rule));
    let has_cause = findings.iter().any(|f| rank(f).is_some());
    let yields = |f: &Finding| catalog.rule(f.rule).yields;
    if findings.len() < 2 || !has_cause && !findings.iter().any(yields) {
        return;
    }
    let reads: Vec<Vec<Asked>> = findings.iter().enumerate().map(|(i, f)| asked(i, f)).collect();
    settle_causes(catalog, findings, &reads);
    let mut others = ByElement::new();
    for (i, finding) in findings.iter().enumerate().filter(|(_, f)| !yields(f)) {
        others.entry((finding.file, &*finding.path)).or_default().push((finding.place.offset, i));
    }
    others.values_mut().for_each(|list| list.sort_unstable());
    let said = |reads: &[Asked]| reads.iter().find_map(|asked| met(&others, asked).first()).map(|other| other.1);
    let led: Vec<Option<RuleIx>> = findings
        .iter()
        .zip(&reads)
        .map(|(f, reads)| if yields(f) && f.follows_from.is_none() { said(reads).map(|i| findings[i].follows_from.unwrap_or(findings[i].rule)) } else { None })
        .collect();
    for (finding, from) in findings.iter_mut().zip(led) {
        finding.follows_from = finding.follows_from.or(from);
    }
}

/// Sets of each finding from which cause it follows. `reads` are the elements that the rule of each finding reads.
fn settle_causes(catalog: &Catalog, findings: &mut [Finding], reads: &[Vec<Asked>]) {
    let rank = |f: &Finding| catalog.cause(f.rule).filter(|_| f.follows_from.is_none()).map(|rank| (rank, f.place.offset, f.rule));
    let about = |i: usize| about(catalog, &findings[i], &reads[i]);
    // A record may hold very many.
    let mut causes = ByElement::new();
    for i in (0..findings.len()).filter(|i| rank(&findings[*i]).is_some()) {
        about(i).for_each(|about| causes.entry((about.file, about.path)).or_default().push((about.at, i)));
    }
    causes.values_mut().for_each(|list| list.sort_unstable());
    let follows = |i: usize, from: usize| about(from).any(|about| reads[i].iter().any(|asked| asked.meets(&about)));
    // What may follow from each cause.
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); findings.len()];
    let mut follows_some = vec![false; findings.len()];
    for i in 0..findings.len() {
        let own = rank(&findings[i]);
        let is_cause = |c: usize| {
            let other = rank(&findings[c]);
            let backwards = own.is_some() && own < other && follows(c, i);
            c != i && other != own && !backwards
        };
        let met = reads[i].iter().flat_map(|asked| met(&causes, asked).iter().map(|c| c.1));
        for cause in met.filter(|c| is_cause(*c)).take(MOST) {
            children[cause].push(i);
            follows_some[i] = true;
        }
    }
    // First what follows from nothing, then what is in a ring, the first by rank before the others.
    let mut order: Vec<usize> = (0..findings.len()).filter(|i| rank(&findings[*i]).is_some()).collect();
    order.sort_by_key(|i| (follows_some[*i], rank(&findings[*i])));
    let mut roots: Vec<Option<RuleIx>> = vec![None; findings.len()];
    let mut reached = vec![false; findings.len()];
    for start in order {
        if std::mem::replace(&mut reached[start], true) {
            continue;
        }
        let mut next = vec![start];
        while let Some(at) = next.pop() {
            for child in &children[at] {
                if !std::mem::replace(&mut reached[*child], true) {
                    roots[*child] = Some(findings[start].rule);
                    next.push(*child);
                }
            }
        }
    }
    for (finding, root) in findings.iter_mut().zip(roots) {
        finding.follows_from = finding.follows_from.or(root);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Place;
    use crate::tables::RuleFiles;

    /// Findings by id and element, all at one place, with what their rules read.
    fn followed(findings: &[(&str, &str, &[&str])]) -> Vec<Option<String>> {
        let catalog = Catalog::load(&RuleFiles::embedded()).expect("sound");
        let of = |(n, (id, path, _)): (usize, &(&str, &str, &[&str]))| Finding {
            path: Arc::from(*path),
            place: Place { offset: n as u64, ..Place::default() },
            ..Finding::of_file(catalog.by_id(id).unwrap_or(RuleIx(0)), FileRole::Main)
        };
        let mut made: Vec<Finding> = findings.iter().enumerate().map(of).collect();
        settle(&catalog, &mut made, |i, f| {
            let reads = findings[i].2.iter().map(|path| Asked { file: f.file, path: Arc::from(*path), within: ANYWHERE });
            reads.chain([Asked::own(f)]).collect()
        });
        made.iter().map(|f| f.follows_from.map(|ix| catalog.rule(ix).id.clone())).collect()
    }

    #[test]
    fn what_follows_is_led_back_to_the_first_cause() {
        let of = |id: &str| Some(id.to_owned());
        assert_eq!(followed(&[("R001", "B", &["A"]), ("S006", "A", &[])]), [of("S006"), None]);
        assert_eq!(followed(&[("R001", "B", &["A"]), ("S006", "C", &[])]), [None, None], "another element");
        assert_eq!(followed(&[("R001", "B", &["A"]), ("R002", "A", &[])]), [None, None], "nothing follows from such a rule");
        assert_eq!(followed(&[("R001", "C", &["B"]), ("V003", "B", &["A"]), ("S001", "A", &[])]), [of("S001"), of("S001"), None]);
        assert_eq!(followed(&[("V003", "A", &["B"]), ("S001", "B", &["A"])]), [of("S001"), None], "of two, the lower rank");
        assert_eq!(followed(&[("V003", "A", &["C"]), ("V004", "B", &["A"]), ("V001", "C", &["B"])]), [None, of("V003"), of("V003")], "a ring");
        let ring: &[(&str, &str, &[&str])] = &[("S001", "A", &["B", "C"]), ("S001", "B", &["A"]), ("V003", "C", &[])];
        assert_eq!(followed(ring), [of("V003"), of("V003"), None], "a ring with a cause outside");
    }
}
