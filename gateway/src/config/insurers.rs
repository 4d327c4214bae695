//! The list of insurers: which there are, and their names.

use std::collections::HashMap;
use std::path::Path;

use eligibility::number::InsurerNumber;

use super::ConfigError;

/// The insurers there are, with their names.
#[derive(Clone, Debug, Default)]
pub struct InsurerList(HashMap<InsurerNumber, Box<str>>);

impl InsurerList {
    /// Reads the CSV of `insurer_number,name`.
    ///
    /// # Errors
    /// [`ConfigError`] with the line at fault.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |error| ConfigError::Unreadable { path: path.to_owned(), error };
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let mut list = HashMap::new();
        for (at, row) in csv::Reader::from_reader(file).into_records().enumerate() {
            let line = at + 2;
            let wrong = |why: &str| ConfigError::Value {
                path: path.to_owned(),
                key: "insurer_number,name",
                why: format!("line {line}: {why}"),
            };
            let row = row.map_err(|_| wrong("is no CSV in UTF-8 of two columns"))?;
            let (Some(number), Some(name)) = (row.get(0), row.get(1)) else {
                return Err(wrong("needs two columns"));
            };
            let number = InsurerNumber::parse(number).map_err(|error| wrong(&error.to_string()))?;
            list.insert(number, name.into());
        }
        Ok(Self(list))
    }

    /// Whether the insurer is listed.
    #[must_use]
    pub fn has(&self, number: InsurerNumber) -> bool {
        self.0.contains_key(&number)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self, number: InsurerNumber) -> Option<&str> {
        self.0.get(&number).map(|name| &**name)
    }

    /// Every insurer, in no order.
    pub fn iter(&self) -> impl Iterator<Item = InsurerNumber> {
        self.0.keys().copied()
    }
}
