//! Finding a 個人番号 where none may be.
//!
//! The gateway never takes, keeps, logs or echoes one, so every text field of every request and
//! record is looked through before anything else is made of it. Holds the search and the check
//! digit; what a finding leads to is the caller's business.

use crate::fold::{is_blank, is_hyphen};

/// Whether `text` holds a 個人番号: a run of exactly 12 digits with a right check digit that is
/// not part of a longer run. Full-width digits count as digits, and three groups of four with one
/// hyphen or blank between them count as one run.
#[must_use]
pub fn is_hidden_in(text: &str) -> bool {
    // Nearly every text has too few digits for one; full-width ones begin with 0xEF.
    let may_be_digit = |octet: &u8| octet.is_ascii_digit() || *octet == 0xEF;
    text.len() >= 12
        && text.as_bytes().iter().filter(|octet| may_be_digit(octet)).count() >= 12
        && search(text)
}

fn search(text: &str) -> bool {
    // The last three runs of digits, as (digits, the run touches its forerunner by one separator).
    let mut groups = Groups::default();
    let mut run = Run::default();
    let mut gap = 0_u32;
    for c in text.chars() {
        if let Some(digit) = digit(c) {
            if run.length == 0 {
                run.joined = gap == 1;
            }
            run.push(digit);
        } else {
            if run.length > 0 {
                if groups.close(run) {
                    return true;
                }
                run = Run::default();
                gap = 0;
            }
            gap = if is_hyphen(c) || c == 'ー' || is_blank(c) { gap + 1 } else { 2 };
        }
    }
    run.length > 0 && groups.close(run)
}

#[derive(Clone, Copy, Default)]
struct Run {
    digits: [u8; 12],
    length: usize,
    joined: bool,
}

impl Run {
    fn push(&mut self, digit: u8) {
        if let Some(slot) = self.digits.get_mut(self.length) {
            *slot = digit;
        }
        self.length = self.length.saturating_add(1);
    }
}

#[derive(Default)]
struct Groups {
    last: [Run; 2],
}

impl Groups {
    /// Takes a finished run; true when it, or it with the two before it, is a 個人番号.
    fn close(&mut self, run: Run) -> bool {
        let [first, second] = self.last;
        self.last = [second, run];
        if run.length == 12 {
            return has_check_digit(&run.digits);
        }
        let fours = first.length == 4 && second.length == 4 && run.length == 4;
        if !(fours && second.joined && run.joined) {
            return false;
        }
        let mut digits = [0; 12];
        for (slot, digit) in
            digits.iter_mut().zip([first, second, run].iter().flat_map(|group| group.digits.iter().take(4)))
        {
            *slot = *digit;
        }
        has_check_digit(&digits)
    }
}

fn digit(c: char) -> Option<u8> {
    match c {
        '0'..='9' => Some(c as u8 - b'0'),
        '０'..='９' => Some((c as u32 - '０' as u32) as u8),
        _ => None,
    }
}

/// The check digit of 行政手続における特定の個人を識別するための番号の利用等に関する法律施行令 8条 and its 省令:
/// weights 6,5,4,3,2,7,6,5,4,3,2, modulus 11; remainders 0 and 1 give 0.
fn has_check_digit(digits: &[u8; 12]) -> bool {
    let [body @ .., check] = digits;
    *check == check_digit(body)
}

/// The check digit that makes these 11 digits a 個人番号.
#[must_use]
pub fn check_digit(body: &[u8; 11]) -> u8 {
    const WEIGHTS: [u32; 11] = [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2];
    let sum: u32 = body.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    match sum % 11 {
        0 | 1 => 0,
        remainder => 11 - remainder as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_in_every_disguise() {
        for text in [
            "123456789018",
            "１２３４５６７８９０１８",
            "1234-5678-9018",
            "1234 5678 9018",
            "1234　5678　9018",
            "１２３４－５６７８－９０１８",
            "1234‐5678−9018",
            "1234ー5678ー9018",
            "氏名123456789018様",
            "x1234-5678-9018y",
            "99 1234 5678 9018",
            "123456789018\n",
        ] {
            assert!(is_hidden_in(text), "{text}");
        }
    }

    #[test]
    fn other_numbers_pass() {
        for text in [
            "",
            "123456789017",
            "1123456789018",
            "1234567890181",
            "1234--5678-9018",
            "1234-56789018",
            "12345-678-9018",
            "1234-5678-90181",
            "3050012345678901",
            "1234/5678/9018",
            "東京都千代田区１－２－３",
            "03-1234-5678",
        ] {
            assert!(!is_hidden_in(text), "{text}");
        }
    }
}
