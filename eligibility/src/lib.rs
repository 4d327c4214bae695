//! The vocabulary of eligibility and the rule that decides it.
//!
//! Every crate of the gateway speaks these nouns. Nothing here does I/O, reads a clock or waits.
//!
//! ```text
//! bytes ─► query ──┐                        ┌─► answer ─► bytes
//!                  ├─► decision::decide ────┤
//! bytes ─► feed ─► coverage (in memory) ────┘   advice: what the desk does next
//! ```
//!
//! | English | 日本語 | where |
//! |---|---|---|
//! | insurer number | 保険者番号 | [`number::InsurerNumber`] |
//! | symbol, number, branch | 記号・番号・枝番 | [`number::NumberKey`], [`number::Branch`] |
//! | institution code | 医療機関コード | [`number::InstitutionCode`] |
//! | link number | 紐付番号 | [`number::LinkNumber`] |
//! | serial | 利用者証明用電子証明書の発行番号 | [`number::Serial`] |
//! | coverage | 資格 | [`coverage::Coverage`] |
//! | qualified on, disqualified on | 資格取得日, 資格喪失日 | [`coverage::Coverage`] |
//! | valid from, valid through | 有効開始日, 有効終了日 | [`coverage::Validity`] |
//! | loss reason | 資格喪失事由 | [`code::LossReason`] |
//! | card kind | 証区分 | [`code::CardKind`] |
//! | elderly certificate | 高齢受給者証 | [`coverage::ElderlyCertificate`] |
//! | limit certificate | 限度額適用認定証 | [`coverage::LimitCertificate`] |
//! | specific disease certificate | 特定疾病療養受療証 | [`coverage::SpecificDiseaseCertificate`] |
//! | subsidy | 医療費助成・公費 | [`coverage::Subsidy`] |
//! | restriction | 不開示該当・自己情報提供不可 | [`code::Restriction`] |
//! | feed, source, mark | 資格履歴の連携, 連携元, 完了時点 | [`feed`] |
//! | My Number | 個人番号 | [`my_number`] |

pub mod advice;
pub mod answer;
pub mod code;
pub mod coverage;
pub mod day;
pub mod decision;
pub mod feed;
mod fold;
pub mod link;
pub mod my_number;
pub mod number;
pub mod overlap;
pub mod query;
mod redacted;
pub mod wire;
