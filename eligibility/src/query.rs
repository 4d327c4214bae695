//! The questions of reception desks and reviewers, and their JSON in both directions.

use serde::{Deserialize, Serialize};

use crate::code::IdentityCheck;
use crate::coverage::{Member, Written};
use crate::day::{Day, Timestamp};
use crate::number::{Branch, InstitutionCode, InsurerNumber, NumberKey, has_check_digit, is_writable};
use crate::redacted::redacted;
use crate::wire::{self, Fault, Text, Wrong};

/// What the patient lets the institution see beyond the eligibility itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Consent {
    /// 限度額適用認定証.
    pub limit_certificate: bool,
    /// 特定疾病療養受療証; shown on the card path only.
    pub specific_disease: bool,
    /// 医療費助成・公費.
    pub subsidies: bool,
}

/// What both kinds of question carry besides their key.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Circumstances {
    /// The day asked about; the caller's today when absent.
    pub date: Option<Day>,
    /// The institution that asks; the first of the caller's when absent.
    pub institution: Option<InstitutionCode>,
    /// Consent, all false when absent.
    pub consent: Consent,
    /// The caller's own id, echoed.
    pub reference: Option<Box<str>>,
}

redacted! {
    Circumstances = "Circumstances(…)",
    CardQuery<'_> = "CardQuery(…)",
}

/// The question that a card asks: whose it is is in the certificate.
#[derive(Clone, PartialEq, Eq)]
pub struct CardQuery<'a> {
    /// Base64 of the certificate's DER.
    pub certificate: Text<'a>,
    /// The challenge as issued; absent where certificates alone are let through.
    pub challenge: Option<Text<'a>>,
    /// Base64 of the card's signature over the challenge's ASCII octets.
    pub signature: Option<Text<'a>>,
    /// How the visitor's identity was checked.
    pub identity_check: IdentityCheck,
    /// Date, institution, consent, reference.
    pub circumstances: Circumstances,
}

/// The question that the numbers of an insured card ask.
#[derive(Clone, PartialEq, Eq)]
pub struct NumberQuery {
    /// Insurer, symbol and number, folded.
    pub key: NumberKey,
    /// 枝番; absent fits any.
    pub branch: Option<Branch>,
    /// 生年月日.
    pub birth_date: Day,
    /// Answer as it was known at this instant.
    pub known_at: Option<Timestamp>,
    /// Date, institution, consent, reference.
    pub circumstances: Circumstances,
}

impl std::fmt::Debug for NumberQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NumberQuery({:?}, …)", self.key)
    }
}

impl NumberQuery {
    /// Whether the number is one of 後期 whose check digit is wrong. The field is known to have such
    /// cards, so the question stands; where nobody fits, a slip of the finger is likely.
    #[must_use]
    pub fn looks_mistyped(&self) -> bool {
        let number = self.key.spelled().trim_start_matches('\u{1F}');
        // Leading zeros, which the key leaves out, do not change a check digit.
        self.key.insurer().is_late_elderly() && !has_check_digit(&format!("0{number}"))
    }

    /// The coverages of this member that the question names, with their places.
    /// None unless the birth date is the one this insurer has.
    pub fn asked<'p, T: Written>(
        &self,
        insurer: InsurerNumber,
        member: &'p Member<T>,
    ) -> impl Iterator<Item = usize> + use<'p, '_, T> {
        let same = insurer == self.key.insurer() && member.birth_date == self.birth_date;
        let coverages = if same { member.coverages.as_slice() } else { &[] };
        coverages.iter().enumerate().filter_map(move |(at, coverage)| {
            (coverage.fits_branch(self.branch) && coverage.has_key(insurer, &self.key)).then_some(at)
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CardWire<'a> {
    #[serde(borrow, deserialize_with = "wire::opaque")]
    certificate: Text<'a>,
    #[serde(
        borrow,
        default,
        deserialize_with = "wire::opaque_option",
        skip_serializing_if = "Option::is_none"
    )]
    challenge: Option<Text<'a>>,
    #[serde(
        borrow,
        default,
        deserialize_with = "wire::opaque_option",
        skip_serializing_if = "Option::is_none"
    )]
    signature: Option<Text<'a>>,
    #[serde(borrow)]
    identity_check: Text<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    date: Option<Day>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    institution: Option<Text<'a>>,
    #[serde(default, deserialize_with = "wire::object_option", skip_serializing_if = "Option::is_none")]
    consent: Option<Consent>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    reference: Option<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NumberWire<'a> {
    #[serde(borrow)]
    insurer_number: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    symbol: Option<Text<'a>>,
    #[serde(borrow)]
    number: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    branch: Option<Text<'a>>,
    birth_date: Day,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    known_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    date: Option<Day>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    institution: Option<Text<'a>>,
    #[serde(default, deserialize_with = "wire::object_option", skip_serializing_if = "Option::is_none")]
    consent: Option<Consent>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    reference: Option<Text<'a>>,
}

fn circumstances(
    date: Option<Day>,
    institution: Option<&Text<'_>>,
    consent: Option<Consent>,
    reference: Option<&Text<'_>>,
) -> Result<Circumstances, Fault> {
    let institution = institution
        .map(|text| InstitutionCode::parse(text).map_err(|e| Fault::field("institution", e.into())))
        .transpose()?;
    let reference = reference.map(|text| self::reference(text)).transpose()?;
    Ok(Circumstances { date, institution, consent: consent.unwrap_or_default(), reference })
}

/// A caller's own id, as it may be echoed: up to 64 printable characters.
///
/// # Errors
/// The [`Fault`] of `reference`.
pub fn reference(text: &str) -> Result<Box<str>, Fault> {
    let short = text.chars().count() <= 64 && !text.chars().any(char::is_control);
    short.then(|| Box::from(text)).ok_or(Fault::field("reference", Wrong::Range))
}

/// Insurer, symbol, number and branch as somebody wrote them; an empty branch is none.
///
/// # Errors
/// The [`Fault`] with the field as the JSON names it.
pub fn named(
    insurer_number: &str,
    symbol: &str,
    number: &str,
    branch: Option<&str>,
) -> Result<(NumberKey, Option<Branch>), Fault> {
    let field = |name: &'static str| move |error| Fault::field(name, Wrong::from(error));
    let insurer = InsurerNumber::parse(insurer_number).map_err(field("insurer_number"))?;
    if !is_writable(symbol, false) {
        return Err(Fault::field("symbol", Wrong::Form));
    }
    if !is_writable(number, true) {
        return Err(Fault::field("number", Wrong::Form));
    }
    let branch = branch.filter(|text| !text.is_empty());
    let branch = branch.map(Branch::parse).transpose().map_err(field("branch"))?;
    Ok((NumberKey::new(insurer, symbol, number), branch))
}

impl<'a> CardQuery<'a> {
    /// Reads the question.
    ///
    /// # Errors
    /// The [`Fault`] with its field.
    pub fn from_json(json: &'a [u8]) -> Result<Self, Fault> {
        let wire: CardWire<'a> = wire::read(json)?;
        let identity_check = IdentityCheck::from_word(&wire.identity_check)
            .ok_or(Fault::field("identity_check", Wrong::NotInBook))?;
        let circumstances =
            circumstances(wire.date, wire.institution.as_ref(), wire.consent, wire.reference.as_ref())?;
        Ok(Self {
            certificate: wire.certificate,
            challenge: wire.challenge,
            signature: wire.signature,
            identity_check,
            circumstances,
        })
    }

    /// Writes the question.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let (institution, consent, reference) = written(&self.circumstances);
        wire::write(&CardWire {
            certificate: self.certificate.clone(),
            challenge: self.challenge.clone(),
            signature: self.signature.clone(),
            identity_check: self.identity_check.word().into(),
            date: self.circumstances.date,
            institution: institution.map(Text::from),
            consent,
            reference,
        })
    }
}

fn written(circumstances: &Circumstances) -> (Option<String>, Option<Consent>, Option<Text<'_>>) {
    (
        circumstances.institution.map(|code| code.to_string()),
        (circumstances.consent != Consent::default()).then_some(circumstances.consent),
        circumstances.reference.as_deref().map(Text::from),
    )
}

impl NumberQuery {
    /// Reads the question.
    ///
    /// # Errors
    /// The [`Fault`] with its field.
    pub fn from_json(json: &[u8]) -> Result<Self, Fault> {
        let wire: NumberWire<'_> = wire::read(json)?;
        let symbol = wire.symbol.as_deref().unwrap_or_default();
        let (key, branch) = named(&wire.insurer_number, symbol, &wire.number, wire.branch.as_deref())?;
        Ok(Self {
            key,
            branch,
            birth_date: wire.birth_date,
            known_at: wire.known_at,
            circumstances: circumstances(
                wire.date,
                wire.institution.as_ref(),
                wire.consent,
                wire.reference.as_ref(),
            )?,
        })
    }

    /// Writes the question, its symbol and number in folded form.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let (institution, consent, reference) = written(&self.circumstances);
        let (symbol, number) = self.key.spelled().split_once('\u{1F}').unwrap_or_default();
        wire::write(&NumberWire {
            insurer_number: self.key.insurer().to_string().into(),
            symbol: (!symbol.is_empty()).then(|| symbol.into()),
            number: number.into(),
            branch: self.branch.map(|branch| branch.to_string().into()),
            birth_date: self.birth_date,
            known_at: self.known_at,
            date: self.circumstances.date,
            institution: institution.map(Text::from),
            consent,
            reference,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBER: &str = r#"{"insurer_number":" 138057","symbol":"１２－３４","number":"000567","branch":"01","birth_date":"1980-02-03","date":"2026-11-21","institution":"1312345679","consent":{"subsidies":true},"reference":"A-17"}"#;

    #[test]
    fn a_number_query_reads_and_writes() {
        let query = NumberQuery::from_json(NUMBER.as_bytes()).unwrap();
        assert_eq!(query.key, NumberKey::new(InsurerNumber::parse("138057").unwrap(), "12-34", "567"));
        assert_eq!(query.branch, Branch::from_value(1));
        assert!(query.circumstances.consent.subsidies);
        assert!(NumberQuery::from_json(&query.to_json()).unwrap() == query);
    }

    #[test]
    fn an_empty_branch_is_none_and_00_is_one() {
        let branch = |text: &str| {
            NumberQuery::from_json(NUMBER.replace(r#""branch":"01""#, text).as_bytes())
                .map(|query| query.branch)
        };
        assert_eq!(branch(r#""branch":"""#), Ok(None));
        assert_eq!(branch(r#""branch":null"#), Ok(None));
        assert_eq!(branch(r#""branch":"00""#), Ok(Branch::from_value(0)));
        assert_eq!(branch(r#""branch":"1""#), Err(Fault::field("branch", Wrong::Form)));
    }

    #[test]
    fn number_queries_are_refused_by_field() {
        let fault = |from: &str, to: &str| match NumberQuery::from_json(NUMBER.replace(from, to).as_bytes()) {
            Err(fault) => (fault.code(), fault.place().unwrap_or_default().to_owned()),
            Ok(_) => panic!("accepted {to}"),
        };
        let cases = [
            ("138057", "138058", "check_digit", "insurer_number"),
            ("138057", "13805", "invalid_field", "insurer_number"),
            ("000567", "", "invalid_field", "number"),
            ("000567", "\\u0007", "invalid_field", "number"),
            ("1980-02-03", "1980-02-30", "invalid_field", "birth_date"),
            ("2026-11-21", "2026-11-21T00:00", "invalid_field", "date"),
            ("1312345679", "1312345678", "check_digit", "institution"),
            ("subsidies", "all", "unknown_field", "consent.all"),
            ("{\"subsidies\":true}", "[true,true,true]", "invalid_field", "consent"),
            ("\"reference\"", "\"refrence\"", "unknown_field", "refrence"),
            ("A-17", "123456789018", "my_number_refused", "reference"),
        ];
        for (from, to, code, field) in cases {
            assert_eq!(fault(from, to), (code, field.to_owned()), "{to}");
        }
    }

    #[test]
    fn a_card_query_reads_and_writes() {
        let json = r#"{"certificate":"MII=","challenge":"abc","signature":"xyz=","identity_check":"pin","date":"2026-11-21"}"#;
        let query = CardQuery::from_json(json.as_bytes()).unwrap();
        assert_eq!(query.identity_check, IdentityCheck::Pin);
        assert_eq!(query.to_json(), json.as_bytes());
        let bad = json.replace("pin", "smile");
        assert_eq!(
            CardQuery::from_json(bad.as_bytes()).err(),
            Some(Fault::field("identity_check", Wrong::NotInBook))
        );
        let bad = json.replace(r#""identity_check":"pin","#, "");
        assert_eq!(
            CardQuery::from_json(bad.as_bytes()).err(),
            Some(Fault::field("identity_check", Wrong::Missing))
        );
    }
}
