//! What a BMC says about itself.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_bmcd_answers_is_read() {
        let about =
            r#"{"api":"1.1","bmcd_version":"2.3.7","board_model":"","buildroot":"","hostname":"turingpi"}"#;
        let about: About = serde_json::from_str(about).expect("about");
        assert_eq!((about.bmcd_version.as_deref(), about.version), (Some("2.3.7"), None));
        let info = r#"{"ip":[{"device":"br0","ip":"172.16.10.220","mac":"02:00:00:00:00:01"}],
            "storage":[{"name":"bmc","total_bytes":4096,"bytes_free":1024}]}"#;
        let info: Info = serde_json::from_str(info).expect("info");
        assert_eq!((info.ip.len(), info.storage.first().map(|disk| disk.bytes_free)), (1, Some(1024)));
    }
}
