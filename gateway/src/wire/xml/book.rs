//! The code books of the messages: how our words, days and amounts are written there.
//!
//! The books' official list of result codes is not public. Ours are the words of the answer and of its
//! problems, so that one vocabulary serves every wire.

use eligibility::answer::{Answer, Card, CardState};
use eligibility::code::{Relationship, Sex};
use eligibility::day::{Day, Timestamp};
use eligibility::decision::Status;
use eligibility::number::InsurerNumber;

/// Days before the end of a card's certificate from which the desk is told.
const SOON: i32 = 92;

/// Where an answer comes from (照会区分, OQSCD002).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// マイナンバーカード.
    Card,
    /// 被保険者証等記号・番号.
    Number,
}

impl Origin {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Card => "1",
            Self::Number => "2",
        }
    }
}

/// `yyyyMMdd`.
pub(super) fn day(day: Day) -> String {
    let (year, month, day) = day.ymd();
    format!("{year:04}{month:02}{day:02}")
}

/// `yyyyMMddHHmmss`, in Japan.
pub(super) fn moment(at: Timestamp) -> String {
    let date = at.day_in_japan();
    let seconds = (at.millis() - date.starts_at().millis()) / 1000;
    format!("{}{:02}{:02}{:02}", day(date), seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// 保険者番号 in eight places, that of 国保 with two blanks before it.
pub(super) fn insurer(text: &str) -> String {
    let printed = InsurerNumber::parse(text).map_or_else(|_| text.to_owned(), |number| number.to_string());
    format!("{printed:>8}")
}

/// 負担割合 in three digits of percent.
pub(super) fn percent(share: u8) -> String {
    format!("{share:03}")
}

pub(super) const fn sex(sex: Sex) -> &'static str {
    match sex {
        Sex::Male => "1",
        Sex::Female => "2",
        Sex::Unknown => "3",
    }
}

pub(super) const fn relationship(relationship: Relationship) -> &'static str {
    match relationship {
        Relationship::Insured => "1",
        Relationship::Dependent => "2",
    }
}

/// 未就学区分: 1 未就学, 2 就学.
pub(super) const fn preschool(is: bool) -> &'static str {
    if is { "1" } else { "2" }
}

pub(super) const fn flag(given: bool) -> &'static str {
    if given { "1" } else { "0" }
}

/// 処理結果コード: the status, with its reason where it has one; for a card near or past its end its
/// own word. None where there is nothing to tell.
pub(super) fn result_code(answer: &Answer<'_>) -> Option<String> {
    let word = answer.status.word();
    match (answer.status, answer.reason, answer.card.and_then(card_notice)) {
        (Status::Valid, _, Some(notice)) => Some(notice.to_owned()),
        (Status::Valid, _, None) if answer.advice.desk == eligibility::advice::NOTHING_TO_DO => None,
        (_, Some(reason), _) => Some(format!("{word}_{}", reason.word())),
        (_, None, _) => Some(word.to_owned()),
    }
}

fn card_notice(card: Card) -> Option<&'static str> {
    match card.state {
        CardState::Grace => Some("card_in_grace"),
        CardState::Good if card.days_left <= SOON => Some("card_expires_soon"),
        CardState::Good => None,
    }
}

/// 処理結果メッセージ that goes with the code.
pub(super) fn result_message(answer: &Answer<'_>) -> String {
    let desk = &answer.advice.desk;
    match answer.card.filter(|card| card_notice(*card) == Some("card_expires_soon")) {
        Some(card) => {
            format!(
                "{desk}カードの電子証明書の有効期限は{}です。市区町村の窓口で更新していただくようご案内ください。",
                card.not_after
            )
        }
        None => desk.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_moments_and_amounts_are_as_the_books_have_them() {
        let birthday = Day::parse("1980-02-03").unwrap();
        assert_eq!(day(birthday), "19800203");
        let at = Timestamp::from_millis(birthday.starts_at().millis() + 3_723_999);
        assert_eq!(moment(at), "19800203010203");
        assert_eq!((insurer("138057"), insurer("06132013")), ("  138057".to_owned(), "06132013".to_owned()));
        assert_eq!(
            (percent(0), percent(30), percent(100)),
            ("000".to_owned(), "030".to_owned(), "100".to_owned())
        );
    }
}
