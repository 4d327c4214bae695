//! Answers as messages: which element holds what. Octets and tags are [`super::out`]'s.

use eligibility::answer::{Answer, CoverageShown, DiseaseShown, ElderlyShown, LimitShown};
use eligibility::day::{Day, Timestamp};
use eligibility::number::InstitutionCode;

use super::book::{self, Origin};
use super::out::{Form, Out};
use super::text::{Charset, narrow_kana};
use super::tree::Element;
use crate::refusal::Refusal;

/// How a message is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// XML or its twin.
    pub form: Form,
    /// In which octets.
    pub charset: Charset,
}

/// The elements of a query, in the order of its answer.
pub(super) const QUERY: [&str; 7] = [
    "InsurerNumber",
    "InsuredCardSymbol",
    "InsuredIdentificationNumber",
    "InsuredBranchNumber",
    "Birthdate",
    "LimitApplicationCertificateRelatedConsFlg",
    "ArbitraryIdentifier",
];

/// What an answer repeats of its question.
pub struct Sent<'s> {
    /// 医療機関コード.
    pub institution: Option<InstitutionCode>,
    /// 任意のファイル識別子.
    pub identifier: Option<&'s str>,
    /// By card or by number.
    pub origin: Origin,
    /// The query, where it was a message.
    pub info: Option<&'s Element<'s>>,
}

/// What the header of an answer says besides its outcome.
pub(super) struct Heading<'h> {
    pub(super) at: Timestamp,
    pub(super) date: Option<Day>,
    pub(super) institution: Option<InstitutionCode>,
    pub(super) identifier: Option<&'h str>,
    pub(super) origin: Option<Origin>,
}

/// How a message ended (処理結果区分, OQSCD003).
pub(super) enum End<'e> {
    /// 正常終了.
    Done,
    /// 処理中.
    UnderWay,
    /// 異常終了.
    Failed(&'e Refusal),
}

/// How many of a bulk message's items were processed.
pub(super) struct Count {
    pub(super) reception: String,
    /// Of all, those that went well; `None` where they are not looked at yet.
    pub(super) processed: Option<(usize, usize)>,
}

/// A person's registered 照会番号, by what a coverage shows.
pub type ReferenceOf<'r> = &'r dyn Fn(&CoverageShown<'_>) -> Option<String>;

/// The message that an answer is.
#[must_use]
pub fn answer(style: Style, answer: &Answer<'_>, sent: &Sent<'_>, reference_of: ReferenceOf<'_>) -> Vec<u8> {
    let heading = Heading {
        at: answer.answered_at,
        date: Some(answer.date),
        institution: sent.institution,
        identifier: sent.identifier,
        origin: Some(sent.origin),
    };
    style.message(&heading, &End::Done, None, |out| {
        if let Some(info) = sent.info {
            echo(out, "QualificationConfirmSearchInfo", info, &QUERY);
        }
        outcome(out, answer, reference_of);
    })
}

impl Style {
    /// A whole message.
    pub(super) fn message(
        self,
        heading: &Heading<'_>,
        end: &End<'_>,
        count: Option<&Count>,
        body: impl FnOnce(&mut Out),
    ) -> Vec<u8> {
        let text = Out::new(self.form).document(self.charset.name(), |out| {
            out.group("MessageHeader", |out| header(out, self.charset, heading, end, count));
            out.group("MessageBody", body);
        });
        match self.form {
            Form::Xml => self.charset.encode(text),
            Form::Json => text.into_bytes(),
        }
    }
}

fn header(out: &mut Out, charset: Charset, heading: &Heading<'_>, end: &End<'_>, count: Option<&Count>) {
    out.leaf("ProcessExecutionTime", &book::moment(heading.at));
    out.maybe("QualificationConfirmationDate", heading.date.map(book::day));
    out.maybe("MedicalInstitutionCode", heading.institution.map(|code| code.to_string()));
    out.maybe("ArbitraryFileIdentifier", heading.identifier);
    out.maybe("ReferenceClassification", heading.origin.map(Origin::code));
    match end {
        End::Done => out.leaf("SegmentOfResult", "1"),
        End::UnderWay => out.leaf("SegmentOfResult", "2"),
        End::Failed(refusal) => {
            out.leaf("SegmentOfResult", "9");
            out.leaf("ErrorCode", refusal.problem().code);
            out.leaf("ErrorMessage", &told(refusal));
        }
    }
    out.leaf("CharacterCodeIdentifier", charset.code());
    let Some(count) = count else { return };
    out.leaf("ReceptionNumber", &count.reception);
    if let Some((all, well)) = count.processed {
        out.leaf("NumberOfProcessingResult", &all.to_string());
        out.leaf("NumberOfNormalProcessing", &well.to_string());
        out.leaf("NumberOfError", &all.saturating_sub(well).to_string());
    }
}

/// What the desk is told, and which element it is about.
fn told(refusal: &Refusal) -> String {
    let desk = refusal.problem().desk;
    match refusal {
        Refusal::InvalidField { field, wrong } if !field.is_empty() => {
            format!("{desk}（{}: {}）", element_of(field), wrong.words())
        }
        Refusal::MyNumberRefused { field } if !field.is_empty() => format!("{desk}（{}）", element_of(field)),
        Refusal::Malformed { column } => format!("{desk}（octet {column}）"),
        _ => desk.to_owned(),
    }
}

/// The element for a field that the path names as the JSON has it.
fn element_of(field: &str) -> &str {
    match field {
        "insurer_number" => "InsurerNumber",
        "date" => "QualificationConfirmationDate",
        "institution" => "MedicalInstitutionCode",
        other => other,
    }
}

/// Outcome and results of one question.
fn outcome(out: &mut Out, answer: &Answer<'_>, reference_of: ReferenceOf<'_>) {
    result(out, answer);
    if !answer.coverages.is_empty() {
        out.list("ResultList", "ResultOfQualificationConfirmation", &answer.coverages, |out, coverage| {
            shown(out, answer, coverage, reference_of);
        });
    }
}

/// Outcome and results of one question among many, each with the one result of its own.
pub(super) fn unit(out: &mut Out, answer: &Answer<'_>, reference_of: ReferenceOf<'_>) {
    result(out, answer);
    let Some(coverage) = answer.coverages.first() else { return };
    out.group("ResultOfQualificationConfirmation", |out| shown(out, answer, coverage, reference_of));
}

fn result(out: &mut Out, answer: &Answer<'_>) {
    out.leaf("ProcessingResultStatus", if answer.code.is_some() { "1" } else { "2" });
    if let Some(code) = book::result_code(answer) {
        out.leaf("ProcessingResultCode", &code);
        out.leaf("ProcessingResultMessage", &book::result_message(answer));
    }
    out.maybe("QualificationValidity", answer.code.map(|code| code.to_string()));
}

/// The outcome of an item that is refused, or of one that only has to succeed.
pub(super) fn refused(out: &mut Out, refusal: Option<&Refusal>) {
    out.leaf("ProcessingResultStatus", if refusal.is_none() { "1" } else { "2" });
    if let Some(refusal) = refusal {
        out.leaf("ProcessingResultCode", refusal.problem().code);
        out.leaf("ProcessingResultMessage", &told(refusal));
    }
}

/// The elements of the question, given back as they came.
pub(super) fn echo(out: &mut Out, name: &str, info: &Element<'_>, names: &[&'static str]) {
    out.group(name, |out| {
        for name in names {
            let text = info.children.iter().find(|child| child.name == *name).map(|child| child.text.trim());
            match (*name, text) {
                ("InsurerNumber", Some(text)) => out.leaf(name, &book::insurer(text)),
                (_, text) => out.maybe(name, text),
            }
        }
    });
}

fn shown(out: &mut Out, answer: &Answer<'_>, one: &CoverageShown<'_>, reference_of: ReferenceOf<'_>) {
    out.maybe("InsuredCardClassification", one.card_kind.as_ref().map(|kind| kind.as_str()));
    out.leaf("Name", &one.name);
    out.maybe("NameOfOther", one.alias.as_deref());
    out.maybe("NameKana", one.name_kana.as_deref().map(narrow_kana));
    out.maybe("NameOfOtherKana", one.alias_kana.as_deref().map(narrow_kana));
    out.leaf("Sex1", book::sex(one.sex));
    out.maybe("Sex2", one.sex_on_back.map(book::sex));
    out.leaf("Birthdate", &book::day(one.birth_date));
    out.maybe("Address", one.address.as_deref());
    out.maybe("PostNumber", one.postal_code.as_deref());
    out.leaf("InsurerNumber", &book::insurer(&one.insurer_number));
    out.maybe("InsurerName", one.insurer_name.as_deref());
    out.maybe("InsuredCardSymbol", Some(&one.symbol));
    out.leaf("InsuredIdentificationNumber", &one.number);
    out.maybe("InsuredBranchNumber", one.branch.as_deref());
    out.maybe("PersonalFamilyClassification", one.relationship.map(book::relationship));
    out.maybe("InsuredName", one.insured_name.as_deref());
    out.leaf("QualificationDate", &book::day(one.qualified_on));
    out.maybe("DisqualificationDate", one.disqualified_on.map(book::day));
    out.maybe("ReasonOfLoss", one.loss_reason.map(|reason| reason.word()));
    out.maybe("InsuredCertificateIssuanceDate", one.issued_on.map(book::day));
    out.maybe("InsuredCardValidDate", one.valid_from.map(book::day));
    out.maybe("InsuredCardExpirationDate", one.valid_through.map(book::day));
    out.maybe("InsuredPartialContributionRatio", one.copay_percent.map(book::percent));
    out.maybe("PreschoolClassification", one.preschool.map(book::preschool));
    if let Some(certificate) = &one.elderly {
        out.group("ElderlyRecipientCertificateInfo", |out| elderly(out, certificate));
    }
    consented(
        out,
        "LimitApplicationCertificateRelated",
        answer.consent.limit_certificate,
        answer.answered_at,
    );
    if let Some(certificate) = &one.limit_certificate {
        out.group("LimitApplicationCertificateRelatedInfo", |out| limit(out, certificate));
    }
    if answer.card.is_some() {
        consented(
            out,
            "SpecificDiseasesCertificateRelated",
            answer.consent.specific_disease,
            answer.answered_at,
        );
    }
    if !one.specific_diseases.is_empty() {
        let all = &one.specific_diseases;
        out.list("SpecificDiseasesCertificateList", "SpecificDiseasesCertificateInfo", all, disease);
    }
    out.maybe("ReferenceNumber", reference_of(one));
}

fn consented(out: &mut Out, what: &str, given: bool, at: Timestamp) {
    out.leaf(&format!("{what}ConsFlg"), book::flag(given));
    out.maybe(&format!("{what}ConsTime"), given.then(|| book::moment(at)));
}

fn elderly(out: &mut Out, certificate: &ElderlyShown) {
    out.maybe("ElderlyRecipientCertificateDate", certificate.issued_on.map(book::day));
    out.maybe("ElderlyRecipientValidStartDate", certificate.valid_from.map(book::day));
    out.maybe("ElderlyRecipientValidEndDate", certificate.valid_through.map(book::day));
    out.maybe("ElderlyRecipientContributionRatio", certificate.copay_percent.map(book::percent));
}

fn limit(out: &mut Out, certificate: &LimitShown) {
    out.leaf("LimitApplicationCertificateClassification", certificate.kind.word());
    let category = certificate.category.as_ref();
    out.maybe("LimitApplicationCertificateClassificationFlag", category.map(|category| category.as_str()));
    out.maybe("LimitApplicationCertificateDate", certificate.issued_on.map(book::day));
    out.maybe("LimitApplicationCertificateValidStartDate", certificate.valid_from.map(book::day));
    out.maybe("LimitApplicationCertificateValidEndDate", certificate.valid_through.map(book::day));
    out.maybe("LimitApplicationCertificateLongTermDate", certificate.long_term_on.map(book::day));
}

fn disease(out: &mut Out, certificate: &DiseaseShown) {
    out.leaf("SpecificDiseasesDiseaseCategory", certificate.category.word());
    out.maybe("SpecificDiseasesCertificateDate", certificate.issued_on.map(book::day));
    out.maybe("SpecificDiseasesValidStartDate", certificate.valid_from.map(book::day));
    out.maybe("SpecificDiseasesValidEndDate", certificate.valid_through.map(book::day));
    out.maybe("SpecificDiseasesSelfPay", certificate.self_pay_yen.map(|yen| yen.to_string()));
}
