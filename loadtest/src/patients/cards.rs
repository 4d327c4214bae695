//! The cards of the patients: certificates issued by the folder's authorities, for the people that
//! its portal has linked, in the states a desk meets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eligibility::day::Day;
use eligibility::decision::Found;
use pki::issuing::{CardAuthority, CardSpec, Key, KeyKind, Municipality};
use pki::{Serial, UnixTime};
use population::resident::Resident;
use serde::Deserialize;

use super::{person, scattered, status};
use crate::folder::Folder;
use crate::menu::{Course, Expected, Item};
use crate::outcome::{Sort, Word};
use crate::scenario::Cards;
use crate::target::read;

/// Serials from here on are nobody's: nations have about a card a person, from 114 million on.
pub const UNLINKED: u64 = 3_000_000_000;
const DAY_SECONDS: i64 = 86_400;

/// The cards with their keys.
#[derive(Default)]
pub struct Wallet {
    /// The requests' first part, by sort.
    pub course: Course,
    keys: Vec<Key>,
    /// For each card its key.
    key_of: Vec<usize>,
}

/// One line of `cards.ndjson`.
#[derive(Deserialize)]
struct Line {
    state: String,
    certificate: String,
    key: String,
}

impl Wallet {
    /// Issues so many cards, shared among the sorts.
    ///
    /// # Errors
    /// What is missing in the folder, or cannot be issued.
    pub fn issue(folder: &Folder, seed: u64, today: Day, cards: &Cards) -> Result<Self, String> {
        let mut issuer = Issuer::open(folder, cards, today)?;
        let mut wallet = Self { course: Course::default(), keys: Vec::new(), key_of: Vec::new() };
        let total: f64 = cards.shares.values().sum();
        let mut holders =
            scattered(folder, seed).filter(|one| one.card.as_ref().is_some_and(|card| card.linked));
        for (sort, share) in cards.shares.iter().filter(|(_, share)| **share > 0.0) {
            let wanted = ((share / total * f64::from(cards.different)).ceil() as usize).max(1);
            let items = match sort {
                Sort::Revoked => issuer.revoked(folder)?,
                _ => {
                    let holders: Vec<Resident> = holders.by_ref().take(wanted).collect();
                    holders.iter().map(|holder| issuer.card(holder, *sort)).collect::<Result<_, _>>()?
                }
            };
            if items.is_empty() {
                return Err(format!(
                    "too few people with a card for {} cards that are {}",
                    wanted,
                    sort.word()
                ));
            }
            let (items, keys): (Vec<_>, Vec<_>) = items.into_iter().unzip();
            wallet.key_of.extend(keys);
            wallet.course.add(*sort, *share, items);
        }
        wallet.keys = issuer.keys;
        Ok(wallet)
    }

    /// The end of this card's request over a challenge.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn sign(&self, card: usize, challenge: &str) -> Result<Box<[u8]>, String> {
        let key = self.key_of.get(card).and_then(|at| self.keys.get(*at)).ok_or("no such card")?;
        let signature = key.sign(challenge.as_bytes()).map_err(|error| error.to_string())?;
        let signature = STANDARD.encode(signature);
        Ok(format!("{challenge}\",\"signature\":\"{signature}\"}}").into_bytes().into())
    }
}

struct Issuer {
    authorities: Vec<CardAuthority>,
    municipalities: Vec<Municipality>,
    keys: Vec<Key>,
    shared: usize,
    today: Day,
    issued: u64,
}

impl Issuer {
    fn open(folder: &Folder, cards: &Cards, today: Day) -> Result<Self, String> {
        let authority = |name: &str| {
            let key = folder.file(&format!("jpki/{name}-key.pem"));
            let certificate = read(&folder.file(&format!("jpki/{name}.der")))?;
            let key_pem = String::from_utf8_lossy(&read(&key)?).into_owned();
            CardAuthority::load(&certificate, &key_pem).map_err(|error| format!("{}: {error}", key.display()))
        };
        let authorities =
            ["user-ca-1", "user-ca-2"].into_iter().map(authority).collect::<Result<_, String>>()?;
        let plans = folder.population.cards();
        let mut places: Vec<_> = plans.iter().map(|plan| (plan.prefecture, plan.city)).collect();
        places.sort_unstable();
        places.dedup();
        let keys = rsa_keys(cards.rsa_keys)?;
        Ok(Self {
            authorities,
            municipalities: places.into_iter().map(|(one, two)| Municipality::new(one, two)).collect(),
            shared: keys.len(),
            keys,
            today,
            issued: 0,
        })
    }

    /// A key for the next card.
    fn key(&mut self) -> Result<usize, String> {
        if self.shared > 0 {
            return Ok(self.issued as usize % self.shared);
        }
        self.keys.push(Key::generate(KeyKind::P384).map_err(|error| error.to_string())?);
        Ok(self.keys.len() - 1)
    }

    fn card(&mut self, holder: &Resident, sort: Sort) -> Result<(Item, usize), String> {
        let held = holder.card.as_ref().ok_or("a holder without a card")?;
        let (from, to) = match sort {
            Sort::Grace => (-1800, -20),
            Sort::Expired => (-2200, -400),
            _ => (-900, 900),
        };
        let at = |days: i32| UnixTime(self.today.plus(days).starts_at().millis() / 1000 + DAY_SECONDS - 1);
        let number = if sort == Sort::Unlinked { UNLINKED + self.issued } else { held.serial };
        let serial = Serial::from_bytes(&number.to_be_bytes()).map_err(|error| error.to_string())?;
        let mut spec = CardSpec::new(serial, at(from), at(to));
        let place = self.issued as usize % self.municipalities.len().max(1);
        spec.municipality = self.municipalities.get(place).cloned();
        let at = self.key()?;
        self.issued += 1;
        let authority = self.authorities.get(number as usize % 2).ok_or("no authority")?;
        let key = self.keys.get(at).ok_or("no key")?;
        let certificate = authority.issue(&spec, key).map_err(|error| error.to_string())?;
        let word = match sort {
            Sort::Expired => Word::of(b"card_expired"),
            Sort::Unlinked => status(Found::Unlinked, None, self.today),
            _ => status(Found::One(&person(holder)), None, self.today),
        };
        Ok((item(&certificate, word), at))
    }

    /// The folder's own revoked cards: only its lists make a card revoked.
    fn revoked(&mut self, folder: &Folder) -> Result<Vec<(Item, usize)>, String> {
        let file = folder.file("cards/cards.ndjson");
        let lines = read(&file)?;
        let mut items = Vec::new();
        for line in lines.split(|octet| *octet == b'\n').filter(|line| !line.is_empty()) {
            let line: Line =
                serde_json::from_slice(line).map_err(|error| format!("{}: {error}", file.display()))?;
            if line.state != "revoked" {
                continue;
            }
            let pem = read(&folder.file(&line.key))?;
            let key = Key::from_pem(&String::from_utf8_lossy(&pem))
                .map_err(|error| format!("{}: {error}", line.key))?;
            self.keys.push(key);
            let certificate = read(&folder.file(&line.certificate))?;
            items.push((item(&certificate, Word::of(b"card_revoked")), self.keys.len() - 1));
        }
        Ok(items)
    }
}

/// Keys made by all cores at once.
fn rsa_keys(count: u32) -> Result<Vec<Key>, String> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let make = |_| Key::generate(KeyKind::Rsa2048).map_err(|error| error.to_string());
    std::thread::scope(|scope| {
        let parts = (0..threads).map(|part| {
            scope.spawn(move || {
                (0..count as usize).filter(|at| at % threads == part).map(make).collect::<Vec<_>>()
            })
        });
        let parts: Vec<_> = parts.collect();
        parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
    })
}

fn item(certificate: &[u8], word: Word) -> Item {
    let certificate = STANDARD.encode(certificate);
    let octets = format!("{{\"certificate\":\"{certificate}\",\"identity_check\":\"pin\",\"challenge\":\"");
    Item { octets: octets.into_bytes().into(), expected: Expected::OneOf([word].into()) }
}
