//! The socket and its connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::routes::{Shared, router};
use super::{Intake, Settings};
use crate::domain::{Error, Result};
use crate::task::Cancel;

/// A socket that is listened on.
pub struct Listener {
    socket: std::net::TcpListener,
    /// The address, with the port that it got.
    pub address: SocketAddr,
}

impl Listener {
    /// Listens on an address such as `127.0.0.1:4318`; port 0 takes a free one. Beyond this machine only where
    /// senders have to show a token.
    pub fn bind(address: &str, token: bool) -> Result<Self> {
        use std::net::ToSocketAddrs;
        let places: Vec<SocketAddr> = match address.to_socket_addrs() {
            Ok(places) => places.collect(),
            Err(e) => {
                return Err(Error::usage(format!("{address} is no address to listen on."))
                    .because(e)
                    .hint("Give a host and a port, such as --listen 127.0.0.1:4318."));
            }
        };
        if !token && let Some(open) = places.iter().find(|place| !place.ip().is_loopback()) {
            return Err(Error::usage(format!(
                "{open} can be reached from other machines, so senders must show a token."
            ))
            .hint("Put the token into an environment variable and name it: --token-env TUESDAY_TOKEN.")
            .hint("Or listen for this machine alone: --listen 127.0.0.1:4318."));
        }
        let failed = |e: std::io::Error| {
            let error = Error::failed(format!("Cannot listen on {address}."));
            let error = match e.kind() {
                std::io::ErrorKind::AddrInUse => error.hint(
                    "Another program listens there: end it, or choose another port, such as --listen 127.0.0.1:4319.",
                ),
                _ => error,
            };
            error.because(e)
        };
        let socket = std::net::TcpListener::bind(places.as_slice()).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self { socket, address })
    }
}

/// Serves until cancelled; what is under way then is finished. Blocks.
pub fn serve(listener: Listener, intake: Arc<dyn Intake>, settings: Settings, cancel: &Cancel) -> Result<()> {
    let limits = settings.limits.clone();
    raise_open_files(limits.connections);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(limits.at_work + 8)
        .enable_all()
        .build()
        .map_err(|e| Error::failed("The receiver cannot be started.").because(e))?;
    let ended = runtime.block_on(async {
        let socket = TcpListener::from_std(listener.socket)
            .map_err(|e| Error::failed("The receiver cannot be started.").because(e))?;
        let service = TowerToHyperService::new(router(Arc::new(Shared::new(intake, settings))));
        let room = Arc::new(Semaphore::new(limits.connections));
        let graceful = GracefulShutdown::new();
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(64 * 1024);
        loop {
            let stream = tokio::select! {
                accepted = socket.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(_) => {
                        // Out of file descriptors, or the sender left: neither ends the receiver.
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                },
                () = asked(cancel) => break,
            };
            let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
                tokio::spawn(turn_away(stream));
                continue;
            };
            stream.set_nodelay(true).ok();
            let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service.clone()));
            tokio::spawn(async move {
                // A sender that breaks off is its own matter.
                connection.await.ok();
                drop(place);
            });
        }
        drop(socket);
        tokio::time::timeout(limits.ending, graceful.shutdown()).await.ok();
        Ok(())
    });
    runtime.shutdown_timeout(limits.ending);
    ended
}

async fn asked(cancel: &Cancel) {
    while !cancel.is_cancelled() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Says that there is no room for another connection.
async fn turn_away(mut stream: TcpStream) {
    const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\n\
        content-type: application/json\r\ncontent-length: 53\r\n\r\n\
        {\"code\":14,\"message\":\"Too many connections at once.\"}";
    let told = async {
        stream.write_all(FULL).await?;
        stream.shutdown().await
    };
    tokio::time::timeout(Duration::from_secs(1), told).await.ok();
}

/// Lets this process open as many files as connections ask for, as far as the system allows.
#[cfg(unix)]
fn raise_open_files(connections: usize) {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let wanted = connections as u64 + 256;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(limit.maximum.map_or(wanted, |most| most.min(wanted)));
        setrlimit(Resource::Nofile, limit).ok();
    }
}

#[cfg(not(unix))]
fn raise_open_files(_: usize) {}
