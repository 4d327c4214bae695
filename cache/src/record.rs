//! What is kept of one person, as octets.
//!
//! ```text
//! head     00wsmmcc    c cards, m memberships (3: their number follows), s subsidies, w other words
//! card     wwwlllll    l octets of serial, w whose word it is: 1 portal, 2 jlis, 3 gateway and a
//!                      position, 0 any number of words
//! membership, subsidy  in `record/member` and `record/coverage`
//! word     source (1 to 3 as above, 4 and an insurer, 5 and a city) and position
//! ```
//!
//! Numbers, days and texts are [`crate::octets`]' and [`crate::text`]'s. Absent fields take no room.
//! Reading is total: octets that this file has not written give `None` or something else, never harm.

mod coverage;
mod member;

use eligibility::coverage::{Membership, Person, Subsidy};
use eligibility::day::Day;
use eligibility::feed::Source;
use eligibility::number::{CityCode, InsurerNumber, Serial};

use crate::kept::{Held, Kept, Words, set_word, word};
use crate::key::Place;
use crate::octets::{Reading, put_fixed, put_number};
use crate::text::Packed;

const MANY: usize = 3;
const SUBSIDIES: u8 = 1 << 4;
const OTHER_WORDS: u8 = 1 << 5;

/// Whom a reader wants: born on this day, as this insurer says.
pub(crate) type Wanted = (InsurerNumber, Day);

/// Appends what is kept.
pub(crate) fn put(out: &mut Vec<u8>, kept: &Kept) {
    let others: Words = others(kept).collect();
    let few = |count: usize| count.min(MANY) as u8;
    let flags = if kept.subsidies.is_empty() { 0 } else { SUBSIDIES };
    let flags = flags | if others.is_empty() { 0 } else { OTHER_WORDS };
    out.push(few(kept.cards.len()) | few(kept.memberships.len()) << 2 | flags);
    for count in [kept.cards.len(), kept.memberships.len()] {
        if count >= MANY {
            put_number(out, count as u64);
        }
    }
    kept.cards.iter().for_each(|card| put_card(out, card));
    let mut before = None;
    for membership in &kept.memberships {
        let word = word(&kept.words, Source::Insurer(membership.insurer));
        member::put(out, membership, before, word);
        before = membership.member.as_ref().or(before);
    }
    if !kept.subsidies.is_empty() {
        coverage::put_subsidies(out, &kept.subsidies);
    }
    if !others.is_empty() {
        put_words(out, &others);
    }
}

/// How many cards and memberships a record has, and its flags.
struct Head {
    cards: usize,
    memberships: usize,
    flags: u8,
}

impl Head {
    fn read(reading: &mut Reading<'_>) -> Option<Self> {
        let flags = reading.octet()?;
        let mut many = |few: u8| match usize::from(few & 3) {
            MANY => reading.count(),
            few => Some(few),
        };
        Some(Self { cards: many(flags)?, memberships: many(flags >> 2)?, flags })
    }
}

/// What is kept in this place.
pub(crate) fn read(place: Place, octets: &[u8]) -> Option<Kept> {
    let mut reading = Reading::new(octets);
    let head = Head::read(&mut reading)?;
    let mut kept = Kept::new(place);
    for _ in 0..head.cards {
        kept.cards.push(read_card(&mut reading)?);
    }
    let (memberships, subsidies) = read_said(&mut reading, &head, None, |insurer, position| {
        set_word(&mut kept.words, Source::Insurer(insurer), position);
    })?;
    kept.memberships = memberships.into_iter().map(|one| one.map(&Packed::unpacked)).collect();
    let unpacked = |all: Vec<Subsidy<_>>| all.into_iter().map(|one| one.map(&Packed::unpacked)).collect();
    kept.subsidies = subsidies.into_iter().map(|(city, all)| (city, unpacked(all))).collect();
    if head.flags & OTHER_WORDS != 0 {
        for (source, position) in read_words(&mut reading)? {
            set_word(&mut kept.words, source, position);
        }
    }
    reading.rest().is_empty().then_some(kept)
}

/// The person in this place, of whom something is said, unless somebody else is wanted. Its texts
/// stay packed.
pub(crate) fn read_person(place: Place, octets: &[u8], wanted: Option<Wanted>) -> Option<Person<Packed<'_>>> {
    let mut reading = Reading::new(octets);
    let head = Head::read(&mut reading)?;
    for _ in 0..head.cards {
        skip_card(&mut reading)?;
    }
    let (memberships, subsidies) = read_said(&mut reading, &head, wanted, |_, _| {})?;
    let link_number = place.link()?;
    let is_spoken_of = !memberships.is_empty() || !subsidies.is_empty();
    is_spoken_of.then_some(Person { link_number, memberships, subsidies })
}

/// What cities pay.
type Cities<T> = Vec<(CityCode, Vec<Subsidy<T>>)>;

/// What insurers and cities say. `word` hears the position of each insurer's last word.
fn read_said<'o>(
    reading: &mut Reading<'o>,
    head: &Head,
    wanted: Option<Wanted>,
    mut word: impl FnMut(InsurerNumber, u64),
) -> Option<(Vec<Membership<Packed<'o>>>, Cities<Packed<'o>>)> {
    let mut memberships: Vec<Membership<_>> = Vec::with_capacity(head.memberships);
    for _ in 0..head.memberships {
        let before = memberships.iter().rev().find_map(|one| one.member.as_ref());
        let (membership, position) = member::read(reading, before, wanted)?;
        if let Some(position) = position {
            word(membership.insurer, position);
        }
        memberships.push(membership);
    }
    let subsidies = if head.flags & SUBSIDIES == 0 { Vec::new() } else { coverage::read_subsidies(reading)? };
    Some((memberships, subsidies))
}

/// Whether this card is among those of the record.
pub(crate) fn holds(octets: &[u8], serial: &Serial) -> bool {
    let mut reading = Reading::new(octets);
    let cards = Head::read(&mut reading).map_or(0, |head| head.cards);
    let magnitude = magnitude(serial);
    (0..cards).map_while(|_| skip_card(&mut reading)).any(|other| other == magnitude)
}

/// How many insurers the record has entries of.
pub(crate) fn memberships(octets: &[u8]) -> usize {
    Head::read(&mut Reading::new(octets)).map_or(0, |head| head.memberships)
}

/// Position of the source's last word on the person. What else is said is passed over: this is asked
/// for every record that is taken.
pub(crate) fn last_word(octets: &[u8], source: Source) -> Option<u64> {
    let mut reading = Reading::new(octets);
    let head = Head::read(&mut reading)?;
    for _ in 0..head.cards {
        skip_card(&mut reading)?;
    }
    let mut found = None;
    read_said(&mut reading, &head, None, |insurer, position| {
        found = found.or((source == Source::Insurer(insurer)).then_some(position));
    })?;
    if found.is_none() && head.flags & OTHER_WORDS != 0 {
        found = word(&read_words(&mut reading)?, source);
    }
    found
}

/// Positions of the last words on a card.
pub(crate) fn card_words(octets: &[u8], serial: &Serial) -> Option<Words> {
    let mut reading = Reading::new(octets);
    let cards = Head::read(&mut reading)?.cards;
    let mut cards = (0..cards).map_while(|_| read_card(&mut reading));
    cards.find(|card| card.serial == *serial).map(|card| card.words)
}

/// Whether any card is among those of the record.
pub(crate) fn has_cards(octets: &[u8]) -> bool {
    Head::read(&mut Reading::new(octets)).is_some_and(|head| head.cards > 0)
}

fn magnitude(serial: &Serial) -> &[u8] {
    let octets = serial.octets();
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    octets.get(zeros..).unwrap_or_default()
}

/// Words of those who have no membership to write them into.
fn others(kept: &Kept) -> impl Iterator<Item = (Source, u64)> {
    let insured = |insurer| kept.memberships.iter().any(|one| one.insurer == insurer);
    let words = kept.words.iter().copied();
    words.filter(move |(source, _)| !matches!(source, Source::Insurer(insurer) if insured(*insurer)))
}

/// The place of a source that needs no more than its name.
const fn plain(source: Source) -> Option<u8> {
    match source {
        Source::Portal => Some(1),
        Source::Jlis => Some(2),
        Source::Gateway => Some(3),
        Source::Insurer(_) | Source::City(_) => None,
    }
}

const fn plain_source(place: u8) -> Option<Source> {
    match place {
        1 => Some(Source::Portal),
        2 => Some(Source::Jlis),
        3 => Some(Source::Gateway),
        _ => None,
    }
}

fn put_card(out: &mut Vec<u8>, card: &Held) {
    let magnitude = magnitude(&card.serial);
    let single = match card.words.as_slice() {
        [(source, position)] => plain(*source).map(|place| (place, *position)),
        _ => None,
    };
    out.push(single.map_or(0, |(place, _)| place) << 5 | magnitude.len() as u8);
    out.extend_from_slice(magnitude);
    match single {
        Some((_, position)) => put_number(out, position),
        None => put_words(out, &card.words),
    }
}

fn read_card(reading: &mut Reading<'_>) -> Option<Held> {
    let head = reading.octet()?;
    let serial = Serial::from_be_bytes(reading.octets(usize::from(head & 0x1F))?)?;
    let words = match plain_source(head >> 5) {
        Some(source) => vec![(source, reading.number()?)],
        None => read_words(reading)?,
    };
    Some(Held { serial, words })
}

/// Passes over a card; gives the magnitude of its serial.
fn skip_card<'o>(reading: &mut Reading<'o>) -> Option<&'o [u8]> {
    let head = reading.octet()?;
    let magnitude = reading.octets(usize::from(head & 0x1F))?;
    match plain_source(head >> 5) {
        Some(_) => drop(reading.number()?),
        None => drop(read_words(reading)?),
    }
    Some(magnitude)
}

fn put_words(out: &mut Vec<u8>, words: &Words) {
    put_number(out, words.len() as u64);
    for (source, position) in words {
        put_source(out, *source);
        put_number(out, *position);
    }
}

fn read_words(reading: &mut Reading<'_>) -> Option<Words> {
    let count = reading.count()?;
    (0..count).map(|_| Some((read_source(reading)?, reading.number()?))).collect()
}

/// Appends a source.
pub(crate) fn put_source(out: &mut Vec<u8>, source: Source) {
    match source {
        Source::Insurer(insurer) => {
            out.push(4);
            put_insurer(out, insurer);
        }
        Source::City(city) => {
            out.push(5);
            put_city(out, city);
        }
        of_one_name => out.extend(plain(of_one_name)),
    }
}

/// What [`put_source`] wrote.
pub(crate) fn read_source(reading: &mut Reading<'_>) -> Option<Source> {
    match reading.octet()? {
        4 => read_insurer(reading).map(Source::Insurer),
        5 => read_city(reading).map(Source::City),
        place => plain_source(place),
    }
}

fn put_insurer(out: &mut Vec<u8>, insurer: InsurerNumber) {
    put_fixed(out, u64::from(insurer.value() / 10), 3);
}

fn read_insurer(reading: &mut Reading<'_>) -> Option<InsurerNumber> {
    InsurerNumber::from_body(u32::try_from(reading.fixed(3)?).ok()?)
}

/// A city's code in three octets.
fn put_city(out: &mut Vec<u8>, city: CityCode) {
    // Six digits, by its own form.
    put_fixed(out, city.to_string().parse().unwrap_or_default(), 3);
}

fn read_city(reading: &mut Reading<'_>) -> Option<CityCode> {
    CityCode::parse(&format!("{:06}", reading.fixed(3)?)).ok()
}

#[cfg(test)]
mod tests;
