//! The real local model of `tests/local_model.sh`, for tests that are run by name.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The model's name at its server.
pub const MODEL: &str = "smollm2-135m";

/// The server while a test runs.
pub struct LocalModel {
    server: Option<Child>,
    /// Its address, with `/v1`.
    pub base_url: String,
}

impl LocalModel {
    /// Sets the model up where that was not done yet (it may compile for a quarter of an hour) and starts it.
    /// With `TUESDAY_LOCAL_MODEL=http://…/v1` the server there is taken instead.
    pub fn start() -> Self {
        if let Ok(base_url) = std::env::var("TUESDAY_LOCAL_MODEL") {
            return Self { server: None, base_url };
        }
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let server = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/local_model.sh"))
            .arg(port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("the script starts");
        let mut model = Self { server: Some(server), base_url: format!("http://127.0.0.1:{port}/v1") };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = model.server.as_mut().and_then(|server| server.try_wait().ok().flatten());
            assert!(ended.is_none(), "tests/local_model.sh ended: {ended:?}");
            assert!(began.elapsed() < Duration::from_secs(45 * 60), "the model does not start");
            std::thread::sleep(Duration::from_millis(250));
        }
        model
    }
}

impl Drop for LocalModel {
    fn drop(&mut self) {
        // The script has become the server, so this ends it.
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}
