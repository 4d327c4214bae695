//! What is sent and decided, in order, what was promised of it, and what must therefore be there.

use std::collections::BTreeMap;

use disk::faulty::End;
use eligibility::code::Restriction;
use eligibility::day::Timestamp;
use eligibility::feed::Source;
use eligibility::number::{LinkNumber, Serial};
use gateway::intake::Admitted;

use crate::house::House;

const PERSONS: u64 = 12;
/// Of whom the held delivery asks that nobody may look.
const CLOSED: u64 = 10;
/// Where deliveries of the insurer end, in the order sent. The third is held, the fourth waits with it.
const ENDS: [u64; 6] = [12, 20, 30, 34, 40, 46];
const HELD: usize = 2;

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Insurer(usize),
    Portal(usize),
    Save,
    Decide,
}

const STEPS: [Step; 11] = [
    Step::Insurer(0),
    Step::Portal(0),
    Step::Save,
    Step::Insurer(1),
    Step::Insurer(HELD),
    Step::Insurer(3),
    Step::Portal(1),
    Step::Decide,
    Step::Insurer(4),
    Step::Save,
    Step::Insurer(5),
];

pub(crate) struct Story {
    /// Whether the operator lets the held delivery count.
    release: bool,
    next: usize,
    /// Sequences that were promised.
    promised: BTreeMap<Source, u64>,
    held: bool,
    decided: bool,
}

fn insurer() -> Source {
    Source::parse("06132013").unwrap()
}

fn link(person: u64) -> u64 {
    9_100_000_000_000_000 + person
}

fn serial(person: u64) -> u64 {
    500_000 + person
}

/// Record number `sequence`; the held delivery says that persons are gone.
fn member(sequence: u64) -> String {
    let person = sequence % PERSONS;
    let head = format!(
        r#""source":"06132013","sequence":{sequence},"kind":"member","link_number":"{:016}""#,
        link(person)
    );
    let is_held = (ENDS[HELD - 1] + 1..=ENDS[HELD]).contains(&sequence);
    if is_held && person != CLOSED {
        return format!(r#"{{{head},"deleted":true}}"#);
    }
    let restrictions = if is_held { r#""closed""# } else { "" };
    format!(
        r#"{{{head},"name":"試験　花子","sex":"female","birth_date":"1990-05-05","address":"架空市 {sequence}","restrictions":[{restrictions}],"coverages":[{{"symbol":"K","number":"{person}","qualified_on":"2020-04-01"}}]}}"#
    )
}

fn start_of(delivery: usize) -> u64 {
    delivery.checked_sub(1).map_or(1, |before| ENDS[before] + 1)
}

impl Story {
    pub(crate) fn new(release: bool) -> Self {
        Self { release, next: 0, promised: BTreeMap::new(), held: false, decided: false }
    }

    pub(crate) fn is_told(&self) -> bool {
        self.next == STEPS.len()
    }

    /// Does what is next; what is promised by it is noted only when it was told so.
    pub(crate) fn step(&mut self, house: &House) -> Result<(), String> {
        let step = STEPS[self.next];
        match step {
            Step::Insurer(delivery) => {
                let lines: Vec<_> = (start_of(delivery)..=ENDS[delivery]).map(member).collect();
                let waits = delivery == HELD || delivery == HELD + 1;
                let held = self.deliver(house, insurer(), &lines)?;
                assert_eq!(held, waits, "delivery {delivery}");
                self.held |= held;
                if !held {
                    self.promised.insert(insurer(), ENDS[delivery]);
                }
            }
            Step::Portal(part) => {
                let all = part as u64 * 6 + 1..=part as u64 * 6 + 6;
                let line = |n: u64| {
                    format!(
                        r#"{{"source":"portal","sequence":{n},"kind":"link","serial":"{}","link_number":"{:016}"}}"#,
                        serial(n),
                        link(n - 1)
                    )
                };
                let end = *all.end();
                assert!(!self.deliver(house, Source::Portal, &all.map(line).collect::<Vec<_>>())?);
                self.promised.insert(Source::Portal, end);
            }
            Step::Save => {
                house.inside().followed.files.save().map_err(|error| error.to_string())?;
            }
            Step::Decide => {
                self.decide(house)?;
                self.decided = true;
                self.promised.insert(insurer(), ENDS[HELD + 1]);
            }
        }
        self.next += 1;
        Ok(())
    }

    fn deliver(&self, house: &House, source: Source, lines: &[String]) -> Result<bool, String> {
        let file = house.outside("delivery.ndjson");
        std::fs::write(&file, lines.join("\n")).unwrap();
        let now = Timestamp::from_millis(1_800_000_000_000 + self.next as i64);
        let admitted = house.inside().admission().admit(source, &file, now);
        match admitted.map_err(|error| error.to_string())? {
            Admitted::Committed(report) => {
                assert_eq!(report.accepted + report.duplicates, lines.len() as u64, "{report:?}");
                Ok(false)
            }
            Admitted::Held(_) => Ok(true),
        }
    }

    /// The operator looks what is held, and decides.
    fn decide(&self, house: &House) -> Result<(), String> {
        let oldest = house.inside().held.of(insurer()).into_iter().next();
        if let Some(oldest) = oldest.filter(|oldest| oldest.reasons.iter().any(|why| why.gate != "behind")) {
            let admission = house.inside().admission();
            let done = match self.release {
                true => admission.release(insurer(), &oldest.delivery).map(drop),
                false => admission.drop(insurer(), &oldest.delivery),
            };
            done.map_err(|error| error.to_string())?;
        }
        // The one behind it may wait still, where taking it failed.
        match house.inside().held.of(insurer()).first() {
            None => Ok(()),
            Some(next) => house
                .inside()
                .admission()
                .release(insurer(), &next.delivery)
                .map(drop)
                .map_err(|error| error.to_string()),
        }
    }

    /// Whether the record with this sequence counts, when all up to `reached` were read.
    fn counts(&self, sequence: u64, reached: u64) -> bool {
        let held = (start_of(HELD)..=ENDS[HELD]).contains(&sequence);
        sequence <= reached && (!held || self.release)
    }

    /// Looks at everything that must be there, and must not.
    pub(crate) fn check(&self, house: &House, struck: Option<&str>) {
        let inside = house.inside();
        let memory = &inside.followed.memory;
        let reached = |source| memory.source(source).map_or(0, |state| state.committed_sequence);
        for (source, promised) in &self.promised {
            let reached = reached(*source);
            assert!(reached >= *promised, "{source}: {promised} promised, {reached} there, {struck:?}");
        }
        let up_to = reached(insurer());
        assert!(up_to == 0 || ENDS.contains(&up_to), "half a delivery: {up_to}, {struck:?}");
        let behind = [ENDS[HELD], ENDS[HELD + 1]].contains(&up_to);
        assert!(
            !behind || STEPS[self.next..].first().is_none_or(|step| *step == Step::Decide) || self.decided
        );
        for person in 0..PERSONS {
            let last = (1..=up_to).rev().find(|n| n % PERSONS == person && self.counts(*n, up_to));
            let gone = last.is_some_and(|last| member(last).contains("deleted"));
            let expected = last.filter(|_| !gone).map(|last| format!("架空市 {last}"));
            assert_eq!(self.address(house, person), expected, "person {person} up to {up_to}, {struck:?}");
        }
        for n in 1..=12 {
            let owner = memory.owner(Serial::parse(&serial(n).to_string()).unwrap());
            let expected =
                (n <= reached(Source::Portal)).then(|| LinkNumber::from_value(link(n - 1)).unwrap());
            assert!(owner == expected, "card {n}, {struck:?}");
        }
        if self.held && !self.decided && STEPS[self.next] != Step::Decide {
            assert!(!inside.held.of(insurer()).is_empty(), "a held delivery is gone, {struck:?}");
            assert_eq!(up_to, ENDS[HELD - 1], "of a held delivery something counts, {struck:?}");
            assert!(self.is_closed(house), "the protection that was asked for does not count, {struck:?}");
        }
        assert_eq!(
            inside.followed.memory.generation(),
            inside.followed.began.followed + inside.followed.began.from_files
        );
    }

    fn address(&self, house: &House, person: u64) -> Option<String> {
        let person = house.inside().followed.memory.person(LinkNumber::from_value(link(person)).unwrap())?;
        let Source::Insurer(insurer) = insurer() else { unreachable!() };
        person.membership(insurer)?.member.as_ref()?.address.as_deref().map(str::to_owned)
    }

    fn is_closed(&self, house: &House) -> bool {
        let person = house.inside().followed.memory.person(LinkNumber::from_value(link(CLOSED)).unwrap());
        let Some(person) = person else { return false };
        let Source::Insurer(insurer) = insurer() else { unreachable!() };
        person.membership(insurer).is_some_and(|one| one.pending.has(Restriction::Closed))
    }

    /// All of it is told: the power goes once more, all is sent again, and everything is as if nothing had
    /// gone wrong.
    pub(crate) fn finished(&mut self, house: &mut House) {
        if house.is_open() {
            house.close();
        }
        house.restart(End::Power);
        assert!(self.is_told());
        self.check(house, None);
        assert!(house.inside().held.of(insurer()).is_empty());
        let generation = house.inside().followed.memory.generation();
        for delivery in [0, 1, 4, 5] {
            let lines: Vec<_> = (start_of(delivery)..=ENDS[delivery]).map(member).collect();
            assert!(!self.deliver(house, insurer(), &lines).unwrap());
        }
        assert_eq!(
            house.inside().followed.memory.generation(),
            generation,
            "what came again changed something"
        );
        self.check(house, None);
        house.close();
    }
}
