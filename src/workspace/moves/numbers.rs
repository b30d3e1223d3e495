//! The numbers that the cases of a registry have in its package.

/// The numbers of all cases, in the order of the cases: a few bytes a case.
#[derive(Debug, Default)]
pub(super) struct AllNumbers {
    /// N_ZAP and IDCASE.
    numbers: Vec<(u32, u32)>,
    /// The cases that have another ID_PAC than in their package, and where it ends in `texts`.
    renamed: Vec<(u32, u32)>,
    texts: String,
}

/// The numbers of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numbers<'n> {
    pub(super) n_zap: u32,
    pub(super) idcase: u32,
    /// ID_PAC in the registry; `None` if it is the same as in the package.
    pub(super) id_pac: Option<&'n str>,
}

impl AllNumbers {
    /// Adds the numbers of the next case. Numbers in a registry are not greater than the number of its cases.
    pub(super) fn push(&mut self, n_zap: u64, idcase: u64, id_pac: Option<&str>) {
        if let Some(id_pac) = id_pac {
            self.texts.push_str(id_pac);
            self.renamed.push((self.numbers.len() as u32, self.texts.len() as u32));
        }
        self.numbers.push((n_zap as u32, idcase as u32));
    }

    /// The numbers of each case.
    pub(super) fn iter(&self) -> impl Iterator<Item = Numbers<'_>> {
        let (mut renamed, mut begin) = (self.renamed.iter().peekable(), 0);
        (0..).zip(&self.numbers).map(move |(at, (n_zap, idcase))| {
            let end = renamed.next_if(|(case, _)| *case == at).map(|(_, end)| *end as usize);
            let id_pac = end.map(|end| &self.texts[std::mem::replace(&mut begin, end)..end]);
            Numbers { n_zap: *n_zap, idcase: *idcase, id_pac }
        })
    }

    /// Index of the case with these numbers.
    pub(super) fn find(&self, n_zap: u64, idcase: u64) -> Option<usize> {
        self.numbers.iter().position(|(own_zap, own_case)| (u64::from(*own_zap), u64::from(*own_case)) == (n_zap, idcase))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_keys_of_persons_stay_with_their_cases() {
        let due = [(1, 1, None), (1, 2, Some("п-2")), (2, 3, Some("")), (3, 4, None), (4, 5, Some("x"))];
        let mut all = AllNumbers::default();
        due.iter().for_each(|(n_zap, idcase, id_pac)| all.push(*n_zap, *idcase, *id_pac));
        assert!(all.iter().eq(due.map(|(n_zap, idcase, id_pac)| Numbers { n_zap: n_zap as u32, idcase: idcase as u32, id_pac })));
        assert_eq!([all.find(1, 2), all.find(2, 2)], [Some(1), None]);
    }
}
