//! The HTTPS service and the `shikaku` program.
//!
//! ```text
//!  desks ─► front ─► path ─┬─► pki (prove, stand)
//!                          ├─► cache (find) ◄─ follow ◄─┐
//!                          ├─► eligibility (decide)     │
//!                          └─► audit (record)           │
//!  feeders ─► front ─► intake ─────────► ledger ────────┘
//!  reviewers ─► front ─► jobs ─► claims (judge), cache (find)
//!  operators ─► admin (status, metrics), front (quarantine)
//! ```
//!
//! | room | holds |
//! |---|---|
//! | [`front`] | connections, TLS, routes, limits |
//! | [`path`] | the path of one query, top to bottom |
//! | [`challenge`], [`entitle`], [`misses`], [`refusal`] | its own steps, and the one door of refusals |
//! | [`desk`], [`trust`], [`follow`] | what it looks at: trust and memory |
//! | [`past`], [`history`] | memory as it was at an instant; for how long that is kept |
//! | [`intake`] | deliveries |
//! | [`jobs`] | claims pre-checks |
//! | [`wire`] | the messages of reception systems, FHIR |
//! | [`kept`] | what institutions leave here: 照会番号, bulk messages |
//! | [`agent`] | the terminal agent, which sees nothing of the rest |
//! | [`audit`], [`confirmations`] | one record an answer, and an institution's own log of them |
//! | [`admin`], [`metrics`] | the operator's listener |
//! | [`config`], [`peer`] | who may do what |
//! | `background`, `request_id` | threads that desks must not feel; ids of requests |
//! | [`gateway`], [`start`] | the wiring, in start order; why one does not start |
//! | [`commands`] | one file a subcommand |

pub mod admin;
pub mod agent;
pub mod audit;
mod background;
pub mod challenge;
pub mod clock;
pub mod commands;
pub mod config;
pub mod confirmations;
pub mod desk;
pub mod entitle;
pub mod follow;
pub mod front;
pub mod gateway;
pub mod history;
pub mod intake;
pub mod jobs;
pub mod kept;
pub mod metrics;
pub mod misses;
pub mod past;
pub mod path;
pub mod peer;
pub mod refusal;
mod request_id;
pub mod start;
pub mod trust;
pub mod wire;
