//! `shikaku card`: what a card reader does, for trying the service by hand.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use eligibility::code::IdentityCheck;
use eligibility::query::{CardQuery, Circumstances};

use super::CommandError;

/// Acts as a card in a reader.
#[derive(Subcommand)]
#[command(
    after_help = "Example:\n  shikaku card sign --certificate demo-data/cards/good.der --key demo-data/cards/good.key.pem --challenge …"
)]
pub(super) enum CardCommand {
    /// Signs a challenge with a card's key and prints the body of a card query
    Sign(Sign),
}

/// What to sign with what.
#[derive(Args)]
pub(super) struct Sign {
    /// The card's certificate, DER
    #[arg(long)]
    certificate: PathBuf,
    /// The card's private key, PEM
    #[arg(long)]
    key: PathBuf,
    /// The challenge, as the service issued it; one in 64 begins with a hyphen
    #[arg(long, allow_hyphen_values = true)]
    challenge: String,
    /// How the visitor's identity was checked: pin, face, visual, device_biometric
    #[arg(long, default_value = "pin")]
    identity_check: String,
}

impl CardCommand {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        let Self::Sign(sign) = self;
        println!("{}", sign.query()?);
        Ok(())
    }
}

impl Sign {
    fn query(&self) -> Result<String, CommandError> {
        query(&self.certificate, &self.key, &self.challenge, &self.identity_check)
    }
}

/// The body of a card query: the certificate (DER), and its key's (PEM) signature over the challenge.
pub(super) fn query(
    certificate: &Path,
    key: &Path,
    challenge: &str,
    identity_check: &str,
) -> Result<String, CommandError> {
    let read = |path: &Path| {
        std::fs::read(path).map_err(|error| CommandError::Usage(format!("{}: {error}", path.display())))
    };
    let pem = String::from_utf8(read(key)?).map_err(CommandError::usage)?;
    let signature = pki::issuing::sign(&pem, challenge.as_bytes())
        .map_err(|error| CommandError::Usage(format!("{}: {error}", key.display())))?;
    let identity_check = IdentityCheck::from_word(identity_check).ok_or_else(|| {
        CommandError::Usage("--identity-check is one of pin, face, visual, device_biometric".to_owned())
    })?;
    let query = CardQuery {
        certificate: STANDARD.encode(read(certificate)?).into(),
        challenge: Some(challenge.into()),
        signature: Some(STANDARD.encode(signature).into()),
        identity_check,
        circumstances: Circumstances::default(),
    };
    String::from_utf8(query.to_json()).map_err(CommandError::usage)
}
