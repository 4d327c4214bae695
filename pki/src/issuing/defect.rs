//! The defects that certificates and lists can be made with, one at a time, so that a test can
//! hold every rule against a thing that breaks it and nothing else.

/// What is wrong with a certificate or list. Each says where it has effect; elsewhere it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Defect {
    /// Anything: one bit of the signature is turned.
    Signature,
    /// Anything: the algorithm beside the signature is not the one inside.
    AlgorithmMismatch,
    /// Authority, card, list: a critical extension that nobody knows.
    UnknownCriticalExtension,
    /// Card, list: an extension that nobody knows, not critical; no defect in fact.
    UnknownExtension,
    /// Authority, card, list: an extension twice.
    DuplicateExtension,
    /// Card, list: not the version it must have.
    Version,
    /// Card, list entry: the serial number is zero.
    ZeroSerial,

    /// Authority: keyUsage without keyCertSign.
    MayNotSignCertificates,
    /// Authority: keyUsage without cRLSign; no defect of the certificate itself.
    MayNotSignLists,
    /// Authority: basicConstraints does not say so.
    NotAnAuthority,
    /// Authority: no subjectKeyIdentifier.
    NoKeyIdentifier,

    /// Card: the serial number is negative.
    NegativeSerial,
    /// Card: the serial number has 21 octets.
    LongSerial,
    /// Card: the algorithm inside is sha1WithRSAEncryption.
    InnerAlgorithm,
    /// Card: the issuer's name is another.
    IssuerName,
    /// Card: notBefore and notAfter are exchanged.
    Validity,
    /// Card: an issuerUniqueID is there.
    UniqueIdentifier,
    /// Card: an RSA key with exponent 3.
    RsaExponent3,
    /// Card: an RSA key of 1024 bits.
    Rsa1024,
    /// Card: an RSA key of 4096 bits.
    Rsa4096,
    /// Card: a key on P-256.
    CurveP256,
    /// Card: a P-384 key whose point is not on the curve.
    PointOffCurve,
    /// Card: octets behind the value of keyUsage.
    ExtensionValue,
    /// Card: no keyUsage.
    NoKeyUsage,
    /// Card: keyUsage is not critical.
    KeyUsageNotCritical,
    /// Card: keyUsage has nonRepudiation beside digitalSignature.
    KeyUsageMore,
    /// Card: keyUsage is nonRepudiation.
    KeyUsageOther,
    /// Card: no extKeyUsage.
    NoExtendedKeyUsage,
    /// Card: extKeyUsage is serverAuth.
    ExtendedKeyUsageOther,
    /// Card: extKeyUsage has serverAuth beside clientAuth.
    ExtendedKeyUsageMore,
    /// Card: no certificatePolicies.
    NoPolicy,
    /// Card: certificatePolicies is not critical.
    PolicyNotCritical,
    /// Card: a second policy, that of the certificates for signing documents.
    SecondPolicy,
    /// Card: basicConstraints says it is an authority.
    AuthorityCertificate,
    /// Card: basicConstraints is there and says it is no authority; no defect in fact.
    EmptyBasicConstraints,

    /// Card, list: no authorityKeyIdentifier.
    NoAuthorityKey,
    /// Card, list: an empty authorityKeyIdentifier.
    EmptyAuthorityKey,
    /// Card, list: authorityKeyIdentifier with the key alone; no defect in fact.
    KeyIdentifierOnly,
    /// Card, list: authorityKeyIdentifier with issuer and serial alone; no defect in fact.
    IssuerAndSerialOnly,
    /// Card, list: authorityKeyIdentifier names another key.
    OtherKeyIdentifier,
    /// Card, list: authorityKeyIdentifier names another serial of the issuer.
    OtherIssuerSerial,

    /// List: no nextUpdate.
    NoNextUpdate,
    /// List: no CRLNumber.
    NoNumber,
    /// List: deltaCRLIndicator.
    Delta,
    /// List: indirectCRL.
    Indirect,
    /// List: onlyContainsUserCerts; no defect in fact.
    UsersOnly,
    /// List: onlyContainsCACerts.
    AuthoritiesOnly,
    /// List: onlyContainsAttributeCerts.
    AttributesOnly,
    /// List: onlySomeReasons.
    SomeReasonsOnly,
    /// List: the distribution point is a URI.
    PointOfOtherForm,
    /// List: entries have a critical extension that nobody knows.
    EntryUnknownCriticalExtension,
    /// List: entries name another issuer.
    EntryOfOtherIssuer,
    /// List: entries have a reason more than once.
    EntryDuplicateExtension,
}
