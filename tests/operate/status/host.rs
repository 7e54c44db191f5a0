//! Hosts that are asked over ssh. The stand-in for `ssh` runs the very script that it is given, where the host's own
//! programs come first on the search path.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What a host does when it is asked.
#[derive(Clone)]
pub(crate) enum Host {
    /// Runs the script with these programs, each a script of the shell.
    Programs(BTreeMap<&'static str, String>),
    /// ssh says this and fails.
    Refuses(&'static str),
    /// It is reached, and says nothing.
    Silent,
}

/// The options of every call of ssh, by every command.
pub(crate) const SSH_OPTIONS: &str = "-o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=5 \
                                      -o ServerAliveInterval=5 -o ServerAliveCountMax=6";

/// The stand-in for `ssh`. It refuses a call without the options.
const SSH: &str = r#"#!/bin/sh
case "$* " in
  "OPTIONS "*) shift 10 ;;
  *) echo "ssh: called with $*" >&2; exit 99 ;;
esac
case $* in
  *" sh -s") host=HOSTS/$1 ;;
  *) echo "ssh: called with $*" >&2; exit 99 ;;
esac
if [ -e "$host/refuses" ]; then cat "$host/refuses" >&2; exit 255; fi
if [ -e "$host/silent" ]; then exec sleep 600; fi
if [ ! -d "$host" ]; then echo "ssh: connect to host ${1#*@} port 22: No route to host" >&2; exit 255; fi
PATH=$host:$PATH exec sh -s
"#;

/// A module that is well: k3s runs, the disk and what lives on it are mounted, the streamer loses nothing.
#[derive(Clone)]
pub(crate) struct Module {
    /// Units that are active.
    pub(crate) active: Vec<&'static str>,
    pub(crate) mounts: Vec<(&'static str, &'static str)>,
    /// The page of the streamer's counters, at two times.
    pub(crate) figures: [String; 2],
    /// The metrics of etcd at two times, empty on an agent.
    pub(crate) etcd: [String; 2],
    /// Seconds by which its clock is ahead.
    pub(crate) clock_ahead: i64,
    /// Where links of its file system lead.
    pub(crate) links: Vec<(&'static str, &'static str)>,
    pub(crate) kubeconfig: Option<String>,
    /// Its addresses with their prefix lengths.
    pub(crate) addresses: Vec<&'static str>,
    /// Systems of the boot menu that the store does not have.
    pub(crate) lost_entries: Vec<&'static str>,
}

impl Module {
    pub(crate) fn well() -> Self {
        let options = "rw,noatime";
        Self {
            active: vec!["k3s.service", "xdp-streamer.service"],
            mounts: ["/mnt/data", "/run/k3s", "/var/lib/kubelet", "/var/lib/rancher"]
                .map(|path| (path, options))
                .into(),
            figures: [
                Figures::default().page(),
                Figures { packets: 52_400, delivered: 820, ..Figures::default() }.page(),
            ],
            etcd: [(10.0, 2_000), (10.05, 2_010)].map(|(sum, count)| etcd_page(1, sum, count)),
            clock_ahead: 0,
            links: vec![
                ("/run/current-system", "/nix/store/aaaa-nixos-system-rk1-26.05"),
                ("/nix/var/nix/profiles/system", "/nix/store/aaaa-nixos-system-rk1-26.05"),
                ("/run/booted-system/kernel", "/nix/store/kkkk-linux-6.12.1/Image"),
                ("/run/current-system/kernel", "/nix/store/kkkk-linux-6.12.1/Image"),
            ],
            kubeconfig: None,
            addresses: Vec::new(),
            lost_entries: Vec::new(),
        }
    }

    pub(crate) fn host(&self) -> Host {
        let mounts = self.mounts.iter().map(|(path, options)| format!("{path}) echo {options} ;;\n"));
        let findmnt = format!(
            "for path; do :; done\ncase $path in\n{}*) exit 1 ;;\nesac\n",
            mounts.collect::<String>()
        );
        let systemctl = format!(
            "case $2 in\n{}) echo active ;;\n*) echo failed; exit 3 ;;\nesac\n",
            self.active.join("|")
        );
        // Odd and even calls get the one and the other.
        let twice = |name: &str, [first, second]: &[String; 2]| {
            format!(
                "if rm \"$0.{name}\" 2>/dev/null; then /bin/cat <<'EOF'\n{second}EOF\nelse touch \"$0.{name}\"; \
                 /bin/cat <<'EOF'\n{first}EOF\nfi\n"
            )
        };
        let curl = format!(
            "case $* in\n*:2381/*)\n{};;\n*)\n{};;\nesac\n",
            twice("etcd", &self.etcd),
            twice("figures", &self.figures)
        );
        let links = self.links.iter().map(|(link, path)| format!("{link}) echo {path} ;;\n"));
        let readlink = format!("case $2 in\n{}*) exit 1 ;;\nesac\n", links.collect::<String>());
        let date = format!("echo $(($(/bin/date +%s) + {}))\n", self.clock_ahead);
        let mut programs = BTreeMap::from([
            ("curl", curl),
            ("date", date),
            ("findmnt", findmnt),
            ("ip", format!("echo end0 UP {}\n", self.addresses.join(" "))),
            ("readlink", readlink),
            ("sleep", String::new()),
            ("systemctl", systemctl),
        ]);
        let menu = self.lost_entries.iter().map(|init| format!("echo {init}\n"));
        programs.insert("sed", menu.collect());
        if let Some(kubeconfig) = &self.kubeconfig {
            let cat =
                "if [ \"$1\" = /etc/rancher/k3s/k3s.yaml ]; then PATH=/usr/bin:/bin; set -- \"$0.k3s\"; fi\n";
            programs.insert("cat.k3s", kubeconfig.clone());
            programs.insert("cat", format!("{cat}exec /bin/cat \"$@\"\n"));
        }
        Host::Programs(programs)
    }
}

/// The metrics of etcd that are read, among others.
pub(crate) fn etcd_page(has_leader: u8, fsync_seconds: f64, fsyncs: u32) -> String {
    format!(
        "# TYPE etcd_server_has_leader gauge\netcd_server_has_leader {has_leader}\n\
         etcd_server_is_learner 0\netcd_server_leader_changes_seen_total 1\n\
         etcd_disk_wal_fsync_duration_seconds_bucket{{le=\"0.001\"}} 1\n\
         etcd_disk_wal_fsync_duration_seconds_sum {fsync_seconds}\n\
         etcd_disk_wal_fsync_duration_seconds_count {fsyncs}\n"
    )
}

/// What a streamer has counted, with the labels and the order of the page that it serves.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) packets: u64,
    pub(crate) lost: u64,
    pub(crate) attached: u64,
    pub(crate) delivered: u64,
    pub(crate) dropped: u64,
    pub(crate) refused: u64,
    pub(crate) waiting: u64,
}

impl Default for Figures {
    fn default() -> Self {
        Self { packets: 52_311, lost: 0, attached: 1, delivered: 812, dropped: 0, refused: 0, waiting: 3 }
    }
}

impl Figures {
    pub(crate) fn page(self) -> String {
        let lines = [
            ("packets_total", self.packets),
            ("lost_total", self.lost),
            ("attached", self.attached),
            ("rows_delivered_total", self.delivered),
            ("rows_dropped_total", self.dropped),
            ("rows_refused_total", self.refused),
            ("rows_waiting", self.waiting),
        ];
        let lines = lines.map(|(name, value)| {
            format!("# TYPE xdp_streamer_{name} gauge\nxdp_streamer_{name}{{host=\"a node\",interface=\"end0\"}} {value}\n")
        });
        lines.concat()
    }
}

/// Writes the stand-in and its hosts, by what ssh is told to reach.
pub(crate) fn write(folder: &Path, hosts: &BTreeMap<String, Host>) {
    let at = folder.join("hosts");
    for (destination, host) in hosts {
        let own = at.join(destination);
        fs::create_dir_all(&own).expect("a host's folder");
        match host {
            Host::Refuses(words) => fs::write(own.join("refuses"), format!("{words}\n")).expect("words"),
            Host::Silent => fs::write(own.join("silent"), "").expect("silence"),
            Host::Programs(programs) => {
                for (name, text) in programs {
                    let is_data = name.contains('.');
                    program(
                        &own.join(name),
                        &if is_data { text.clone() } else { format!("#!/bin/sh\n{text}") },
                    );
                }
            }
        }
    }
    fs::create_dir(folder.join("bin")).expect("bin");
    program(
        &folder.join("bin/ssh"),
        &SSH.replace("OPTIONS", SSH_OPTIONS).replace("HOSTS", &at.display().to_string()),
    );
}

fn program(path: &Path, text: &str) {
    fs::write(path, text).expect("a program");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("mode");
}
