//! How much is left undone: from the delay of requests over time.

use std::time::Duration;

/// What a request may wait.
pub(super) const WAIT: Duration = Duration::from_millis(20);
/// Looks in a row above it after which the lower classes stop; after twice as many, noisy callers.
const STOP: u32 = 10;
/// Looks in a row within it after which what was stopped goes on.
const GO_ON: u32 = 100;

/// How much is left undone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Level {
    /// Nothing.
    #[default]
    Calm,
    /// Lower classes of work.
    Lower,
    /// Callers that ask much, too.
    Noisy,
}

impl Level {
    pub(super) const fn of(number: u8) -> Self {
        match number {
            0 => Self::Calm,
            1 => Self::Lower,
            _ => Self::Noisy,
        }
    }

    /// The word in logs and on the status page.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Lower => "lower_classes_wait",
            Self::Noisy => "noisy_callers_wait",
        }
    }
}

/// What was seen in the last looks.
#[derive(Debug, Default)]
pub(super) struct Judge {
    level: Level,
    above: u32,
    within: u32,
}

impl Judge {
    /// One more look. While somebody waits for a turn it is the turns that keep the delay within bounds.
    pub(super) fn look(&mut self, delay: Duration, waiting: bool) -> Level {
        if delay > WAIT {
            (self.above, self.within) = (self.above + 1, 0);
        } else {
            (self.above, self.within) = (0, if waiting { 0 } else { self.within + 1 });
        }
        self.level = match self.level {
            Level::Calm if self.above >= STOP => Level::Lower,
            Level::Lower if self.above >= 2 * STOP => Level::Noisy,
            Level::Noisy if self.within >= GO_ON => {
                self.within = 0;
                Level::Lower
            }
            Level::Lower if self.within >= GO_ON => Level::Calm,
            level => level,
        };
        self.level
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_a_tenth_of_a_second_to_stop_and_seconds_to_go_on() {
        let mut judge = Judge::default();
        let mut look = |millis, waiting, count| {
            (0..count).fold(Level::Calm, |_, _| judge.look(Duration::from_millis(millis), waiting))
        };
        assert_eq!(look(21, false, 9), Level::Calm);
        assert_eq!(look(20, false, 1), Level::Calm, "begun anew");
        assert_eq!(look(21, false, 9), Level::Calm);
        assert_eq!(look(21, false, 1), Level::Lower);
        assert_eq!(look(21, false, 10), Level::Noisy);
        assert_eq!(look(5, true, 1000), Level::Noisy, "somebody waits for a turn");
        assert_eq!(look(5, false, 99), Level::Noisy);
        assert_eq!(look(5, false, 1), Level::Lower);
        assert_eq!(look(5, false, 100), Level::Calm);
    }
}
