//! Closed books: enums whose members are fixed words on the wire, each with what a clerk reads.

/// Makes an enum of fixed words; `= "word", "text"` gives the wire's word and the clerk's text.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$member_doc:meta])* $member:ident = $word:literal, $text:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$member_doc])* #[serde(rename = $word)] $member),+
        }

        impl $name {
            /// Every member, in the order of the book.
            pub const ALL: &'static [Self] = &[$(Self::$member),+];

            /// The word on the wire.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$member => $word),+ }
            }

            /// What a clerk reads.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$member => $text),+ }
            }

            /// The member with this word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$member),)+ _ => None }
            }
        }
    };
}
pub(crate) use words;
