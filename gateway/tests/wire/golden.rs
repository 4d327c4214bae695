//! Golden files: one for each kind of message, with invented persons.
//!
//! `BLESS=1` writes them anew; then look at the difference.

use std::path::Path;

use eligibility::answer::Answer;
use eligibility::day::Timestamp;
use gateway::wire::fhir;
use gateway::wire::xml::{self, Charset, Element, Message, Origin, ReferenceOf, Sent, Style};
use serde_json::Value;

use crate::inside::Inside;

const INSTITUTION: &str = "1312345679";

fn golden(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(golden(name)).unwrap()
}

/// Fails unless this is what the golden file holds.
fn assert_golden(name: &str, octets: &[u8]) {
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(golden(name), octets).unwrap();
    }
    let expected = std::fs::read(golden(name)).unwrap_or_default();
    let (is, was) = (String::from_utf8_lossy(octets), String::from_utf8_lossy(&expected));
    assert!(octets == expected, "{name}: is\n{is}\nand was\n{was}");
}

#[test]
fn answers_are_as_ever() {
    let text = read("answer.json");
    let answer = Answer::from_json(text.as_bytes()).unwrap();
    let request = read("OQSsiquc01req.xml");
    let root = xml::from_xml(&request).unwrap();
    let mut infos = Vec::new();
    root.below("QualificationConfirmSearchInfo", &mut infos);
    let institution = eligibility::number::InstitutionCode::parse(INSTITUTION).ok();
    let sent = |origin, info| Sent { institution, identifier: Some("20261121090211120-1"), origin, info };
    let by_number = sent(Origin::Number, Some(infos[0]));
    let number: ReferenceOf<'_> = &|_| Some("00011".to_owned());
    let write = |style, sent: &Sent<'_>| xml::answer(style, &answer, sent, number);
    assert_golden("OQSsiquc01res.xml", &write(Style::xml(Charset::Utf8), &by_number));
    assert_golden("OQSsiquc01res.sjis.xml", &write(Style::xml(Charset::ShiftJis), &by_number));
    assert_golden("OQSsiquc01res.json", &write(Style::JSON, &by_number));
    assert_golden("OQSsiquc01res_face.xml", &write(Style::xml(Charset::Utf8), &sent(Origin::Card, None)));
    let asked = fhir::Asked::from_json(read("fhir-request.json").as_bytes()).unwrap();
    let response: Value = serde_json::from_slice(&fhir::response(&answer, &asked)).unwrap();
    crate::structure::assert_fits(&response);
    let mut pretty = serde_json::to_vec_pretty(&response).unwrap();
    pretty.push(b'\n');
    assert_golden("fhir-response.json", &pretty);
}

fn tree(text: &str) -> Element<'_> {
    xml::from_xml(text).unwrap()
}

/// The message with its own time in place of the clock's, and its number in place of the file's.
fn timeless(message: Vec<u8>, reception: &str) -> Vec<u8> {
    let text = String::from_utf8(message).unwrap();
    let (before, rest) = text.split_once("<ProcessExecutionTime>").unwrap();
    let (time, after) = rest.split_once('<').unwrap();
    assert_eq!(time.len(), 14, "{time}");
    format!("{before}<ProcessExecutionTime>NOW<{after}").replace(reception, "RECEPTION").into_bytes()
}

#[test]
fn bulk_messages_and_registrations_are_as_ever() {
    let inside = Inside::new(60);
    let office = inside.office(Style::xml(Charset::Utf8));
    let (asked, register) = (read("OQSmuquc01req.xml"), read("OQSmuimm01req.xml"));
    let single = read("OQSsiimm01req.xml");
    assert_golden("OQSsiimm01res.xml", &timeless(office.register(&tree(&single)).unwrap(), "NONE"));
    let bulk = [
        (Message::BulkQuery, Message::BulkQueryFetch, &asked),
        (Message::BulkRegister, Message::BulkRegisterFetch, &register),
    ];
    for (send, fetch, text) in bulk {
        let received = office.receive(send, &tree(text), text).unwrap();
        let answer = String::from_utf8(received.clone()).unwrap();
        let number = crate::facts::in_xml(&tree(&answer), "ReceptionNumber").unwrap();
        assert_golden(&format!("{}res.xml", send.name()), &timeless(received, &number));
        let request = read(&format!("{}req.xml", fetch.name())).replace("RECEPTION", &number);
        let fetched = office.fetch(fetch, &tree(&request)).unwrap();
        assert_golden(&format!("{}res.xml", fetch.name()), &timeless(fetched.octets, &number));
    }
}

#[test]
fn a_refusal_is_a_message_as_ever() {
    let inside = Inside::new(60);
    let mut office = inside.office(Style::xml(Charset::Utf8));
    office.request.now = Timestamp::from_millis(1_795_219_200_000);
    let request = read("OQSsiquc01req.xml").replace("  138057", "06132014");
    let root = xml::from_xml(&request).unwrap();
    let reply = office.query(Ok(&root));
    assert!(reply.recording.wait());
    let refusal = reply.outcome.unwrap_err();
    assert_golden("OQSsiquc01res.refused.xml", &office.refusal(Some(&root), &refusal));
}
