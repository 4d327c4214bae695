//! One record for each answer, in the kernel before the answer leaves.
//!
//! Holds the [`Entry`], the thread that writes groups of them into one file a day, and the
//! pseudonym that stands for a person. It never holds a number, a name or a card.

mod entry;
mod writer;

use std::path::Path;

use aws_lc_rs::hmac;
use tokio::sync::oneshot;

pub use entry::Entry;
use writer::Writer;

/// Why the audit cannot be begun.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The folder or today's file cannot be written.
    #[error("{path}: {error}; the audit folder must exist and be writable")]
    Folder {
        /// The path.
        path: std::path::PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The pseudonym key is missing or has the wrong length.
    #[error("{path}: {why}; make one with `head -c 32 /dev/urandom > FILE && chmod 600 FILE`")]
    Key {
        /// The path.
        path: std::path::PathBuf,
        /// Why.
        why: String,
    },
}

/// Takes records and tells when they are written.
pub struct Audit {
    writer: Writer,
    pseudonym: hmac::Key,
}

/// A record on its way to the file.
pub struct Recording(oneshot::Receiver<bool>);

impl Recording {
    /// Waits until the record is in the kernel. False: it is not, and the answer must not leave.
    pub async fn written(self) -> bool {
        self.0.await.unwrap_or(false)
    }

    /// As [`Recording::written`], for threads that may block.
    #[must_use]
    pub fn wait(self) -> bool {
        self.0.blocking_recv().unwrap_or(false)
    }
}

impl Audit {
    /// Opens today's file and starts the writer.
    ///
    /// # Errors
    /// [`AuditError`] with the path and the cure.
    pub fn open(folder: &Path, key_file: &Path) -> Result<Self, AuditError> {
        let key = std::fs::read(key_file)
            .map_err(|error| AuditError::Key { path: key_file.to_owned(), why: error.to_string() })?;
        if key.len() < 32 {
            let why = "holds fewer than 32 octets".to_owned();
            return Err(AuditError::Key { path: key_file.to_owned(), why });
        }
        let writer =
            Writer::start(folder).map_err(|error| AuditError::Folder { path: folder.to_owned(), error })?;
        Ok(Self { writer, pseudonym: hmac::Key::new(hmac::HMAC_SHA256, &key) })
    }

    /// Hands a record to the writer.
    #[must_use]
    pub fn record(&self, entry: &Entry) -> Recording {
        let (done, recording) = oneshot::channel();
        self.writer.take(entry.at(), entry.to_line(&self.pseudonym), done);
        Recording(recording)
    }

    /// Records waiting to be written.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.writer.waiting()
    }
}
