//! The terminal agent: between the folders of a claim computer and the service.
//!
//! ```text
//! req/NAMEreq….xml ─► line (HTTPS, client certificate) ─► res/NAMEres….xml
//!                                   a card in a reader ─► face/OQSsiquc01res_face_….xml
//! ```
//!
//! Holds the folders, the line and the loop over both. It knows the names of messages and nothing of
//! the service itself. It keeps no copy: a request is gone once its answer is there.

mod face;
mod folder;
mod line;
mod watch;

pub use face::{FaceError, leave};
pub use folder::{Folders, Request, Taken};
pub use line::{Connection, Line, LineError, Said};
pub use watch::{Watch, watch};
