//! The messages of reception systems: XML in UTF-8 or Shift_JIS, and their JSON twin.
//!
//! ```text
//! octets ─► text ─► tree ─► read ─► path ─► write (book) ─► out ─► text ─► octets
//! ```
//!
//! | message | asks | is answered with |
//! |---|---|---|
//! | `OQSsiquc01` | one eligibility by number | its answer |
//! | `OQSsiquc01res_face` | one by card: the JSON of a card query | the answer as a reader leaves it |
//! | `OQSmuquc01` | to keep many queries | a 受付番号 |
//! | `OQSmuquc02` | what they come to | their answers, as of now |
//! | `OQSsiimm01` | to register one 照会番号 | whether it was |
//! | `OQSmuimm01` | to register many | a 受付番号; they are registered |
//! | `OQSmuimm02` | what came of it | a result for each |

mod book;
mod office;
mod out;
mod read;
mod text;
mod tree;
mod write;

pub use book::Origin;
pub use office::{Fetched, Office};
pub use out::Form;
pub use text::{Charset, decode, narrow_kana};
pub use tree::{Broken, Element, from_json, from_xml};
pub use write::{ReferenceOf, Sent, Style, answer};

/// A kind of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// One query by number.
    Query,
    /// One by card.
    Face,
    /// Many queries.
    BulkQuery,
    /// Their answers.
    BulkQueryFetch,
    /// One 照会番号.
    Register,
    /// Many.
    BulkRegister,
    /// What came of them.
    BulkRegisterFetch,
}

impl Message {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Query,
        Self::Face,
        Self::BulkQuery,
        Self::BulkQueryFetch,
        Self::Register,
        Self::BulkRegister,
        Self::BulkRegisterFetch,
    ];

    /// The name that its files begin with, without `req` or `res`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Query => "OQSsiquc01",
            Self::Face => "OQSsiquc01res_face",
            Self::BulkQuery => "OQSmuquc01",
            Self::BulkQueryFetch => "OQSmuquc02",
            Self::Register => "OQSsiimm01",
            Self::BulkRegister => "OQSmuimm01",
            Self::BulkRegisterFetch => "OQSmuimm02",
        }
    }

    /// The kind of this name, alone or as a file of it is named: what follows `req` means nothing.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let name = name.split_once("req").map_or(name, |(kind, _)| kind);
        Self::ALL.into_iter().find(|message| message.name() == name)
    }

    /// The word of the audit for what is no single question.
    #[must_use]
    pub const fn act(self) -> Option<&'static str> {
        match self {
            Self::Query | Self::Face => None,
            Self::BulkQuery | Self::BulkRegister => Some("bulk message"),
            Self::BulkQueryFetch | Self::BulkRegisterFetch => Some("bulk fetch"),
            Self::Register => Some("registration"),
        }
    }

    /// The word under which a bulk message waits.
    const fn kind(self) -> &'static str {
        match self {
            Self::BulkRegister | Self::BulkRegisterFetch => "muimm",
            _ => "muquc",
        }
    }
}
