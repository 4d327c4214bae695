//! The rules of intake that need to know what came before, one line at a time.
//!
//! In this order: read before word for word (skipped) · unreadable or foreign · `wrong_epoch` ·
//! `sequence_reused` · `out_of_order` · `link_conflict` · `no_card` · `future_mark` ·
//! `count_mismatch`.

use eligibility::day::Timestamp;
use eligibility::feed::{Kind, Record, Refused, Said};
use eligibility::number::{LinkNumber, Serial};

use crate::batch::{Content, name};
use crate::error::LedgerError;
use crate::group::{Draft, Group};
use crate::offer::{Reading, refuse};
use crate::seen::Seen;

/// How far a mark may lie ahead of our clock, in milliseconds: clocks of sources differ a little.
const AHEAD_MS: i64 = 60_000;

/// What is to be done with a line.
pub(crate) enum Verdict {
    /// Nothing: blank.
    Blank,
    /// Nothing: read before.
    Duplicate,
    /// Keep it as it was offered.
    Keep { sequence: Option<u64>, content: Content },
    /// Keep that it was refused for what came before it.
    Refuse { sequence: Option<u64>, refused: Refused },
}

impl Group<'_> {
    /// Judges a line against the batch it would join and all before it.
    pub(crate) fn judge(
        &mut self,
        draft: &Draft,
        (line, hash): (u64, [u8; 16]),
        reading: Reading,
    ) -> Result<Verdict, LedgerError> {
        match reading {
            Reading::Blank => Ok(Verdict::Blank),
            Reading::Broken { refused, place, .. } => {
                let own = place.filter(|(_, epoch)| *epoch == draft.epoch).map(|(sequence, _)| sequence);
                Ok(match self.seen(draft, draft.epoch, own, hash)? {
                    Seen::Same => Verdict::Duplicate,
                    Seen::Never | Seen::Other => {
                        Verdict::Keep { sequence: own, content: Content::Refused(refused) }
                    }
                })
            }
            Reading::Good(record) => self.judge_record(draft, line, hash, record),
        }
    }

    fn judge_record(
        &mut self,
        draft: &Draft,
        line: u64,
        hash: [u8; 16],
        record: Record,
    ) -> Result<Verdict, LedgerError> {
        let own = record.epoch == draft.epoch;
        let sequence = own.then_some(record.sequence);
        let seen = self.seen(draft, record.epoch, Some(record.sequence), hash)?;
        // A line of another epoch stands in quarantine without sequence.
        let again = seen == Seen::Same || !own && self.seen(draft, draft.epoch, None, hash)? == Seen::Same;
        let refused = |code, field| {
            let refused = refuse(&record, line, code, field);
            Verdict::Refuse { sequence, refused }
        };
        Ok(match seen {
            _ if again => Verdict::Duplicate,
            _ if !own => refused("wrong_epoch", Some("epoch")),
            Seen::Other => refused("sequence_reused", Some("sequence")),
            _ if record.sequence <= draft.head.committed_sequence => {
                refused("out_of_order", Some("sequence"))
            }
            _ => match self.objection(draft, &record.said) {
                Some((code, field)) => refused(code, Some(field)),
                None => Verdict::Keep { sequence, content: Content::Accepted(record) },
            },
        })
    }

    /// Whether a line was read before, under its sequence or, without one, by its content.
    fn seen(
        &mut self,
        draft: &Draft,
        epoch: u32,
        sequence: Option<u64>,
        hash: [u8; 16],
    ) -> Result<Seen, LedgerError> {
        let of = (draft.source, epoch);
        let mut seen = Seen::Never;
        if let Some(sequence) = sequence {
            if epoch == draft.epoch {
                // Nothing above the committed sequence was ever read.
                if sequence > draft.head.committed_sequence {
                    return Ok(Seen::Never);
                }
                seen = draft.seen(sequence, hash);
            }
            seen = seen.or(|| self.moved(of, sequence, hash))?;
        }
        seen.or(|| self.quarantined(of, name(sequence, &hash), hash))
    }

    /// What its content has against it, and in which field.
    fn objection(&self, draft: &Draft, said: &Said) -> Option<(&'static str, &'static str)> {
        match said {
            Said::Link { .. } | Said::Renewal { .. } => {
                self.conflicts(said).then_some(("link_conflict", "serial"))
            }
            Said::Subsidy { link_number, subsidies: Some(_) } => {
                (!self.has_card(*link_number)).then_some(("no_card", "link_number"))
            }
            Said::Mark { complete_to, .. } if *complete_to > self.latest_mark() => {
                Some(("future_mark", "complete_to"))
            }
            Said::Mark { records: Some(records), .. } if *records != draft.head.since_mark => {
                Some(("count_mismatch", "records"))
            }
            _ => None,
        }
    }

    fn latest_mark(&self) -> Timestamp {
        self.committed_at.plus_millis(AHEAD_MS)
    }

    /// Whether it would give one person the card of another.
    pub(crate) fn conflicts(&self, said: &Said) -> bool {
        let (serial, becomes) = match said {
            Said::Link { serial, link_number } => (serial, *link_number),
            Said::Renewal { serial, previous_serial } => (serial, self.owner(*previous_serial)),
            _ => return false,
        };
        let owner = self.owner(*serial);
        becomes.is_some_and(|becomes| owner.is_some_and(|owner| owner != becomes))
    }

    /// Whose card it is, with what this group already changed.
    pub(crate) fn owner(&self, serial: Serial) -> Option<LinkNumber> {
        self.owners.get(&serial).copied().unwrap_or_else(|| self.memory.owner(serial))
    }

    fn has_card(&self, person: LinkNumber) -> bool {
        self.owners.values().any(|owner| *owner == Some(person)) || self.memory.has_card(person)
    }

    /// Remembers whose card it is from now on.
    pub(crate) fn learn_owner(&mut self, said: &Said) {
        match said {
            Said::Link { serial, link_number } => {
                self.owners.insert(*serial, *link_number);
            }
            Said::Renewal { serial, previous_serial } => {
                if let Some(owner) = self.owner(*previous_serial) {
                    self.owners.insert(*serial, Some(owner));
                }
            }
            _ => {}
        }
    }
}

/// Whether a row counts towards `records` of the next mark: every record read does, accepted or
/// quarantined, once; marks themselves do not.
pub(crate) fn counts(content: &Content) -> bool {
    let kind = match content {
        Content::Accepted(record) => Some(record.said.kind()),
        Content::Refused(refused) => refused.kind,
    };
    kind != Some(Kind::Mark)
}
