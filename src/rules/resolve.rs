//! Resolves names in rules to elements of a format.
//!
//! A name is looked up in the block of the checked element, then in each block around it (at the record also in the patient's block), then in the
//! account and the header, then below (nearest block first), then in the person file. Only the format decides, not the contents of a record.

use crate::registry::format::{Content, Format, NodeId, Role};

use super::code::{FilePart, Place};

/// The meaning of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// An element of the walked file.
    Own(NodeId),
    /// An element of the person file.
    Person(NodeId),
    /// A part of the file's name.
    File(FilePart),
    /// No element of this name.
    Unknown,
}

/// The formats in which names are looked up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'f> {
    pub(super) own: &'f Format,
    pub(super) persons: Option<&'f Format>,
}

impl Names<'_> {
    /// Looks up a name as seen from a block.
    pub(super) fn find(&self, name: &str, from: NodeId) -> Found {
        if let Some(part) = file_part(name) {
            return Found::File(part);
        }
        if name.contains('/') {
            let person = || self.persons.and_then(|p| p.find(name)).map(Found::Person);
            return self.own.find(name).map(Found::Own).or_else(person).unwrap_or(Found::Unknown);
        }
        if let Some((block, element)) = name.split_once('.') {
            return self.dotted(block, element, from);
        }
        if let Some(found) = self.nearest(from, |id| &*self.own.node(id).name == name) {
            return Found::Own(found);
        }
        self.person(name).map_or(Found::Unknown, Found::Person)
    }

    fn dotted(&self, block: &str, element: &str, from: NodeId) -> Found {
        let child = |format: &Format, id: NodeId| format.node(id).children.iter().copied().find(|c| &*format.node(*c).name == element);
        if let Some(persons) = self.persons
            && let Some(record) = persons.role(Role::Record).filter(|r| &*persons.node(*r).name == block)
        {
            return child(persons, record).map_or(Found::Unknown, Found::Person);
        }
        // The block is one around the checked element, or one that is found like any name.
        let mut at = Some(from);
        while let Some(id) = at {
            if &*self.own.node(id).name == block
                && let Some(found) = child(self.own, id)
            {
                return Found::Own(found);
            }
            at = self.own.node(id).parent;
        }
        let is_block = |id: NodeId| matches!(self.own.node(id).content, Content::Block) && &*self.own.node(id).name == block && child(self.own, id).is_some();
        self.nearest(from, is_block).and_then(|id| child(self.own, id)).map_or(Found::Unknown, Found::Own)
    }

    fn person(&self, name: &str) -> Option<NodeId> {
        let persons = self.persons?;
        let record = persons.role(Role::Record)?;
        persons.node(record).children.iter().copied().find(|c| &*persons.node(*c).name == name)
    }

    fn nearest(&self, from: NodeId, fits: impl Fn(NodeId) -> bool) -> Option<NodeId> {
        let format = self.own;
        let child_of = |block: NodeId| format.node(block).children.iter().copied().find(|c| fits(*c));
        let around = || std::iter::successors(Some(from), |id| format.node(*id).parent);
        let record = format.role(Role::Record);
        for block in around() {
            let patient = || format.role(Role::Patient).filter(|_| Some(block) == record).and_then(child_of);
            if let Some(found) = child_of(block).or_else(patient) {
                return Some(found);
            }
        }
        for role in [Role::Account, Role::Header] {
            if let Some(found) = format.role(role).and_then(child_of) {
                return Some(found);
            }
        }
        around().find_map(|block| self.below(block, &fits))
    }

    /// The shallowest fitting element below a block.
    fn below(&self, block: NodeId, fits: &impl Fn(NodeId) -> bool) -> Option<NodeId> {
        let mut level = vec![block];
        while !level.is_empty() {
            let next: Vec<NodeId> = level.iter().flat_map(|id| self.own.node(*id).children.iter().copied()).collect();
            if let Some(found) = next.iter().copied().find(|id| fits(*id)) {
                return Some(found);
            }
            level = next;
        }
        None
    }

    /// Whether an element belongs to the records, not to the head of the file.
    pub(super) fn in_record(&self, id: NodeId) -> bool {
        self.own.role(Role::Record).is_some_and(|record| self.own.is_within(id, record))
    }

    /// The way from a block to an element of the same record.
    pub(super) fn place(&self, from: NodeId, to: NodeId) -> Place {
        let format = self.own;
        let mut up = 0;
        let mut top = from;
        while !format.is_within(to, top) {
            up += 1;
            match format.node(top).parent {
                Some(parent) => top = parent,
                None => break,
            }
        }
        let mut down = Vec::new();
        let mut many = false;
        let mut at = to;
        while at != top {
            let node = format.node(at);
            down.push(node.position);
            many |= node.obligation.repeatable;
            let Some(parent) = node.parent else { break };
            at = parent;
        }
        down.reverse();
        Place { up, down: down.into(), element: to, many }
    }
}

/// The part of a file name that a name means, if any.
pub(super) fn file_part(name: &str) -> Option<FilePart> {
    Some(match name.strip_prefix("FILE.").unwrap_or(name) {
        "Pi" => FilePart::Pi,
        "Ni" => FilePart::Ni,
        "Pp" => FilePart::Pp,
        "Np" => FilePart::Np,
        "YY" => FilePart::Yy,
        "MM" => FilePart::Mm,
        // Codes of the funds' territories: the sender's and the receiver's codes.
        "sender_tf" if name.starts_with("FILE.") => FilePart::Ni,
        "receiver_tf" if name.starts_with("FILE.") => FilePart::Np,
        "type" if name.starts_with("FILE.") => FilePart::Type,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::format::{Family, Formats, PERSONS};
    use crate::tables::RuleFiles;

    fn path(name: &str, from: &str) -> String {
        let formats = Formats::load(&RuleFiles::embedded()).expect("sound");
        let own = formats.get(Family('C'), "3.1").expect("known");
        let persons = formats.get(PERSONS, "3.2").expect("known");
        let names = Names { own, persons: Some(persons) };
        match names.find(name, own.find(from).expect(from)) {
            Found::Own(id) => own.node(id).path.to_string(),
            Found::Person(id) => persons.node(id).path.to_string(),
            Found::File(part) => format!("{part:?}"),
            Found::Unknown => "?".to_owned(),
        }
    }

    #[test]
    fn scopes() {
        let sl = "ZL_LIST/ZAP/Z_SL/SL";
        let usl = "ZL_LIST/ZAP/Z_SL/SL/USL";
        assert_eq!(path("DS1", usl), "ZL_LIST/ZAP/Z_SL/SL/DS1");
        assert_eq!(path("TARIF", usl), "ZL_LIST/ZAP/Z_SL/SL/USL/TARIF");
        assert_eq!(path("IDSP", sl), "ZL_LIST/ZAP/Z_SL/IDSP");
        assert_eq!(path("NOVOR", sl), "ZL_LIST/ZAP/PACIENT/NOVOR");
        assert_eq!(path("PLAT", sl), "ZL_LIST/SCHET/PLAT");
        assert_eq!(path("USL_TIP", sl), "ZL_LIST/ZAP/Z_SL/SL/ONK_SL/ONK_USL/USL_TIP");
        assert_eq!(path("DR", sl), "PERS_LIST/PERS/DR");
        assert_eq!(path("PERS.OT", sl), "PERS_LIST/PERS/OT");
        assert_eq!(path("SANK.S_TIP", "ZL_LIST/SCHET"), "ZL_LIST/ZAP/Z_SL/SANK/S_TIP");
        assert_eq!(path("SL.USL", sl), "ZL_LIST/ZAP/Z_SL/SL/USL");
        assert_eq!(path("Z_SL.LPU", "ZL_LIST/ZGLV"), "ZL_LIST/ZAP/Z_SL/LPU");
        assert_eq!(path("Pi", sl), "Pi");
        assert_eq!(path("NOT_THERE", sl), "?");
    }

    #[test]
    fn ways() {
        let formats = Formats::load(&RuleFiles::embedded()).expect("sound");
        let own = formats.get(Family('C'), "3.1").expect("known");
        let names = Names { own, persons: None };
        let id = |path: &str| own.find(path).expect(path);
        let way = |from: &str, to: &str| {
            let place = names.place(id(from), id(to));
            (place.up, place.down.len(), place.many)
        };
        assert_eq!(way("ZL_LIST/ZAP/Z_SL/SL", "ZL_LIST/ZAP/Z_SL/SL/DS1"), (0, 1, false));
        assert_eq!(way("ZL_LIST/ZAP/Z_SL/SL", "ZL_LIST/ZAP/Z_SL/SL/DS2"), (0, 1, true));
        assert_eq!(way("ZL_LIST/ZAP/Z_SL/SL/USL", "ZL_LIST/ZAP/Z_SL/IDSP"), (2, 1, false));
        assert_eq!(way("ZL_LIST/ZAP/Z_SL/SL", "ZL_LIST/ZAP/PACIENT/NOVOR"), (2, 2, false));
        assert_eq!(way("ZL_LIST/ZAP/Z_SL", "ZL_LIST/ZAP/Z_SL/SL/ONK_SL/ONK_USL/USL_TIP"), (0, 4, true));
    }
}
