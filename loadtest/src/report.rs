//! Reports: one HTML file with everything in it, CSV for spreadsheets, and the comparison of two runs.

mod capacity;
mod compare;
mod csv;
mod html;
mod plot;

pub use capacity::html as capacity_html;
pub use compare::{Comparison, compare, merge};
pub use csv::{percentiles as percentiles_csv, seconds as seconds_csv};
pub use html::html;
