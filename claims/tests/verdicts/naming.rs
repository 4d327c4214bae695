//! Who may be told the right coverage.

use claims::Caller;
use eligibility::number::InstitutionCode;

use super::town::{Town, judged, shown};

#[test]
fn a_reception_desk_is_told_only_of_its_own_past_visits() {
    let own = [InstitutionCode::parse("1312345679").unwrap()];
    let town = Town::of(&["A 2020-04-01..2026-06-10 other, C 2026-06-10..2026-06-20, B 2026-06-20.."]);
    let named = "split 05 | A 3 | C 12 | B 25 => 2";
    let unnamed = "split 05 | A 3 | ? 12 25";
    for (name, caller, today, expected) in [
        ("review", Caller::Review, "2026-06-01", named),
        ("own claim, days past", Caller::Reception(&own), "2026-06-26", named),
        ("own claim, last day today", Caller::Reception(&own), "2026-06-25", unnamed),
        ("no codes", Caller::Reception(&[]), "2026-07-01", unnamed),
    ] {
        let outcome = judged(&town, "A 3 12 25", caller, today);
        assert_eq!(shown(&outcome), expected, "{name}");
        assert_eq!(outcome.named, expected == named, "{name}");
        let mut json = Vec::new();
        outcome.write_json(&mut json);
        let json = String::from_utf8(json).unwrap();
        for insurer in ["33120015", "138057"] {
            assert_eq!(json.contains(insurer), expected == named, "{name}: {json}");
        }
    }
}

#[test]
fn closed_records_are_shown_to_nobody() {
    let town = Town::of(&["A 2020-04-01..2026-06-10 other, C 2026-06-10.. closed"]);
    let outcome = judged(&town, "A 12", Caller::Review, "2026-07-01");
    assert!(outcome.coverages.is_empty() && outcome.days.is_empty() && !outcome.named);
    assert_eq!(outcome.payer.right, None);
}
