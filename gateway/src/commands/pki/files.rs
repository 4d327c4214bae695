//! Certificates and revocation lists in files: DER, or PEM with any number of them.

use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};

use crate::commands::CommandError;

/// One certificate or list, and where it was found.
pub(super) struct Item {
    /// The file, with the place in it where there are several.
    pub(super) name: String,
    pub(super) der: Vec<u8>,
}

/// The certificates of one file. One that is no PEM is one certificate, whatever it holds.
pub(super) fn certificates(path: &Path) -> Result<Vec<Item>, CommandError> {
    let content = read(path)?;
    if !is_pem(&content) {
        return Ok(vec![Item { name: path.display().to_string(), der: content }]);
    }
    let blocks: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&content).collect();
    let blocks = blocks.map_err(|error| wrong(path, error))?;
    Ok(named(path, blocks.iter().map(|block| block.to_vec()).collect()))
}

/// The certificates of a folder's `*.pem`, `*.der`, `*.crt` and `*.cer`, or of one file. The same
/// certificate is taken once, and PEM files without any, such as keys, are passed over.
pub(super) fn certificates_in(path: &Path) -> Result<Vec<Item>, CommandError> {
    let mut found: Vec<Item> = Vec::new();
    for file in files(path, &["pem", "der", "crt", "cer"])? {
        for item in certificates(&file)? {
            if !found.iter().any(|other| other.der == item.der) {
                found.push(item);
            }
        }
    }
    Ok(found)
}

/// The revocation lists of a folder's `*.crl` and `*.pem`, or of one file.
pub(super) fn lists_in(path: &Path) -> Result<Vec<Item>, CommandError> {
    let mut found = Vec::new();
    for file in files(path, &["crl", "pem"])? {
        let content = read(&file)?;
        if is_pem(&content) {
            let blocks: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(&content).collect();
            let blocks = blocks.map_err(|error| wrong(&file, error))?;
            found.extend(named(&file, blocks.iter().map(|block| block.to_vec()).collect()));
        } else {
            found.push(Item { name: file.display().to_string(), der: content });
        }
    }
    Ok(found)
}

fn files(path: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>, CommandError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).map_err(|error| wrong(path, error))?;
    let fits = |file: &PathBuf| {
        file.extension().is_some_and(|is| extensions.iter().any(|one| is.eq_ignore_ascii_case(one)))
    };
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(fits).collect();
    files.sort();
    Ok(files)
}

fn named(path: &Path, blocks: Vec<Vec<u8>>) -> Vec<Item> {
    let several = blocks.len() > 1;
    let name = |at: usize| match several {
        true => format!("{}#{}", path.display(), at + 1),
        false => path.display().to_string(),
    };
    blocks.into_iter().enumerate().map(|(at, der)| Item { name: name(at), der }).collect()
}

fn is_pem(content: &[u8]) -> bool {
    content.windows(11).any(|window| window == b"-----BEGIN ")
}

fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
    std::fs::read(path).map_err(|error| wrong(path, error))
}

fn wrong(path: &Path, error: impl std::fmt::Display) -> CommandError {
    CommandError::Usage(format!("{}: {error}", path.display()))
}
