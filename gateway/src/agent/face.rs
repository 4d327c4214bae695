//! A card in a reader: asks with it, and leaves the answer as a reader does.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::Deserialize;

use super::folder::write_durably;
use super::line::{Connection, LineError};
use crate::wire::xml::{self, Element};

/// Most answers of one institution in one second.
const IN_A_SECOND: u32 = 1_000_000;

/// Why a card got no answer.
#[derive(Debug, thiserror::Error)]
pub enum FaceError {
    /// The service was not reached.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The card could not sign.
    #[error("{0}")]
    Card(String),
    /// The service refused the card; its words for the desk.
    #[error("{0}")]
    Refused(String),
    /// The answer cannot be left.
    #[error("{path}: {error}")]
    Folder {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

#[derive(Deserialize)]
struct Issued {
    challenges: Vec<Challenge>,
}

#[derive(Deserialize)]
struct Challenge {
    challenge: String,
}

/// Asks with a card and leaves the answer in the folder. `query` makes the card's query over a challenge;
/// `charset` is the answer's encoding.
///
/// # Errors
/// [`FaceError`]; then nothing was left.
pub fn leave(
    connection: &mut Connection,
    folder: &Path,
    charset: &str,
    query: impl FnOnce(&str) -> Result<String, String>,
) -> Result<PathBuf, FaceError> {
    let issued = connection.post("/v1/challenges", "application/json", None, Bytes::from_static(b"{}"))?;
    let unusable = || FaceError::Refused(format!("the service issued no challenge (HTTP {})", issued.status));
    let challenges: Issued = serde_json::from_slice(&issued.octets).map_err(|_| unusable())?;
    let challenge = challenges.challenges.first().ok_or_else(unusable)?;
    let query = query(&challenge.challenge).map_err(FaceError::Card)?;
    let answer = connection.post(
        "/oqs/v1/OQSsiquc01res_face",
        "application/json",
        Some(charset),
        Bytes::from(query.into_bytes()),
    )?;
    let header = Header::of(&answer.octets);
    if answer.status != 200 {
        return Err(FaceError::Refused(header.message.unwrap_or_else(|| format!("HTTP {}", answer.status))));
    }
    let (Some(institution), Some(at)) = (header.institution, header.at) else {
        return Err(FaceError::Refused("the answer has no institution".to_owned()));
    };
    placed(folder, &institution, &at, &answer.octets)
}

/// Under a name that no other answer has: institution, a count, and the time.
fn placed(folder: &Path, institution: &str, at: &str, octets: &[u8]) -> Result<PathBuf, FaceError> {
    let failed = |path: &Path, error| FaceError::Folder { path: path.to_owned(), error };
    let part = folder.join(format!(".face-{}.part", std::process::id()));
    write_durably(&part, octets).map_err(|error| failed(&part, error))?;
    let mut placed = Err(failed(folder, io::Error::from(io::ErrorKind::AlreadyExists)));
    for count in 1..IN_A_SECOND {
        let path = folder.join(format!("OQSsiquc01res_face_{institution}{count:06}_{at}.xml"));
        // A link, unlike a renaming, takes nobody's place.
        match fs::hard_link(&part, &path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => placed = Err(failed(&path, error)),
            Ok(()) => placed = Ok(path),
        }
        break;
    }
    let _ = fs::remove_file(&part);
    placed
}

/// What the name of the file, or a person, needs of an answer.
#[derive(Default)]
struct Header {
    institution: Option<String>,
    at: Option<String>,
    message: Option<String>,
}

impl Header {
    fn of(octets: &[u8]) -> Self {
        let Ok((text, _)) = xml::decode(octets, None) else { return Self::default() };
        let Ok(root) = xml::from_xml(&text) else { return Self::default() };
        let header = root.all("MessageHeader").next().map(Element::to_owned).unwrap_or_default();
        let said = |name: &str| header.all(name).next().map(|one| one.text.to_string());
        Self {
            institution: said("MedicalInstitutionCode"),
            at: said("ProcessExecutionTime"),
            message: said("ErrorMessage"),
        }
    }
}
