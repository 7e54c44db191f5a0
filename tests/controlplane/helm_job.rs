//! The jobs of helm-controller, replayed with Helm itself. Its charts come from a server on loopback, as those of a cluster come
//! from the API server of k3s.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use crate::namespace::within;
use crate::play::Play;

/// Where k3s serves the files that a server has in `server/static`, and where they are served here.
const OF_K3S: &str = "https://127.0.0.1:6443/";
const HERE: &str = "127.0.0.1:8080";

impl Play<'_> {
    /// Serves the charts in the namespace of the first server, each packed in the version that is asked for.
    pub(crate) fn serve_charts(&self) {
        let server = self.nodes().remove(0);
        let listener = within(&server, || TcpListener::bind(HERE).expect("an address"));
        let (controllers, folder) = (self.controllers.to_owned(), self.folder.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                answer(&stream.expect("a connection"), &controllers, &folder);
            }
        });
    }

    /// Runs Helm with the arguments and the environment of a chart's job and with the values that helm-controller passes to it.
    /// Returns what Helm prints. Hooks are left out, because nothing runs their pods here.
    pub(crate) fn replay_job(&self, chart: &str) -> Result<String, String> {
        let job = self.object(&format!("/apis/batch/v1/namespaces/kube-system/jobs/helm-install-{chart}"));
        let container = &job["spec"]["template"]["spec"]["containers"][0];
        let environment = container["env"].as_array().expect("an environment").iter();
        let environment: BTreeMap<_, _> =
            environment.filter_map(|each| Some((each["name"].as_str()?, each["value"].as_str()?))).collect();
        let arguments = container["args"].as_array().expect("arguments").iter();
        let mut arguments: Vec<_> =
            arguments.map(|argument| argument.as_str().expect("a text").to_owned()).collect();
        assert!(environment["CHART"].starts_with(OF_K3S), "{}", environment["CHART"]);
        let url = environment["CHART"].replacen(OF_K3S, &format!("http://{HERE}/"), 1);
        arguments.extend([environment["NAME"].to_owned(), url, "--no-hooks".to_owned()]);
        let home = self.folder.join("helm");
        for (name, text) in self.values(chart) {
            let file = home.join(format!("{chart}-{name}.yaml"));
            fs::create_dir_all(&home).expect("a folder");
            fs::write(&file, text.as_str().expect("values")).expect("values");
            arguments.extend(["--values".to_owned(), file.display().to_string()]);
        }
        let output = Command::new("ip")
            .args(["netns", "exec", &self.nodes()[0]])
            .arg(self.controllers.join("helm"))
            .args(&arguments)
            .env("HOME", &home)
            .env("HELM_DRIVER", environment["HELM_DRIVER"])
            .env("KUBECONFIG", self.folder.join("helm-controller.kubeconfig"))
            .stdin(Stdio::null())
            .output()
            .expect("Helm runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }
}

/// Answers with a chart, such as `/static/charts/cilium-1.20.0.tgz`.
fn answer(mut stream: &TcpStream, controllers: &Path, folder: &Path) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let request = lines.next().unwrap_or_default();
    let _ = lines.find(String::is_empty);
    let name = request.split(' ').nth(1).and_then(|path| path.strip_prefix("/static/charts/"));
    let chart = name.and_then(|name| packed(name.strip_suffix(".tgz")?, controllers, folder));
    let (status, body) = match chart.map(fs::read) {
        Some(Ok(body)) => ("200 OK", body),
        _ => ("404 Not Found", Vec::new()),
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

/// Packs a chart's folder as Helm does.
fn packed(name: &str, controllers: &Path, folder: &Path) -> Option<PathBuf> {
    let (chart, version) = name.rsplit_once('-')?;
    let output = Command::new(controllers.join("helm"))
        .arg("package")
        .arg(controllers.join("charts").join(chart))
        .args(["--version", version, "--destination"])
        .arg(folder)
        .env("HOME", folder)
        .output()
        .expect("Helm runs");
    output.status.success().then(|| folder.join(format!("{name}.tgz")))
}
