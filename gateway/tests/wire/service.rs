//! The wires over HTTP: media types, encodings, refusals, what is kept over a restart.

use std::sync::LazyLock;

use gateway::wire::xml::{self, Charset};
use serde_json::{Value, json};

use crate::facts::in_xml;
use crate::structure::assert_fits;
use crate::world::World;
use crate::world::client::{Client, Reply};

static WORLD: LazyLock<World> = LazyLock::new(|| World::started(60));

const QUERY: &str = include_str!("../golden/OQSsiquc01req.xml");
const FHIR: &str = "/fhir/CoverageEligibilityRequest/$submit";

/// The named employee's question as a message.
fn employee() -> String {
    let text = QUERY.replace("  138057", "06132013").replace("架空-１", "12-34").replace("0567", "567");
    let text = text.replace(">01<", ">00<").replace("19500203", "19800203");
    text.replace("    <QualificationConfirmationDate>20261121</QualificationConfirmationDate>\n", "")
}

fn post(client: &Client, message: &str, kind: &str, body: &[u8]) -> Reply {
    client.send("POST", &format!("/oqs/v1/{message}"), kind, body)
}

fn said(reply: &Reply, name: &str) -> Option<String> {
    let (text, _) = xml::decode(&reply.body, None).unwrap();
    in_xml(&xml::from_xml(&text).unwrap_or_else(|_| panic!("{text}")), name)
}

#[test]
fn a_message_is_answered_in_its_own_encoding() {
    let desk = WORLD.client("reception");
    for (kind, octets, charset) in [
        ("application/xml", employee().into_bytes(), Charset::Utf8),
        ("text/xml; charset=\"utf-8\"", employee().into_bytes(), Charset::Utf8),
        (
            "application/xml",
            Charset::ShiftJis.encode(employee().replace("UTF-8", "Shift_JIS")),
            Charset::ShiftJis,
        ),
        (
            "text/xml;charset=Windows-31J",
            Charset::ShiftJis.encode(employee().replace("UTF-8", "Shift_JIS")),
            Charset::ShiftJis,
        ),
    ] {
        for name in ["OQSsiquc01", "OQSsiquc01req", "OQSsiquc01req_202611210001.xml"] {
            let reply = post(&desk, name, kind, &octets);
            assert_eq!(reply.status, 200, "{reply:?}");
            assert_eq!(xml::decode(&reply.body, None).unwrap().1, charset);
            let expected = format!("application/xml; charset={}", charset.name());
            assert_eq!(reply.header("content-type"), Some(expected.as_str()));
            assert_eq!(reply.header("cache-control"), Some("no-store"));
            assert_eq!(said(&reply, "QualificationValidity").as_deref(), Some("1"));
            assert_eq!(said(&reply, "CharacterCodeIdentifier").as_deref(), Some(charset.code()));
            assert_eq!(said(&reply, "ArbitraryFileIdentifier").as_deref(), Some("20261121090211120-1"));
        }
    }
}

#[test]
fn the_twin_and_fhir_are_answered_too() {
    let desk = WORLD.client("reception");
    let twin = json!({"XmlMsg": {"MessageHeader": {}, "MessageBody": {"QualificationConfirmSearchInfo": {
        "InsurerNumber": "06132013", "InsuredCardSymbol": "12-34", "InsuredIdentificationNumber": "567", "Birthdate": "19800203",
    }}}});
    let reply = desk.post("/oqs/v1/OQSsiquc01", &twin);
    let body = &reply.json()["XmlMsg"]["MessageBody"];
    assert_eq!((reply.status, &body["QualificationValidity"]), (200, &json!("1")), "{reply:?}");
    assert!(body["ResultList"][0]["ResultOfQualificationConfirmation"]["Name"].is_string(), "{body}");

    let text =
        include_str!("../golden/fhir-request.json").replace("138057", "06132013").replace("架空-１", "12-34");
    let text = text.replace("0567", "567").replace("\"01\"", "\"00\"").replace("1950-02-03", "1980-02-03");
    let mut request: Value = serde_json::from_str(&text).unwrap();
    request.as_object_mut().unwrap().remove("servicedDate");
    let reply = desk.send("POST", FHIR, "application/fhir+json", request.to_string().as_bytes());
    let response = reply.json();
    assert_eq!((reply.status, &response["insurance"][0]["inforce"]), (200, &json!(true)), "{response:#}");
    assert_eq!(reply.header("content-type"), Some("application/fhir+json"));
    assert_fits(&response);
    request["purpose"] = json!(["benefits"]);
    let reply = desk.send("POST", FHIR, "application/fhir+json", request.to_string().as_bytes());
    assert_eq!(reply.json()["issue"][0]["expression"], json!(["CoverageEligibilityRequest.purpose"]));
    let wrong = [
        ("purpose", json!(["validation"]), "status", json!("cancelled")),
        ("purpose", json!(["validation"]), "patient", json!({"reference": "#nobody"})),
        ("purpose", json!(["discovery"]), "text", json!({"div": "123456789018"})),
        ("purpose", json!(["discovery"]), "123456789018", json!(1)),
        ("status", json!("active"), "note", json!(123_456_789_018_u64)),
    ];
    for (field, value, wrong, bad) in wrong {
        let mut request = request.clone();
        request[field] = value;
        request[wrong] = bad;
        let reply = desk.send("POST", FHIR, "application/fhir+json", request.to_string().as_bytes());
        assert_eq!(reply.status, 422, "{wrong}: {reply:?}");
        assert!(!String::from_utf8_lossy(&reply.body).contains("123456789018"));
        assert_fits(&reply.json());
    }
    let reply = desk.get("/fhir/metadata");
    assert_eq!((reply.status, &reply.json()["fhirVersion"]), (200, &json!("4.0.1")));
}

#[test]
fn a_card_leaves_what_a_reader_would() {
    let desk = WORLD.client("reception");
    let query = WORLD.card("employee").query(&desk.challenge());
    let reply = post(&desk, "OQSsiquc01res_face", "application/json", query.to_string().as_bytes());
    assert_eq!(
        (reply.status, said(&reply, "ReferenceClassification").as_deref()),
        (200, Some("1")),
        "{reply:?}"
    );
    assert_eq!(said(&reply, "MedicalInstitutionCode").as_deref(), Some("1312345679"));
    let again = post(&desk, "OQSsiquc01res_face", "application/json", query.to_string().as_bytes());
    assert_eq!((again.status, said(&again, "ErrorCode").as_deref()), (422, Some("challenge_used")));
    let revoked = WORLD.card_in_state("revoked").query(&desk.challenge());
    let reply = post(&desk, "OQSsiquc01res_face", "application/json", revoked.to_string().as_bytes());
    assert_eq!((reply.status, said(&reply, "ErrorCode").as_deref()), (422, Some("card_revoked")));
}

#[test]
fn what_is_hostile_or_wrong_is_refused_with_a_message() {
    let desk = WORLD.client("reception");
    let text = employee();
    let with = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to).into_bytes()
    };
    let laughs = "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;&lol;\">]><XmlMsg>";
    let cases: Vec<(Vec<u8>, u16, &str)> = vec![
        (with("<XmlMsg>", "<!DOCTYPE XmlMsg SYSTEM \"file:///etc/passwd\"><XmlMsg>"), 400, "malformed"),
        (with("<XmlMsg>", laughs), 400, "malformed"),
        (with(">12-34<", ">&xxe;<"), 400, "malformed"),
        (with("</XmlMsg>", ""), 400, "malformed"),
        (with("UTF-8", "Shift_JIS").into_iter().chain([0x81]).collect(), 400, "malformed"),
        (with("UTF-8", "UTF-16"), 400, "malformed"),
        (
            format!("{}{}", "<XmlMsg>".repeat(3000), "</XmlMsg>".repeat(300)).into_bytes(),
            413,
            "body_too_large",
        ),
        ("<XmlMsg>".repeat(1500).into_bytes(), 400, "malformed"),
        (b"\xFF\xFE<\0a\0/\0>\0".to_vec(), 400, "malformed"),
        (Vec::new(), 400, "malformed"),
        (with(">567<", ">123456789018<"), 422, "my_number_refused"),
        (with("is passed over", "１２３４ ５６７８ ９０１８"), 422, "my_number_refused"),
        (with("06132013", "06132014"), 422, "invalid_field"),
        (with("06132013", "613201"), 422, "invalid_field"),
        (with("19800203", "1980-02-03"), 422, "invalid_field"),
        (
            with(
                "<MessageHeader>",
                "<MessageHeader><MedicalInstitutionCode>1312345679</MedicalInstitutionCode>",
            ),
            422,
            "invalid_field",
        ),
        (with("1312345679", "1411234568"), 403, "institution_mismatch"),
        (with(">1</Limit", ">3</Limit"), 422, "invalid_field"),
    ];
    for (octets, status, code) in cases {
        let reply = post(&desk, "OQSsiquc01", "application/xml", &octets);
        let shown = String::from_utf8_lossy(&octets).into_owned();
        assert_eq!((reply.status, said(&reply, "ErrorCode").as_deref()), (status, Some(code)), "{shown}");
        assert_eq!(said(&reply, "SegmentOfResult").as_deref(), Some("9"));
        assert!(!String::from_utf8_lossy(&reply.body).contains("123456789018"));
    }
    for (name, kind, status) in
        [("OQSsixyz01", "application/xml", 404), ("OQSsiquc01", "application/x-yaml", 415)]
    {
        assert_eq!(post(&desk, name, kind, text.as_bytes()).status, status);
    }
    assert_eq!(post(&WORLD.client("portal"), "OQSsiquc01", "application/xml", text.as_bytes()).status, 403);
    assert_eq!(post(&WORLD.client("review"), "OQSsiimm01", "application/xml", text.as_bytes()).status, 403);
    let lying = post(&desk, "OQSsiquc01", "application/xml; charset=Shift_JIS", text.as_bytes());
    assert_eq!(lying.status, 400);
}

#[test]
fn numbers_and_bulk_messages_outlive_a_killed_gateway() {
    let mut world = World::prepared(60);
    world.start();
    let register = include_str!("../golden/OQSmuimm01req.xml");
    let bulk = include_str!("../golden/OQSmuquc01req.xml");
    let number_of = |world: &World, message: &str, text: &str| {
        let reply = post(&world.client("reception"), message, "application/xml", text.as_bytes());
        assert_eq!(reply.status, 200, "{reply:?}");
        said(&reply, "ReceptionNumber").unwrap()
    };
    let registered = number_of(&world, "OQSmuimm01", register);
    let asked = number_of(&world, "OQSmuquc01", bulk);
    world.kill();
    world.start();
    let desk = world.client("reception");
    assert_eq!(number_of(&world, "OQSmuquc01", bulk), asked, "sent again");
    let reply = post(&desk, "OQSsiquc01", "application/xml", employee().as_bytes());
    assert_eq!(said(&reply, "ReferenceNumber").as_deref(), Some("00011"), "{reply:?}");
    let query = world.card("employee").query(&desk.challenge());
    let reply = post(&desk, "OQSsiquc01res_face", "application/json", query.to_string().as_bytes());
    assert_eq!(said(&reply, "ReferenceNumber").as_deref(), Some("00011"), "{reply:?}");
    let other = employee().replace("    <MedicalInstitutionCode>1312345679</MedicalInstitutionCode>\n", "");
    let reply = post(&world.client("reception-2"), "OQSsiquc01", "application/xml", other.as_bytes());
    assert_eq!((reply.status, said(&reply, "ReferenceNumber")), (200, None), "another institution's number");
    let fetch = |client: &str, message: &str, number: &str| {
        let text = include_str!("../golden/OQSmuquc02req.xml").replace("RECEPTION", number);
        let text = if client == "reception" {
            text
        } else {
            text.replace("    <MedicalInstitutionCode>1312345679</MedicalInstitutionCode>\n", "")
        };
        post(&world.client(client), message, "application/xml", text.as_bytes())
    };
    let reply = fetch("reception", "OQSmuquc02", &asked);
    assert_eq!(
        (reply.status, said(&reply, "NumberOfProcessingResult").as_deref()),
        (200, Some("3")),
        "{reply:?}"
    );
    let reply = fetch("reception", "OQSmuimm02", &registered);
    assert_eq!((reply.status, said(&reply, "NumberOfError").as_deref()), (200, Some("1")), "{reply:?}");
    for (client, message, number) in [
        ("reception-2", "OQSmuquc02", asked.as_str()),
        ("reception", "OQSmuquc02", &registered),
        ("reception", "OQSmuquc02", "20261121000000009999"),
    ] {
        let reply = fetch(client, message, number);
        assert_eq!((reply.status, said(&reply, "ErrorCode").as_deref()), (422, Some("invalid_field")));
    }
}
