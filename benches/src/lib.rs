//! One bench per step of the path, each beside its floor.
