//! The field's code books, as far as feeds and answers use them.
//!
//! Closed books are enums; 証区分 and 適用区分 grow with every reform and stay open codes of fixed form.

use serde::{Deserialize, Serialize};

/// Makes an enum whose members are fixed words on the wire: `= "word"`. With `=> "text"` behind each
/// word they also have what a clerk reads. Whoever uses it depends on serde.
#[macro_export]
macro_rules! words {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$member_doc:meta])* $member:ident = $word:literal => $text:literal),+ $(,)?
    }) => {
        $crate::words! { $(#[$doc])* $name { $($(#[$member_doc])* $member = $word),+ } }

        impl $name {
            /// What a clerk reads.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$member => $text),+ }
            }
        }
    };
    ($(#[$doc:meta])* $name:ident { $($(#[$member_doc:meta])* $member:ident = $word:literal),+ $(,)? }) => {
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

            /// The member with this word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$member),)+ _ => None }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// 性別 (OQSCD007).
    Sex {
        /// 男
        Male = "male",
        /// 女
        Female = "female",
        /// 未設定
        Unknown = "unknown",
    }
}

words! {
    /// 本人・家族 (OQSCD009).
    Relationship {
        /// 本人
        Insured = "insured",
        /// 家族
        Dependent = "dependent",
    }
}

words! {
    /// 資格喪失事由.
    LossReason {
        /// 死亡
        Death = "01",
        /// 生活保護開始
        PublicAssistance = "02",
        /// 他の医療保険等取得
        OtherInsurance = "03",
        /// その他
        Other = "99",
    }
}

words! {
    /// What an insurer asks to be kept from view, per person.
    Restriction {
        /// 不開示該当: address and postal code are shown nowhere.
        HideAddress = "hide_address",
        /// 自己情報提供不可: the card cannot be used as insurance, nor linked.
        CardUnusable = "card_unusable",
        /// Closed to viewing until the insurer has settled a mismatch with the resident register.
        Closed = "closed",
    }
}

words! {
    /// How the institution made sure that the card is the visitor's. Recorded, never inferred.
    IdentityCheck {
        /// Four-digit PIN.
        Pin = "pin",
        /// Face compared by the reader.
        Face = "face",
        /// Face compared by staff.
        Visual = "visual",
        /// The phone's own biometric check.
        DeviceBiometric = "device_biometric",
    }
}

words! {
    /// 特定疾病療養受療証の区分 (OQSCD013).
    SpecificDisease {
        /// 人工透析を実施している慢性腎不全
        Dialysis = "1",
        /// 先天性血液凝固因子障害
        Haemophilia = "2",
        /// 血液製剤によるHIV感染症
        Hiv = "3",
    }
}

words! {
    /// 限度額適用認定証の証区分 (OQSCD011).
    LimitKind {
        /// 限度額適用
        Limit = "01",
        /// 限度額適用・標準負担額減額
        LimitAndReduction = "02",
        /// 標準負担額減額
        Reduction = "03",
    }
}

/// A short code of an open book: ASCII capitals and digits of a fixed length.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code<const N: usize>([u8; N]);

impl<const N: usize> Code<N> {
    /// Reads exactly `N` ASCII capitals and digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let code: [u8; N] = text.as_bytes().try_into().ok()?;
        code.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()).then_some(Self(code))
    }

    /// The characters' octets.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; N] {
        &self.0
    }

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl<const N: usize> std::fmt::Debug for Code<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<const N: usize> Serialize for Code<N> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de, const N: usize> Deserialize<'de> for Code<N> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = crate::wire::Text::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a code of this book"))
    }
}

/// 証区分 (OQSCD010): 01 一般, 02 退職, 03 短期, 04 短期退職, 05 資格証明書, 06 特例退職, 07 自衛官; open.
pub type CardKind = Code<2>;

/// 適用区分 (OQSCD012): A01 ア … B10 一般Ⅰ; open.
pub type LimitCategory = Code<3>;
