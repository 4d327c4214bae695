//! Words from which people, places and insurers are put together. Nothing here decides anything.

pub(crate) mod names;
pub(crate) mod places;
pub(crate) mod trades;
