//! A gateway in process, a desk that asks it, and the four ways to ask.

use eligibility::answer::Answer;
use eligibility::query::Consent;
use gateway::config::Config;
use gateway::gateway::Gateway;
use gateway::path::{self, Request};
use gateway::peer::Peer;
use gateway::refusal::Refusal;
use gateway::wire::fhir;
use gateway::wire::xml::{self, Charset, Office, Style};
use population::Population;
use population::resident::Question;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

use crate::world::World;

pub(crate) struct Inside {
    _world: World,
    pub(crate) gateway: Gateway,
    pub(crate) population: Population,
    pub(crate) now: eligibility::day::Timestamp,
    peer: Peer,
}

/// A question as a desk has it in hand.
pub(crate) struct Sheet {
    pub(crate) question: Question,
    pub(crate) date: eligibility::day::Day,
    pub(crate) wants_limit: bool,
}

impl Inside {
    pub(crate) fn new(people: u64) -> Self {
        let world = World::prepared(people);
        let gateway = Gateway::start(&Config::read(&world.path("shikaku.toml")).unwrap()).unwrap();
        let certificate = CertificateDer::from_pem_file(world.path("clients/reception.pem")).unwrap();
        let peer = Peer::of(&certificate, &gateway.roles);
        let now = gateway.clock.now();
        let population = Population::new(1, people, now.day_in_japan());
        Self { _world: world, gateway, population, now, peer }
    }

    pub(crate) fn request(&self) -> Request<'_> {
        Request { peer: &self.peer, id: uuid::Uuid::max(), now: self.now, trace: None }
    }

    pub(crate) fn office(&self, style: Style) -> Office<'_> {
        Office { desk: &self.gateway.desk, kept: &self.gateway.kept, request: self.request(), style }
    }

    fn told(reply: path::Reply) -> Vec<u8> {
        assert!(reply.recording.wait(), "recorded");
        reply.outcome.unwrap_or_else(|refusal| panic!("refused: {refusal:?}"))
    }

    pub(crate) fn by_json(&self, sheet: &Sheet) -> Value {
        let asked = path::number(&self.gateway.desk, self.request(), sheet.json().to_string().as_bytes());
        serde_json::from_slice(&Self::told(asked)).unwrap()
    }

    pub(crate) fn by_xml(&self, sheet: &Sheet, charset: Charset) -> Vec<u8> {
        let octets = charset.encode(sheet.xml(charset));
        let (text, found) = xml::decode(&octets, None).unwrap();
        assert_eq!(found, charset);
        let tree = xml::from_xml(&text).map_err(Refusal::from);
        Self::told(self.office(Style::xml(charset)).query(tree.as_ref().map_err(Refusal::clone)))
    }

    pub(crate) fn by_twin(&self, sheet: &Sheet) -> Vec<u8> {
        let text = sheet.twin().to_string();
        let tree = xml::from_json(&text).map_err(Refusal::from);
        Self::told(self.office(Style::JSON).query(tree.as_ref().map_err(Refusal::clone)))
    }

    pub(crate) fn by_fhir(&self, sheet: &Sheet) -> Value {
        let asked = fhir::Asked::from_json(sheet.fhir().to_string().as_bytes()).unwrap();
        let encode = |answer: &Answer<'_>, _| fhir::response(answer, &asked);
        let query = Ok(asked.query.clone());
        let reply = path::number_as(&encode, &self.gateway.desk, self.request(), query);
        serde_json::from_slice(&Self::told(reply)).unwrap()
    }
}

impl Sheet {
    fn json(&self) -> Value {
        let Question { insurer, symbol, number, branch, birth_date } = &self.question;
        json!({
            "insurer_number": insurer.to_string(), "symbol": symbol, "number": number,
            "branch": branch.map(|branch| branch.to_string()), "birth_date": birth_date, "date": self.date,
            "consent": Consent { limit_certificate: self.wants_limit, ..Consent::default() }, "reference": "A-17",
        })
    }

    fn elements(&self) -> Vec<(&'static str, String)> {
        let Question { insurer, symbol, number, branch, birth_date } = &self.question;
        vec![
            ("InsurerNumber", format!("{:>8}", insurer.to_string())),
            ("InsuredCardSymbol", symbol.to_string()),
            ("InsuredIdentificationNumber", number.to_string()),
            ("InsuredBranchNumber", branch.map(|branch| branch.to_string()).unwrap_or_default()),
            ("Birthdate", birth_date.to_string().replace('-', "")),
            ("LimitApplicationCertificateRelatedConsFlg", u8::from(self.wants_limit).to_string()),
            ("ArbitraryIdentifier", "A-17".to_owned()),
        ]
    }

    pub(crate) fn xml(&self, charset: Charset) -> String {
        let info: String =
            self.elements().iter().rev().map(|(name, text)| format!("<{name}>{text}</{name}>\n")).collect();
        format!(
            "<?xml version=\"1.0\" encoding=\"{}\" standalone=\"no\"?><XmlMsg><MessageHeader>\
             <QualificationConfirmationDate>{}</QualificationConfirmationDate></MessageHeader><MessageBody>\
             <QualificationConfirmSearchInfo>{info}</QualificationConfirmSearchInfo></MessageBody></XmlMsg>",
            charset.name(),
            self.date.to_string().replace('-', "")
        )
    }

    fn twin(&self) -> Value {
        let info: serde_json::Map<_, _> =
            self.elements().into_iter().map(|(name, text)| (name.to_owned(), json!(text))).collect();
        let date = self.date.to_string().replace('-', "");
        json!({"XmlMsg": {
            "MessageBody": {"QualificationConfirmSearchInfo": info},
            "MessageHeader": {"QualificationConfirmationDate": date},
        }})
    }

    fn fhir(&self) -> Value {
        let Question { insurer, symbol, number, branch, birth_date } = &self.question;
        let text = include_str!("../golden/fhir-request.json").replace("138057", &insurer.to_string());
        let mut request: Value = serde_json::from_str(&text).unwrap();
        request["servicedDate"] = json!(self.date);
        request["contained"][0]["birthDate"] = json!(birth_date);
        let extensions = request["contained"][2]["extension"].as_array_mut().unwrap();
        extensions[0]["valueString"] = json!(symbol);
        extensions[1]["valueString"] = json!(number);
        match branch {
            Some(branch) => extensions[2]["valueString"] = json!(branch.to_string()),
            None => drop(extensions.pop()),
        }
        request["extension"][0]["valueBoolean"] = json!(self.wants_limit);
        request
    }
}
