//! What is rendered: a path and a body each.

/// A file to be written, relative to the output directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The folder that renders belong to, such as `hosts`: what is rendered no more is removed from it.
    pub folder: &'static str,
    /// Name in the folder.
    pub name: String,
    pub body: String,
}

impl Document {
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}/{}", self.folder, self.name)
    }
}
