//! The demonstration's cards: two authorities of equal name, a certificate a card, fresh lists.

use std::collections::{BTreeMap, BTreeSet};

use eligibility::day::Timestamp;
use pki::issuing::{
    AuthoritySpec, CardAuthority, CardSpec, Defect, Key, KeyKind, ListSpec, Municipality, Reason, Revoked,
};
use pki::{ListNumber, Serial, UnixTime};
use population::Population;
use population::card::{Authority, CardKey, CardPlan, CardState};
use serde::Serialize;

use super::folder::Folder;
use crate::commands::CommandError;

/// RSA keys are slow to make; so many are shared by all cards.
const SHARED_KEYS: usize = 4;
/// Lists are good for a week, so that a demonstration left running over days still answers.
const LIST_LIFETIME: i64 = 7 * 86_400;
/// Ten years before and after today.
const DECADE: i64 = 3652 * 86_400;

#[derive(Serialize)]
struct CardLine<'a> {
    name: &'a str,
    serial: String,
    link_number: Option<String>,
    state: &'a str,
    certificate: String,
    key: String,
}

/// Makes authorities and keys that are not there yet, and certificates and lists anew.
pub(super) fn make(
    folder: &Folder,
    population: &Population,
    now: Timestamp,
) -> Result<Vec<CardPlan>, CommandError> {
    let plans = population.cards();
    let today = now.millis() / 1000;
    let authorities = Authorities {
        first: authority(folder, "user-ca-1", 0x0133_C349, today)?,
        second: authority(folder, "user-ca-2", 0x06D1_8006, today)?,
        // Of the same name, and trusted by nobody: its key is not even kept.
        stranger: new_authority(0x06D1_8007, today)?,
    };
    let mut keys = Keys::default();
    let mut lines = String::new();
    for plan in &plans {
        let key = keys.of(folder, plan)?;
        let certificate = authorities.issue(plan, &key)?;
        folder.write(&format!("cards/{}.der", plan.name), &certificate)?;
        let line = CardLine {
            name: &plan.name,
            serial: plan.serial.to_string(),
            link_number: plan.link_number.map(|number| number.reveal()),
            state: plan.state.word(),
            certificate: format!("cards/{}.der", plan.name),
            key: format!("cards/{}.key.pem", plan.name),
        };
        lines.push_str(&serde_json::to_string(&line).map_err(CommandError::usage)?);
        lines.push('\n');
    }
    folder.write("cards/cards.ndjson", lines.as_bytes())?;
    lists(folder, &authorities, &plans, today)?;
    Ok(plans)
}

struct Authorities {
    first: CardAuthority,
    second: CardAuthority,
    stranger: CardAuthority,
}

impl Authorities {
    fn issue(&self, plan: &CardPlan, key: &Key) -> Result<Vec<u8>, CommandError> {
        let authority = match (plan.state, plan.authority) {
            (CardState::Untrusted, _) => &self.stranger,
            (_, Authority::First) => &self.first,
            (_, Authority::Second) => &self.second,
        };
        let seconds = |at: Timestamp| UnixTime(at.millis() / 1000);
        let mut spec = CardSpec::new(serial(plan.serial)?, seconds(plan.not_before), seconds(plan.not_after));
        spec.municipality = Some(Municipality::new(plan.prefecture, plan.city));
        if plan.state == CardState::WrongProfile {
            // What a signature card shows by mistake: the policy of the other application.
            spec.policy = "1.2.392.200149.8.5.1.1.20".to_owned();
        }
        authority.issue(&spec, key).map_err(CommandError::usage)
    }
}

/// Keys stay with their cards over the runs.
#[derive(Default)]
struct Keys {
    shared: Vec<Key>,
    given: usize,
}

impl Keys {
    fn of(&mut self, folder: &Folder, plan: &CardPlan) -> Result<Key, CommandError> {
        let file = format!("cards/{}.key.pem", plan.name);
        let kind = match plan.key {
            CardKey::Rsa2048 => KeyKind::Rsa2048,
            CardKey::P384 => KeyKind::P384,
        };
        let held = folder.read_text(&file)?.and_then(|pem| Key::from_pem(&pem).ok());
        if let Some(key) = held.filter(|key| key.kind() == kind) {
            return Ok(key);
        }
        let pem = match kind {
            KeyKind::P384 | KeyKind::P256 => Key::generate(kind).map_err(CommandError::usage)?.to_pem(),
            KeyKind::Rsa2048 => self.shared()?,
        };
        folder.write_private(&file, pem.as_bytes())?;
        Key::from_pem(&pem).map_err(CommandError::usage)
    }

    fn shared(&mut self) -> Result<String, CommandError> {
        let at = self.given % SHARED_KEYS;
        self.given += 1;
        if at >= self.shared.len() {
            self.shared.push(Key::generate(KeyKind::Rsa2048).map_err(CommandError::usage)?);
        }
        Ok(self.shared.get(at).map(Key::to_pem).unwrap_or_default())
    }
}

/// Signs one list for each authority and municipality, numbered by the time so that the newest wins.
fn lists(
    folder: &Folder,
    authorities: &Authorities,
    plans: &[CardPlan],
    today: i64,
) -> Result<(), CommandError> {
    let municipalities: BTreeSet<_> = plans.iter().map(|plan| (plan.prefecture, plan.city)).collect();
    for (name, authority, which) in [
        ("user-ca-1", &authorities.first, Authority::First),
        ("user-ca-2", &authorities.second, Authority::Second),
    ] {
        let mut revoked: BTreeMap<_, Vec<Revoked>> = BTreeMap::new();
        for plan in plans.iter().filter(|plan| plan.authority == which && plan.state != CardState::Untrusted)
        {
            if let Some(entry) = entry(plan)? {
                revoked.entry((plan.prefecture, plan.city)).or_default().push(entry);
            }
        }
        for municipality in &municipalities {
            let (prefecture, city) = municipality;
            let partition = Municipality::new(prefecture, city).distribution_point();
            let der = authority
                .list(&ListSpec {
                    number: ListNumber::from(today as u64),
                    this_update: UnixTime(today),
                    next_update: UnixTime(today + LIST_LIFETIME),
                    partition: Some(&partition),
                    revoked: revoked.get(municipality).map_or(&[], Vec::as_slice),
                    defect: None::<Defect>,
                })
                .map_err(CommandError::usage)?;
            folder.write(&format!("jpki/{name}-{prefecture}-{city}.crl").to_lowercase(), &der)?;
        }
    }
    Ok(())
}

fn entry(plan: &CardPlan) -> Result<Option<Revoked>, CommandError> {
    let Some(day) = plan.revoked_on else { return Ok(None) };
    let reason = match plan.state {
        CardState::Suspended => Reason::Hold,
        _ => Reason::Superseded,
    };
    Ok(Some(Revoked { serial: serial(plan.serial)?, at: UnixTime(day.starts_at().millis() / 1000), reason }))
}

fn serial(number: u64) -> Result<Serial, CommandError> {
    Serial::from_bytes(&number.to_be_bytes()).map_err(CommandError::usage)
}

fn authority(folder: &Folder, name: &str, number: u64, today: i64) -> Result<CardAuthority, CommandError> {
    let (certificate, pem, key) =
        (format!("jpki/{name}.der"), format!("jpki/{name}.pem"), format!("jpki/{name}-key.pem"));
    if let (Some(der), Some(key)) = (folder.read(&certificate)?, folder.read_text(&key)?) {
        return CardAuthority::load(&der, &key).map_err(CommandError::usage);
    }
    let authority = new_authority(number, today)?;
    folder.write_private(&key, authority.key_pem().as_bytes())?;
    folder.write(&pem, authority.certificate_pem().as_bytes())?;
    folder.write(&certificate, authority.certificate_der())?;
    Ok(authority)
}

fn new_authority(number: u64, today: i64) -> Result<CardAuthority, CommandError> {
    let spec = AuthoritySpec {
        serial: serial(number)?,
        not_before: UnixTime(today - DECADE),
        not_after: UnixTime(today + DECADE),
        organization: None,
        defect: None,
    };
    let key = Key::generate(KeyKind::Rsa2048).map_err(CommandError::usage)?;
    CardAuthority::new(&spec, key).map_err(CommandError::usage)
}
