//! Which cases of an order an error is about, so that a caller can form the others.

use super::{FormError, Order, Piece};
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
        let is_of = |piece: &Piece| {
            let (place, origin) = (&piece.place, &order.origins[piece.origin]);
            let of_person = || {
                place.person.as_ref().is_some_and(|person| person.contains(&offset)) && origin.persons.as_ref().map(Source::file_name).as_ref() == Some(file)
            };
            place.record.contains(&offset) && origin.main.file_name() == *file || of_person()
        };
        let mut found: Vec<usize> = (0..order.pieces.len()).filter(|at| is_of(&order.pieces[*at])).collect();
        let at_the_case: Vec<usize> = found.iter().copied().filter(|at| order.pieces[*at].place.case.contains(&offset)).collect();
        // The place of a person is not within the bytes of a case, unless by chance in another file.
        if !at_the_case.is_empty() && found.iter().all(|at| order.pieces[*at].place.record.contains(&offset)) {
            found = at_the_case;
        }
        let origin = found.first().map(|at| order.pieces[*at].origin);
        if found.iter().any(|at| Some(order.pieces[*at].origin) != origin) { Vec::new() } else { found }
    }
}
