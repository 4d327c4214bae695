//! Card certificates: profile, chain, revocation, possession.
