//! A rendered file: its path and its text.

use std::path::Path;

/// A file to be written, relative to the output directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The folder, such as `hosts`. Files that are no longer rendered are removed from it.
    pub folder: &'static str,
    /// The name in the folder.
    pub name: String,
    pub body: String,
}

impl Document {
    #[must_use]
    pub fn is_yaml(&self) -> bool {
        Path::new(&self.name).extension().is_some_and(|extension| extension == "yaml")
    }

    #[must_use]
    pub fn path(&self) -> String {
        format!("{}/{}", self.folder, self.name)
    }
}
