//! A list that has just been taken in, and what it changes: what to store, what to delete.

use std::sync::Arc;

use super::read::{Effect, Entries};
use super::remembered::Remembered;
use super::{Key, List, ListMark, Lists};
use crate::serial::Serial;

/// A list accepted: the lists with it, and what it changes.
#[derive(Debug)]
pub struct Arrival<'a> {
    pub(super) lists: Lists,
    pub(super) before: Lists,
    pub(super) key: Key,
    pub(super) list: Arc<List>,
    pub(super) entries: &'a [u8],
}

impl<'a> Arrival<'a> {
    pub(super) fn unchanged(lists: &Lists, key: Key, list: Arc<List>) -> Arrival<'a> {
        Arrival { lists: lists.clone(), before: lists.clone(), key, list, entries: &[] }
    }

    /// The lists with the new one.
    pub fn lists(&self) -> &Lists {
        &self.lists
    }

    /// The lists with the new one.
    pub fn into_lists(self) -> Lists {
        self.lists
    }

    /// Scope, number and thisUpdate of the list that arrived.
    pub fn mark(&self) -> ListMark {
        self.list.mark(&self.key)
    }

    /// The revocations and holds in it that were not known before, to be stored. Read from the
    /// list again as they are asked for: nothing is gathered.
    pub fn newly_revoked(&self) -> impl Iterator<Item = Remembered> {
        let entries = Entries::new(self.entries).filter_map(Result::ok);
        entries.filter_map(|entry| {
            let hold = match entry.effect {
                Effect::Revoke => false,
                Effect::Hold => true,
                Effect::Remove => return None,
            };
            let fresh = !self.before.knows(&self.key, entry.serial, hold, self.list.this_update);
            fresh.then_some(Remembered {
                authority: self.key.0,
                serial: entry.serial,
                revoked_at: entry.revoked_at,
                hold,
                listed_at: self.list.this_update,
            })
        })
    }

    /// The serials that the list of that scope held before had on hold and this one has not:
    /// their stored holds may be deleted.
    pub fn released(&self) -> impl Iterator<Item = Serial> {
        let former = self.before.held.get(&self.key);
        let holds = former.into_iter().flat_map(|list| list.on_hold.iter());
        holds.filter(|serial| !self.list.on_hold.contains(*serial) && !self.list.revoked.contains(*serial))
    }
}
