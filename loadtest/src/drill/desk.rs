//! One desk: it asks, and reads what is on its screen.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pki::issuing::{CardAuthority, CardSpec, ClientName, Key, KeyKind, Municipality, TlsAuthority, Validity};
use pki::{Serial, UnixTime};
use rustls::ClientConfig;
use serde_json::{Value, json};

use super::DrillError;
use super::house::House;
use crate::client::Client;
use crate::target::{ClientPem, Server, tls};
use crate::{clock, http};

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(20);
const YEAR: i64 = 365 * 86_400;

/// A caller with a certificate.
pub(super) struct Desk {
    server: Server,
    tls: Arc<ClientConfig>,
}

/// What a desk is told.
pub(super) struct Said {
    /// Status, or problem code; what happened where nothing came back.
    pub(super) word: String,
    /// What the clerk reads.
    pub(super) screen: String,
    /// How long it took.
    pub(super) took: Duration,
    /// The whole answer.
    pub(super) answer: Value,
}

/// A card in a reader.
pub(super) struct Card {
    certificate: Vec<u8>,
    key: Key,
}

impl Desk {
    /// One of the demonstration's callers.
    pub(super) fn of(house: &House, name: &str) -> Result<Self, DrillError> {
        let file = |end: &str| house.file(&format!("clients/{name}{end}"));
        Self::with(house, &ClientPem::read(&file(".pem"), &file("-key.pem"))?)
    }

    /// A caller of this role and code, with a new certificate of the demonstration's CA.
    pub(super) fn new(house: &House, role: &str, code: &str) -> Result<Self, DrillError> {
        let authority = TlsAuthority::load(&house.text("tls/ca.pem")?, &house.text("tls/ca-key.pem")?)?;
        let name = ClientName {
            organization: Some(code.to_owned()),
            unit: Some(role.to_owned()),
            common_name: format!("drill-{role}"),
        };
        let now = clock::now().millis() / 1000;
        let validity = Validity { not_before: UnixTime(now - 3600), not_after: UnixTime(now + YEAR) };
        let identity = authority.client(&name, validity)?;
        let pem = ClientPem {
            certificate: identity.certificate_pem.into_bytes(),
            key: identity.key_pem.into_bytes(),
        };
        Self::with(house, &pem)
    }

    fn with(house: &House, pem: &ClientPem) -> Result<Self, DrillError> {
        Ok(Self { server: Server::of(&house.url())?, tls: tls(&house.file("tls/ca.pem"), Some(pem), false)? })
    }

    /// The same caller at another gateway.
    pub(super) fn at(&self, house: &House) -> Result<Self, DrillError> {
        Ok(Self { server: Server::of(&house.url())?, tls: Arc::clone(&self.tls) })
    }

    /// Sends a body; status and JSON.
    pub(super) fn post(&self, path: &str, media: &str, body: &[u8]) -> Result<(u16, Value), DrillError> {
        let mut client = Client::connect(&self.server, Some(&self.tls), PATIENCE)?;
        let (status, body) = client.exchange(&http::post(&self.server.host, path, media, body))?;
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }

    /// Asks by number.
    pub(super) fn number(&self, question: &Value) -> Said {
        self.ask("/v1/eligibility/number", question)
    }

    fn ask(&self, path: &str, body: &Value) -> Said {
        let began = clock::instant();
        let reply = self.post(path, "application/json", body.to_string().as_bytes());
        let took = began.elapsed();
        let (status, answer) = match reply {
            Ok(reply) => reply,
            Err(_) => {
                return Said {
                    word: "no connection".to_owned(),
                    screen: String::new(),
                    took,
                    answer: Value::Null,
                };
            }
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let word = text(if status < 300 { &answer["status"] } else { &answer["code"] });
        Said { word, screen: text(&answer["advice"]["desk"]), took, answer }
    }

    /// A fresh challenge; empty when none was given.
    pub(super) fn challenge(&self) -> String {
        let given = self.post("/v1/challenges", "application/json", b"{}");
        let text = given.map(|(_, json)| json["challenges"][0]["challenge"].as_str().map(str::to_owned));
        text.ok().flatten().unwrap_or_default()
    }

    /// Lays a card down: a challenge, its signature, the answer.
    pub(super) fn card(&self, card: &Card) -> Result<Said, DrillError> {
        self.signed(card, &self.challenge())
    }

    /// Shows a card with its signature over this challenge.
    pub(super) fn signed(&self, card: &Card, challenge: &str) -> Result<Said, DrillError> {
        let signature = card.key.sign(challenge.as_bytes())?;
        let query = json!({
            "certificate": STANDARD.encode(&card.certificate), "challenge": challenge,
            "signature": STANDARD.encode(signature), "identity_check": "pin",
        });
        Ok(self.ask("/v1/eligibility/card", &query))
    }
}

impl Card {
    /// A card of this authority that is good for years.
    pub(super) fn issue(
        authority: &CardAuthority,
        serial: u64,
        place: Option<Municipality>,
    ) -> Result<Self, DrillError> {
        let serial =
            Serial::from_bytes(&serial.to_be_bytes()).map_err(|error| DrillError(error.to_string()))?;
        let now = clock::now().millis() / 1000;
        let mut spec = CardSpec::new(serial, UnixTime(now - YEAR), UnixTime(now + 3 * YEAR));
        spec.municipality = place;
        let key = Key::generate(KeyKind::P384)?;
        Ok(Self { certificate: authority.issue(&spec, &key)?, key })
    }
}
