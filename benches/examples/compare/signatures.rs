//! What a signature check costs by itself, on the servers' core.

use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey};

use gateway::clock::Clock;

use super::Failed;

/// For how long it is tried.
const WITHIN: Duration = Duration::from_secs(2);

/// Microseconds of one RSA-2048 check, PKCS#1 v1.5 with SHA-256, as cards sign today.
pub(super) fn micros() -> Result<f64, Failed> {
    let key = KeyPair::generate(KeySize::Rsa2048)?;
    let message = [7; 75];
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &message, &mut signature)?;
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref().to_vec());
    let (began, mut checks) = (Clock::instant(), 0_u32);
    while began.elapsed() < WITHIN {
        for _ in 0..100 {
            public.verify(&message, &signature)?;
        }
        checks += 100;
    }
    Ok(began.elapsed().as_secs_f64() * 1e6 / f64::from(checks))
}
