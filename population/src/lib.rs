//! An invented nation: a pure function of seed, people and day.
