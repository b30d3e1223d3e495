//! Which edition a package is written in.

use std::sync::Arc;

use super::{Choice, Error, Options};
use crate::registry::format::{Edition, Format, Formats};
use crate::texts::{Key, Slot};

/// The edition of the main file: the one that is asked for, which must be in force in the reporting month, or the one in force then.
///
/// # Errors
/// The family or the edition does not exist, the edition is not in force in the month, or no edition is.
pub fn choose_edition<'f>(formats: &'f Formats, options: &Options) -> Result<&'f Arc<Format>, Error> {
    let unknown = |what, given: String, known: Vec<String>| Error::Unknown { what, given, known };
    let editions = formats.editions(options.family);
    if editions.is_empty() {
        return Err(unknown(Choice::Family, options.family.to_string(), formats.families().map(|f| f.to_string()).collect()));
    }
    let wanted = |id: &String| {
        let known = || editions.iter().map(|f| f.edition.id.clone()).collect();
        formats.get(options.family, id).ok_or_else(|| unknown(Choice::Edition, format!("{} {id}", options.family), known()))
    };
    let asked = options.edition.as_ref().map(wanted).transpose()?;
    if let Some(asked) = asked.filter(|f| f.edition.in_force(options.period)) {
        return Ok(asked);
    }
    let fitting = editions.iter().rfind(|f| f.edition.in_force(options.period)).ok_or_else(|| {
        let known = editions.iter().filter_map(|f| f.edition.from.or(f.edition.until)).map(|m| m.to_string()).collect();
        unknown(Choice::Period, format!("{} {}", options.family, options.period), known)
    })?;
    match asked {
        None => Ok(fitting),
        Some(asked) => Err(Error::NotInForce {
            family: options.letters.clone().unwrap_or_else(|| options.family.to_string()),
            edition: Box::new(asked.edition.clone()),
            period: options.period,
            fitting: editions.iter().filter(|f| f.edition.in_force(options.period)).map(|f| f.edition.id.clone()).collect(),
        }),
    }
}

/// The months of an edition in words: «с 2019-01 по 2020-03».
pub(super) fn months(edition: &Edition) -> Slot<'static> {
    let ends = [("from", edition.from), ("until", edition.until)];
    let key = match ends {
        [(_, Some(_)), (_, Some(_))] => Key::NsiDaysBoth,
        [(_, Some(_)), (_, None)] => Key::NsiDaysFrom,
        [(_, None), (_, Some(_))] => Key::NsiDaysUntil,
        [(_, None), (_, None)] => Key::NsiDaysAlways,
    };
    let plain = ends.map(|(_, month)| month.map_or_else(String::new, |m| m.to_string())).join("..");
    let slots = ends.into_iter().filter_map(|(name, month)| Some((name, Slot::text(month?.to_string())))).collect();
    Slot::Phrase { plain: plain.into(), key, slots }
}
