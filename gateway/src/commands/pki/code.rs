//! The words that programs know refusals of certificates by. They stay as they are.

use pki::path::PathReason;
use pki::{ProfileReason, ProveError, StandError, UnknownReason, UntrustedReason};

/// Of a path.
pub(super) const fn of_path(reason: PathReason) -> &'static str {
    match reason {
        PathReason::Empty => "empty",
        PathReason::TooMany => "too_many_certificates",
        PathReason::Malformed => "malformed",
        PathReason::Version => "version",
        PathReason::Serial => "serial",
        PathReason::AlgorithmMismatch => "algorithm_mismatch",
        PathReason::UniqueIdentifier => "unique_identifier",
        PathReason::EmptyName => "empty_name",
        PathReason::DuplicateExtension => "duplicate_extension",
        PathReason::UnknownCriticalExtension => "unknown_critical_extension",
        PathReason::ExtensionValue => "extension_value",
        PathReason::Key => "key",
        PathReason::UnknownIssuer => "unknown_issuer",
        PathReason::SignatureAlgorithm => "signature_algorithm",
        PathReason::BadSignature => "bad_signature",
        PathReason::NotYetValid { .. } => "not_yet_valid",
        PathReason::Expired { .. } => "expired",
        PathReason::NotAnAuthority => "not_an_authority",
        PathReason::MayNotSignCertificates => "may_not_sign_certificates",
        PathReason::PathLength => "path_length",
        PathReason::ExtendedKeyUsage => "extended_key_usage",
        PathReason::KeyUsage => "key_usage",
        PathReason::Authority => "authority",
        PathReason::NameNotPermitted => "name_not_permitted",
        PathReason::NameExcluded => "name_excluded",
        PathReason::NameForm => "name_form",
        PathReason::ConstraintForm => "constraint_form",
        PathReason::Policy => "policy",
        PathReason::PolicyMapping => "policy_mapping",
        PathReason::Budget => "budget",
        PathReason::Revoked => "revoked",
        PathReason::Suspended => "suspended",
        PathReason::RevocationUnknown(reason) => of_unknown(reason),
        PathReason::Card(reason) => of_profile(reason),
    }
}

/// Of a card's profile, chain or signature.
pub(super) const fn of_prove(error: ProveError) -> &'static str {
    match error {
        ProveError::Malformed => "malformed",
        ProveError::WrongProfile(reason) => of_profile(reason),
        ProveError::Untrusted(UntrustedReason::NoAuthorityKeyIdentifier) => "no_authority_key_identifier",
        ProveError::Untrusted(UntrustedReason::UnknownIssuer) => "unknown_issuer",
        ProveError::Untrusted(UntrustedReason::BadSignature) => "bad_signature",
        ProveError::Untrusted(UntrustedReason::OutsideIssuerValidity) => "outside_issuer_validity",
        ProveError::SignatureInvalid => "signature_invalid",
    }
}

/// Of a proven card.
pub(super) const fn of_stand(error: StandError) -> &'static str {
    match error {
        StandError::NotYetValid => "not_yet_valid",
        StandError::Expired => "expired",
        StandError::AnchorWithdrawn => "anchor_withdrawn",
        StandError::Revoked => "revoked",
        StandError::Suspended => "suspended",
        StandError::RevocationUnknown(reason) => of_unknown(reason),
    }
}

const fn of_profile(reason: ProfileReason) -> &'static str {
    match reason {
        ProfileReason::Version => "version",
        ProfileReason::Serial => "serial",
        ProfileReason::SignatureAlgorithm => "signature_algorithm",
        ProfileReason::AlgorithmMismatch => "algorithm_mismatch",
        ProfileReason::Validity => "validity",
        ProfileReason::UniqueIdentifier => "unique_identifier",
        ProfileReason::DuplicateExtension => "duplicate_extension",
        ProfileReason::UnknownCriticalExtension => "unknown_critical_extension",
        ProfileReason::ExtensionValue => "extension_value",
        ProfileReason::KeyUsage => "key_usage",
        ProfileReason::ExtendedKeyUsage => "extended_key_usage",
        ProfileReason::Policy => "policy",
        ProfileReason::TestCard => "test_card",
        ProfileReason::Authority => "authority",
        ProfileReason::PublicKey => "key",
    }
}

const fn of_unknown(reason: UnknownReason) -> &'static str {
    match reason {
        UnknownReason::NoList => "revocation_no_list",
        UnknownReason::PartitionMissing => "revocation_partition_missing",
        UnknownReason::PastNextUpdate => "revocation_list_late",
        UnknownReason::TooOld => "revocation_list_too_old",
        UnknownReason::NotKnownToResponder => "revocation_not_known_to_responder",
    }
}
