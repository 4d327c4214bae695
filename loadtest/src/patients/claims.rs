//! Claim files: for each institution claims of last month that fit the nation.

use eligibility::day::Day;
use eligibility::number::InstitutionCode;
use population::claim::{Form, Institution as Maker, write};

use crate::folder::Folder;
use crate::http;
use crate::institutions::Institution;
use crate::menu::{Course, Expected, Item};
use crate::outcome::{Sort, Word};
use crate::scenario::Mix;

/// Claims of a file where the scenario does not say.
const CLAIMS: u32 = 100;
/// Service records of each claim, as in real ones.
const SERVICES: u32 = 20;
/// 支払基金.
const AGENCY: u8 = 1;
/// The institution of the folder's `reception`, which asks where no others do.
const RECEPTION: &str = "1312345679";

/// A file of each institution, in their order; an answer is right when the file was taken.
///
/// # Errors
/// A folder whose people have no claims.
pub fn files(
    folder: &Folder,
    institutions: &[Institution],
    today: Day,
    host: &str,
    mix: &Mix,
) -> Result<Course, String> {
    let claims = mix.precheck_claims.unwrap_or(CLAIMS) as usize;
    let month = month_before(today);
    let count = folder.population.people().saturating_sub(folder.first).max(1);
    let mut items = Vec::with_capacity(institutions.len());
    for (at, institution) in institutions.iter().enumerate() {
        let code = InstitutionCode::parse(&institution.code).or_else(|_| InstitutionCode::parse(RECEPTION));
        let code = code.map_err(|error| format!("{}: {error}", institution.code))?;
        let places = (0..count).map(|one| folder.first + ((at * claims) as u64 + one) % count);
        let planned = places.filter_map(|place| folder.population.claim(place, month, 0)).take(claims);
        let maker = Maker { code, form: Form::of(code), agency: AGENCY, services: SERVICES };
        let mut file = Vec::new();
        let written = write(&mut file, maker, month, planned).map_err(|error| error.to_string())?;
        if written == 0 {
            return Err(format!("target.folder: nobody in it has a claim for the month of {month}"));
        }
        items.push(Item {
            octets: http::post(host, "/v1/prechecks", "application/vnd.jp.uke", &file).into(),
            expected: Expected::OneOf([Word::OK].into()),
        });
    }
    let mut course = Course::default();
    course.add(Sort::Several, 1.0, items);
    Ok(course)
}

/// The first day of the month before this day's.
fn month_before(day: Day) -> Day {
    let first = |day: Day| day.plus(1 - day.ymd().2 as i32);
    first(first(day).plus(-1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_those_of_the_month_before() {
        let before = |text: &str| month_before(Day::parse(text).unwrap()).to_string();
        assert_eq!(before("2026-03-01"), "2026-02-01");
        assert_eq!(before("2026-01-31"), "2025-12-01");
    }
}
