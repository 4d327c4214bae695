//! `[ledger]`: where the record of truth is.

use std::path::{Path, PathBuf};

use ::ledger::{Access, LedgerError, Place};
use serde::{Deserialize, Serialize};

/// The record of truth.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// `sqlite:PATH`, or `postgres://USER@HOST[:PORT][,HOST…]/DATABASE` of a server that gateways share.
    pub url: String,
    /// PEM file of the authorities that issued the server's certificate. Needed unless the URL ends in
    /// `?sslmode=disable` or its host is the folder of a socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// File whose first line is the password of the URL's user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<PathBuf>,
}

impl Ledger {
    /// One in a file.
    #[must_use]
    pub fn file(path: &Path) -> Self {
        Self { url: format!("sqlite:{}", path.display()), ..Self::default() }
    }

    /// Its file, where it is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.url.strip_prefix("sqlite:").map(Path::new)
    }

    /// Where it is, as the gateway of this name sees it.
    ///
    /// # Errors
    /// [`LedgerError::Url`] when the URL or a file that goes with it cannot be used.
    pub fn place(&self, gateway: &str) -> Result<Place, LedgerError> {
        let Self { url, ca, password } = self;
        let access = Access { gateway: gateway.to_owned(), ca: ca.clone(), password: password.clone() };
        Place::of_url(url, &access)
    }

    /// Makes its files absolute.
    pub(super) fn resolve(&mut self, folder: &Path) {
        if let Some(path) = self.path() {
            self.url = format!("sqlite:{}", folder.join(path).display());
        }
        for path in self.ca.iter_mut().chain(&mut self.password) {
            *path = folder.join(&*path);
        }
    }
}
