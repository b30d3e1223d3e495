//! The months in which an edition gives way to the next: a file on each side is clean, and the records of one side under the head of the
//! other are not.

use puomp::registry::format::{Family, Format};
use puomp::values::Month;

use crate::support::pair::DESK;
use crate::today::{Package, between, blocks};

/// Borders at which nothing but VERSION changes in what the generator writes: the later edition.
const SAME_FORM: &[(char, &str)] = &[('H', "5.1"), ('C', "5.1"), ('T', "5.1"), ('D', "5.1")];

/// The records of `body` under the head of `head`, as if the care were of that month.
fn moved(body: &Package, head: &Package, [from, to]: [Month; 2]) -> Package {
    let top = |text: &str, end: &str| text.split_once(end).expect("a head").0.to_owned();
    let rest = |text: &str, end: &str| text.split_once(end).expect("a head").1.to_owned();
    let mut first = top(&head.main, "<ZAP>");
    for element in ["SD_Z", "SUMMAV"] {
        let value = |text: &str| format!("<{element}>{}</{element}>", between(text, element).expect("a total"));
        first = first.replacen(&value(&first), &value(&body.main), 1);
    }
    let days = |text: String| (1..=31).fold(text, |text, day| text.replace(&format!(">{from}-{day:02}<"), &format!(">{to}-{:02}<", day.min(to.days()))));
    Package {
        main: format!("{first}<ZAP>{}", days(rest(&body.main, "<ZAP>"))),
        persons: format!("{}<PERS>{}", top(&head.persons, "<PERS>"), days(rest(&body.persons, "<PERS>"))),
    }
}

/// Whether something but days tells the twin: their order, or the birth date in the number of a newborn.
fn is_told(package: &Package) -> bool {
    package.ids().iter().any(|id| !id.starts_with("006F") && !id.starts_with('L') && id != "002F.00.0130")
}

fn sides(letters: &str, family: char, borders: [&Format; 2]) -> [(Month, Package); 2] {
    let months = [borders[0].edition.until.expect("an end"), borders[1].edition.from.expect("a beginning")];
    months.map(|month| (month, Package::of(letters, family, month, 40)))
}

#[test]
fn records_of_one_side_are_told_on_the_other() {
    let mut borders = 0;
    for (letters, family) in [("H", 'H'), ("C", 'C'), ("T", 'T'), ("DP", 'D'), ("DF", 'D')] {
        let editions: Vec<&Format> = DESK.formats.editions(Family(family)).iter().map(|f| &**f).collect();
        for pair in editions.windows(2).filter(|pair| pair[1].edition.from.is_some_and(|m| m.year > 2019)) {
            let [(before, old), (after, new)] = sides(letters, family, [pair[0], pair[1]]);
            let same = SAME_FORM.contains(&(family, &pair[1].edition.id));
            let what = format!("{letters} {} and {}", pair[0].edition.id, pair[1].edition.id);
            assert_eq!(is_told(&moved(&old, &new, [before, after])), !same, "{what}: the old form in the new month");
            assert_eq!(is_told(&moved(&new, &old, [after, before])), !same, "{what}: the new form in the old month");
            // The version of the other side is told in any case.
            for (package, other) in [(&old, &new), (&new, &old)] {
                let version = |p: &Package| blocks(&p.main, "VERSION")[0].to_owned();
                if version(package) != version(other) {
                    assert!(is_told(&package.with(package.main.replacen(&version(package), &version(other), 1))), "{what}: the version");
                }
            }
            borders += 1;
        }
    }
    assert_eq!(borders, 22);
}
