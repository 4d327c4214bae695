//! How the tests make files and show what was read of them.

use claims::{Claims, Entry, Finding};
use encoding_rs::SHIFT_JIS;

/// These records as a file: CP932, CR LF, a final 0x1A.
pub(crate) fn file(records: &[&str]) -> Vec<u8> {
    let mut octets = Vec::new();
    for record in records {
        octets.extend_from_slice(&SHIFT_JIS.encode(record).0);
        octets.extend_from_slice(b"\r\n");
    }
    octets.push(0x1A);
    octets
}

/// All entries of a file and what is wrong with it as a whole.
pub(crate) fn read(octets: &[u8]) -> (Vec<Entry>, Vec<Finding>) {
    let mut claims = Claims::open(octets).unwrap();
    let mut all = Vec::new();
    while let Some(entry) = claims.next().unwrap() {
        all.push(entry);
    }
    (all, claims.notices().kept().to_vec())
}

/// An entry in one line.
pub(crate) fn shown(entry: &Entry) -> String {
    match entry {
        Entry::Unreadable(unreadable) => format!("{} unreadable: {}", unreadable.line, unreadable.fault),
        Entry::Claim(claim) => {
            let days: Vec<String> = claim.days.iter().map(|day| day.ymd().2.to_string()).collect();
            let days = if claim.days.count() > 8 { format!("{} days", days.len()) } else { days.join(" ") };
            let written = claim.written.as_ref().map_or("-".to_owned(), |written| {
                let branch = written.branch.map_or("-".to_owned(), |branch| branch.to_string());
                format!(
                    "{} {} {} {branch} {}",
                    written.insurer, written.symbol, written.number, written.birth_date
                )
            });
            format!(
                "{} #{} {} | {} | {} {}: {days} | {} points, {} KO{}{:?}",
                claim.line,
                claim.number.map_or("-".to_owned(), |number| number.to_string()),
                claim.institution.map_or("-".to_owned(), |code| code.to_string()),
                written,
                claim.days.month(),
                claim.days.source().word(),
                claim.points,
                claim.subsidies,
                if claim.limited { ", limited " } else { " " },
                claim.remarks,
            )
        }
    }
}

/// Every entry in one line.
pub(crate) fn lines(octets: &[u8]) -> Vec<String> {
    read(octets).0.iter().map(shown).collect()
}

/// Every notice in one line.
pub(crate) fn notices(octets: &[u8]) -> Vec<String> {
    read(octets).1.iter().map(ToString::to_string).collect()
}
