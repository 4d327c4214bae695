//! One question by number on every wire, octets in to octets out, beside the same in JSON.
//!
//! Each leaves its audit record, which is not waited for: that takes the same on all of them.

use std::hint::black_box;

use benches::World;
use criterion::{Criterion, criterion_group, criterion_main};
use eligibility::answer::Answer;
use gateway::path::{self, Reply};
use gateway::refusal::Refusal;
use gateway::wire::fhir;
use gateway::wire::xml::{self, Charset, Form, Office, Style};
use serde_json::json;

/// The employee's question as a message.
fn message(world: &World, charset: Charset) -> Vec<u8> {
    let query = world.query();
    let (symbol, number) = query.key.spelled().split_once('\u{1F}').expect("symbol and number");
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"{}\" standalone=\"no\"?>\r\n<XmlMsg>\r\n  <MessageHeader>\r\n    \
         <MedicalInstitutionCode>1312345679</MedicalInstitutionCode>\r\n    \
         <ArbitraryFileIdentifier>20261121090211120-1</ArbitraryFileIdentifier>\r\n  </MessageHeader>\r\n  \
         <MessageBody>\r\n    <QualificationConfirmSearchInfo>\r\n      <InsurerNumber>{}</InsurerNumber>\r\n      \
         <InsuredCardSymbol>{symbol}</InsuredCardSymbol>\r\n      \
         <InsuredIdentificationNumber>{number}</InsuredIdentificationNumber>\r\n      \
         <Birthdate>{}</Birthdate>\r\n      \
         <LimitApplicationCertificateRelatedConsFlg>1</LimitApplicationCertificateRelatedConsFlg>\r\n    \
         </QualificationConfirmSearchInfo>\r\n  </MessageBody>\r\n</XmlMsg>\r\n",
        charset.name(),
        query.key.insurer(),
        query.birth_date.to_string().replace('-', ""),
    );
    charset.encode(text)
}

/// The message that [`message`] is in FHIR.
fn resource(world: &World) -> Vec<u8> {
    let query = world.query();
    let (symbol, number) = query.key.spelled().split_once('\u{1F}').expect("symbol and number");
    let url = |name: &str| format!("http://jpfhir.jp/fhir/core/Extension/StructureDefinition/{name}");
    let insurer = json!({"system": "http://jpfhir.jp/fhir/core/mhlw/IdSystem/InsurerNumber", "value": query.key.insurer().to_string()});
    json!({
        "resourceType": "CoverageEligibilityRequest", "status": "active", "purpose": ["validation"],
        "patient": {"reference": "#p"}, "created": "2026-11-21", "insurer": {"identifier": insurer},
        "insurance": [{"coverage": {"reference": "#c"}}],
        "contained": [
            {"resourceType": "Patient", "id": "p", "birthDate": query.birth_date},
            {"resourceType": "Coverage", "id": "c", "payor": [{"identifier": insurer}], "extension": [
                {"url": url("JP_Coverage_InsuredPersonSymbol"), "valueString": symbol},
                {"url": url("JP_Coverage_InsuredPersonNumber"), "valueString": number},
            ]},
        ],
    })
    .to_string()
    .into_bytes()
}

fn by_xml(world: &World, octets: &[u8]) -> Reply {
    let (text, charset) = xml::decode(octets, None).expect("a text");
    let tree = xml::from_xml(&text).map_err(Refusal::from);
    let office = Office {
        desk: &world.gateway.desk,
        kept: &world.gateway.kept,
        request: world.request(),
        style: Style { form: Form::Xml, charset },
    };
    office.query(tree.as_ref().map_err(Refusal::clone))
}

fn by_fhir(world: &World, octets: &[u8]) -> Reply {
    let asked = fhir::Asked::from_json(octets).expect("a request");
    let encode = |answer: &Answer<'_>, _| fhir::response(answer, &asked);
    path::number_as(&encode, &world.gateway.desk, world.request(), Ok(asked.query.clone()))
}

fn wires(criterion: &mut Criterion) {
    let world = World::new(10_000);
    let json = world.query().to_json();
    let (utf8, shift_jis) = (message(&world, Charset::Utf8), message(&world, Charset::ShiftJis));
    let resource = resource(&world);
    let is_answered = |reply: Reply| reply.outcome.is_ok() && reply.recording.wait();
    assert!(is_answered(by_xml(&world, &utf8)) && is_answered(by_xml(&world, &shift_jis)));
    assert!(is_answered(by_fhir(&world, &resource)));

    let mut group = criterion.benchmark_group("wires");
    group.bench_function("floor: JSON", |b| {
        b.iter(|| path::number(&world.gateway.desk, world.request(), black_box(&json)).outcome.is_ok());
    });
    group.bench_function("XML in UTF-8", |b| b.iter(|| by_xml(&world, black_box(&utf8)).outcome.is_ok()));
    group.bench_function("XML in Shift_JIS", |b| {
        b.iter(|| by_xml(&world, black_box(&shift_jis)).outcome.is_ok());
    });
    group.bench_function("FHIR", |b| b.iter(|| by_fhir(&world, black_box(&resource)).outcome.is_ok()));
    group.finish();

    let mut group = criterion.benchmark_group("wires, the record waited for");
    group.bench_function("floor: JSON", |b| {
        b.iter(|| path::number(&world.gateway.desk, world.request(), black_box(&json)).recording.wait());
    });
    group.bench_function("XML in UTF-8", |b| b.iter(|| by_xml(&world, black_box(&utf8)).recording.wait()));
    group.bench_function("XML in Shift_JIS", |b| {
        b.iter(|| by_xml(&world, black_box(&shift_jis)).recording.wait());
    });
    group.finish();
}

criterion_group!(benches, wires);
criterion_main!(benches);
