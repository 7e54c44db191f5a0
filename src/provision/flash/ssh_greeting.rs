//! Whether the SSH server of a node greets on port 22. Nothing logs in.

use std::net::IpAddr;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

const PORT: u16 = 22;
/// The time limit of one attempt.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_secs(1);
/// The first bytes that a server sends (RFC 4253, section 4.2).
const GREETING: &[u8] = b"SSH-";

/// Returns whether a server greets now. Nothing is sent, so the node logs no failed login.
pub(super) async fn greets(address: IpAddr) -> bool {
    timeout(ATTEMPT_LIMIT, receive(address)).await.unwrap_or(false)
}

async fn receive(address: IpAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect((address, PORT)).await else { return false };
    let mut greeting = [0; GREETING.len()];
    stream.read_exact(&mut greeting).await.is_ok() && greeting == GREETING
}

/// Waits until a server greets and returns how long that took, or `None` if it took longer than the limit.
pub(super) async fn wait(address: IpAddr, limit: Duration) -> Option<Duration> {
    let began = Instant::now();
    while began.elapsed() < limit {
        if greets(address).await {
            return Some(began.elapsed());
        }
        sleep(PAUSE).await;
    }
    None
}
