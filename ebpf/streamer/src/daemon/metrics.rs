//! `/metrics` over HTTP.

use super::board::Board;
use super::exposition::{self, Process};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The most connections at once. One more ends the oldest, so that idle clients cannot keep others out.
const MOST_CONNECTIONS: usize = 8;
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);

/// Answers requests until it is dropped.
pub(super) async fn serve(listener: TcpListener, board: Arc<Board>) {
    let mut connections: VecDeque<JoinHandle<()>> = VecDeque::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Most likely the process has no descriptors left, which passes.
            tokio::time::sleep(Duration::from_secs(1)).await;
            continue;
        };
        connections.retain(|connection| !connection.is_finished());
        if connections.len() >= MOST_CONNECTIONS
            && let Some(oldest) = connections.pop_front()
        {
            oldest.abort();
        }
        connections.push_back(tokio::spawn(converse(stream, Arc::clone(&board))));
    }
}

async fn converse(stream: TcpStream, board: Arc<Board>) {
    let service = service_fn(|request| std::future::ready(Ok::<_, Infallible>(answer(&request, &board))));
    // A client may close the connection at any time.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

fn answer(request: &Request<Incoming>, board: &Board) -> Response<Full<Bytes>> {
    let (status, text) = match (request.method(), request.uri().path()) {
        // hyper leaves out the body of an answer to HEAD.
        (&Method::GET | &Method::HEAD, "/metrics") => {
            (StatusCode::OK, exposition::write(&board.reports(), &Process::now()))
        }
        (_, "/metrics") => (StatusCode::METHOD_NOT_ALLOWED, "use GET or HEAD\n".to_owned()),
        _ => (StatusCode::NOT_FOUND, "use /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}
