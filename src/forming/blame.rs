//! Which cases of an order an error is about, so that a caller can form the others.

use std::io;

use super::{FormError, Order, Origin, Piece};
use crate::registry::source::Source;

impl FormError {
    /// Indexes of the pieces of an order that the error is about: the case at its place, or all cases of the record or the person there. Empty when it is
    /// about the package or the registry as a whole, or about a file of which two packages have one of the same name.
    pub fn pieces(&self, order: &Order<'_>) -> Vec<usize> {
        let (file, offset) = match self {
            Self::NoPerson { file, offset } | Self::PersonDiffers { file, offset } | Self::Sum { file, offset, .. } => (file, *offset),
            Self::Element { file, offset, .. } | Self::Character { file, offset, .. } | Self::IdPac { file, offset } => (file, *offset),
            _ => return Vec::new(),
        };
        let of_person = |piece: &Piece, origin: &Origin| {
            let is_there = piece.place.person.as_ref().is_some_and(|person| person.contains(&offset));
            is_there && origin.persons.as_ref().map(Source::file_name).as_ref() == Some(file)
        };
        // Index, origin, and whether the record and the case hold the place, of each case that the error is about.
        let found = |(at, piece): (usize, io::Result<Piece>)| match piece {
            Ok(piece) => {
                let (origin, in_record) = (order.origins.get(piece.origin)?, piece.place.record.contains(&offset));
                let is_of = in_record && origin.main.file_name() == *file || of_person(&piece, origin);
                is_of.then_some(Ok((at, piece.origin, in_record, piece.place.case.contains(&offset))))
            }
            Err(error) => Some(Err(error)),
        };
        // A list that cannot be read blames no case: the next attempt fails for that.
        let mut found = order.pieces.iter().enumerate().filter_map(found).collect::<io::Result<Vec<_>>>().unwrap_or_default();
        // The place of a person is not within the bytes of a case, unless by chance in another file.
        if found.iter().any(|(.., at_the_case)| *at_the_case) && found.iter().all(|(.., in_record, _)| *in_record) {
            found.retain(|(.., at_the_case)| *at_the_case);
        }
        let origin = found.first().map(|(_, origin, ..)| *origin);
        if found.iter().any(|(_, other, ..)| Some(*other) != origin) { Vec::new() } else { found.into_iter().map(|(at, ..)| at).collect() }
    }
}
