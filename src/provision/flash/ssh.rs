//! Whether a node's ssh answers.

use std::net::IpAddr;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

const PORT: u16 = 22;
const PATIENCE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_secs(1);
/// What a server says first (RFC 4253, section 4.2).
const GREETING: &[u8] = b"SSH-";

/// Whether it answers now. Says nothing itself, so that the node logs no attempt to log in.
pub async fn answers(address: IpAddr) -> bool {
    timeout(PATIENCE, greets(address)).await.unwrap_or(false)
}

async fn greets(address: IpAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect((address, PORT)).await else { return false };
    let mut greeting = [0; GREETING.len()];
    stream.read_exact(&mut greeting).await.is_ok() && greeting == GREETING
}

/// Waits until it answers, and says how long that took; nothing if it does not within the limit.
pub async fn wait(address: IpAddr, limit: Duration) -> Option<Duration> {
    let began = Instant::now();
    while began.elapsed() < limit {
        if answers(address).await {
            return Some(began.elapsed());
        }
        sleep(PAUSE).await;
    }
    None
}
