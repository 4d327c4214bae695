//! The sum of everything that memory holds: the same for all memories that hold the same, however each
//! was made and whatever its hashes are.
//!
//! SHA-256 over each person, card and source, added up. It shows that two memories are alike; it is no
//! seal against somebody who may choose what they hold.

use aws_lc_rs::digest::{SHA256, digest};

use crate::kept::Words;
use crate::key::Place;
use crate::reader::View;
use crate::record;

/// A sum while it grows: four numbers, each for itself.
#[derive(Default)]
struct Sum([u64; 4]);

impl Sum {
    fn add(&mut self, one: &[u8]) {
        for (sum, part) in self.0.iter_mut().zip(digest(&SHA256, one).as_ref().chunks_exact(8)) {
            let part = part.first_chunk().copied().unwrap_or_default();
            *sum = sum.wrapping_add(u64::from_le_bytes(part));
        }
    }

    fn add_kept(&mut self, place: Place, octets: &[u8]) {
        let Some(mut kept) = record::read(place, octets) else { return self.add(octets) };
        // Where cards lie that nobody has, and beside which, hangs on the hashes.
        let link = place.link().map_or(u64::MAX, |link| link.value()).to_le_bytes();
        for card in std::mem::take(&mut kept.cards) {
            self.add(&[b"card", &link[..], card.serial.octets(), &written(&card.words)].concat());
        }
        if !kept.is_empty() {
            let mut octets = Vec::with_capacity(octets.len());
            record::put(&mut octets, &kept);
            self.add(&[b"person", &link[..], &octets].concat());
        }
    }
}

fn written(words: &Words) -> Vec<u8> {
    words.iter().flat_map(|(source, position)| format!("{source} {position}\n").into_bytes()).collect()
}

impl View {
    /// The sum of everything in it. Looks at everybody.
    #[must_use]
    pub fn sum(&self) -> [u8; 32] {
        let mut sum = Sum::default();
        let state = self.state();
        state.people.iter().for_each(|people| people.each(|place, octets| sum.add_kept(place, octets)));
        for (source, standing) in state.sources.all() {
            let open: Vec<_> =
                standing.quarantine.iter().map(|one| format!("{}.{}", one.epoch, one.name)).collect();
            let (epoch, sequence, members) = (standing.epoch, standing.committed_sequence, standing.members);
            let complete = standing.complete_to.map(|at| at.millis());
            sum.add(format!("{source} {epoch} {sequence} {members} {complete:?} {open:?}").as_bytes());
        }
        let mut octets = [0; 32];
        for (part, sum) in octets.chunks_exact_mut(8).zip(sum.0) {
            part.copy_from_slice(&sum.to_le_bytes());
        }
        octets
    }
}
