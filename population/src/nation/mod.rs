//! Everybody without a situation: who they are, with whom they live, how they are insured.
//!
//! ```text
//! place ─► block, prefecture ─► household, seat ─► life: spans ─► coverages ─► words
//! ```
//!
//! People come in blocks of 32, cut into whole households; blocks of one prefecture follow each
//! other. A household's insured persons and their dependents share symbol and number. Each person
//! is made from the seed and the place alone.

mod account;
mod coverage;
mod household;
mod identity;
mod life;
mod subsidy;

use eligibility::coverage::Member;
use eligibility::day::Day;

use crate::dice::{self, Dice, Purpose};
use crate::insurer::{Book, Region, Town, number};
use crate::resident::{HeldCard, Resident, Word};
use coverage::Time;
use household::{BLOCK, Seat};
use life::{Lives, Span};

/// Of a block of 32, so many hold a card (99 of 124 million in 2025).
const HOLDERS: u64 = 26;
/// Of those, so many have renewed its certificate and hold two serials.
const RENEWED: u64 = 3;
/// Of a thousand holders, so many have linked it (87 of 99 million in 2025).
const LINKED: u64 = 877;

/// The rest of the people.
pub(crate) struct Nation {
    seed: u64,
    day: Day,
    book: Book,
    /// The first block of each of the book's prefectures.
    begins: Vec<u64>,
    /// The first place that is no named person's.
    first: u64,
    /// The first serial that is no named person's.
    first_serial: u64,
    /// Serials given to the blocks.
    serials: u64,
}

impl Nation {
    pub(crate) fn new(seed: u64, people: u64, day: Day, first: u64, first_serial: u64) -> Self {
        let blocks = (people - first).div_ceil(BLOCK);
        let book = Book::new(people);
        let begins = begins(&book, blocks);
        Self { seed, day, book, begins, first, first_serial, serials: blocks * (HOLDERS + RENEWED) }
    }

    pub(crate) const fn book(&self) -> &Book {
        &self.book
    }

    /// The person at this place, which is at least `first`.
    pub(crate) fn resident(&self, index: u64) -> Resident {
        let place = index - self.first;
        let seat = Seat::of(self.seed, self.day, place);
        let (region, begins) = self.region(place / BLOCK);
        let town = region.town(&mut Dice::of(self.seed, Purpose::Home, seat.first.place));
        let mut words = self.words(&seat, region, begins, town);
        identity::marked(&mut words, self.seed, seat.own);
        words.sort_by_key(|word| word.insurer);
        let card = self.card(place);
        let linked = card.as_ref().is_some_and(|card| card.linked);
        let subsidies = if linked { subsidy::of(self.seed, self.day, &seat, town) } else { Vec::new() };
        Resident { index, link_number: dice::link_number(self.seed, index), card, words, subsidies }
    }

    /// The prefecture of a block, and the place with which it begins.
    fn region(&self, block: u64) -> (&Region, u64) {
        let at = self.begins.partition_point(|begins| *begins <= block).saturating_sub(1);
        (&self.book.regions[at], self.begins[at] * BLOCK)
    }

    /// What insurers say of the person who sits there, the latest first.
    fn words(&self, seat: &Seat, region: &Region, begins: u64, town: &Town) -> Vec<Word> {
        let lives = Lives { seed: self.seed, day: self.day, book: &self.book, region, town: town.insurer };
        let spans = lives.of(seat);
        let mut blank = Some(identity::member(self.seed, seat, region, town));
        let mut dice = Dice::of(self.seed, Purpose::Coverage, seat.own.place);
        let mut words: Vec<Word> = Vec::with_capacity(spans.len());
        for span in &spans {
            let account = account::account(span, seat, begins);
            let insured_name = self.holder_name(span, seat);
            let coverage = Time { span, seat, day: self.day, insured_name }.coverage(account, &mut dice);
            let insurer = number(span.insurer);
            if let Some(word) = words.iter_mut().find(|word| word.insurer == insurer) {
                word.member.coverages.push(coverage);
                continue;
            }
            // The first word takes the blank, others copy it.
            let taken = match (blank.take(), words.first()) {
                (Some(blank), _) => blank,
                (None, Some(word)) => copy(&word.member),
                (None, None) => continue,
            };
            words.push(Word { insurer, member: Member { coverages: vec![coverage], ..taken } });
        }
        words
    }

    fn holder_name(&self, span: &Span, seat: &Seat) -> Option<Box<str>> {
        (span.holder != seat.own.place).then(|| identity::called(self.seed, seat.first, seat.first).name)
    }

    /// The card of the person at this place: 26 and 3 renewed ones of each block of 32.
    fn card(&self, place: u64) -> Option<HeldCard> {
        let (block, at) = (place / BLOCK, place % BLOCK);
        let turn = Dice::of(self.seed, Purpose::Card, block).next();
        // An odd factor turns the places of a block about without meeting.
        let rank = (at * ((turn % BLOCK) | 1) + turn / BLOCK % BLOCK) % BLOCK;
        if rank >= HOLDERS {
            return None;
        }
        let slots = HOLDERS + RENEWED;
        let slot = |of| dice::shuffled(self.seed, Purpose::Serial, block * slots + of, self.serials);
        let serial = self.first_serial + slot(rank);
        let linked = Dice::of(self.seed, Purpose::Linked, place).per_mille(LINKED);
        if rank >= RENEWED {
            return Some(HeldCard { serial, renewed_from: None, linked });
        }
        // The newer certificate has the higher serial.
        let other = self.first_serial + slot(HOLDERS + rank);
        Some(HeldCard { serial: serial.max(other), renewed_from: Some(serial.min(other)), linked })
    }
}

fn copy(member: &Member) -> Member {
    Member {
        name: member.name.clone(),
        name_kana: member.name_kana.clone(),
        alias: member.alias.clone(),
        alias_kana: member.alias_kana.clone(),
        postal_code: member.postal_code.clone(),
        address: member.address.clone(),
        coverages: Vec::new(),
        ..*member
    }
}

/// Blocks go to prefectures in proportion to their people.
fn begins(book: &Book, blocks: u64) -> Vec<u64> {
    let thousands = |region: &Region| u64::from(region.prefecture.thousands);
    let all: u64 = book.regions.iter().map(thousands).sum();
    let before = book.regions.iter().scan(0, |sum, region| {
        let before = *sum;
        *sum += thousands(region);
        Some(before)
    });
    before.map(|before| blocks * before / all).collect()
}
