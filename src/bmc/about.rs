use serde::Deserialize;

/// What answers: `get about`.
#[derive(Debug, Clone, Deserialize)]
pub struct About {
    /// Version of bmcd.
    #[serde(default)]
    pub bmcd_version: Option<String>,
    /// Version of the firmware around it.
    #[serde(default)]
    pub version: Option<String>,
}

/// Its networks and disks: `get info`.
#[derive(Debug, Clone, Deserialize)]
pub struct Info {
    #[serde(default)]
    pub ip: Vec<Interface>,
    #[serde(default)]
    pub storage: Vec<Storage>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Interface {
    pub device: String,
    pub ip: String,
    pub mac: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Storage {
    pub name: String,
    pub bytes_free: u64,
    pub total_bytes: u64,
}
