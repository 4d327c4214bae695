//! The retention classes: records that are kept equally long share a chain, a folder, and an end.

/// A retention class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Who asked about whom and what came of it: fixed records.
    Answers,
    /// What feeders, the portal and operators did: fixed records.
    Acts,
    /// What an institution may fetch again of its own answers: written out, and kept shortest.
    Confirmations,
}

impl Class {
    /// Every class, in the order in which a group writes them.
    pub const ALL: [Self; 3] = [Self::Answers, Self::Acts, Self::Confirmations];

    /// The name of its folder.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Answers => "answers",
            Self::Acts => "acts",
            Self::Confirmations => "confirmations",
        }
    }

    /// The number in heads. Never changes.
    #[must_use]
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Answers => 1,
            Self::Acts => 2,
            Self::Confirmations => 3,
        }
    }

    pub(super) fn of_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.number() == number)
    }
}

/// The classes of work, the most urgent first. A disk that fills up refuses from the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    /// A visitor stands before the desk.
    Desk,
    /// Links and feeds.
    Intake,
    /// Batches.
    Batch,
    /// Claims pre-checks.
    Precheck,
}

impl Work {
    /// Every class, the most urgent first.
    pub const ALL: [Self; 4] = [Self::Desk, Self::Intake, Self::Batch, Self::Precheck];

    /// The word in metrics and on the status page.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Desk => "desk",
            Self::Intake => "intake",
            Self::Batch => "batch",
            Self::Precheck => "precheck",
        }
    }
}
