//! A file server for this machine alone: GET and HEAD below one folder, on the loopback address.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::http::{self, Request};

/// A browser's request line and headers are far smaller.
const MAX_REQUEST_BYTES: u64 = 64 * 1024;
/// A silent client is hung up on.
const PATIENCE: Duration = Duration::from_secs(30);

/// A listening server.
pub struct Server {
    listener: TcpListener,
    folder: PathBuf,
}

impl Server {
    /// Listens on localhost: on `port` if given (0 takes any), else on `preferred` or, if that is
    /// taken, any free one.
    pub fn new(folder: &Path, port: Option<u16>, preferred: u16) -> Result<Self> {
        let folder = folder.canonicalize().with_context(|| folder.display().to_string())?;
        let bind = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        let listener = match port {
            Some(port) => bind(port).with_context(|| {
                format!("port {port}\n  what to do: choose another one with --port")
            })?,
            None => match bind(preferred) {
                Err(error) if error.kind() == ErrorKind::AddrInUse => bind(0)?,
                other => other?,
            },
        };
        Ok(Self { listener, folder })
    }

    /// Where the server answers.
    pub fn address(&self) -> Result<SocketAddr> {
        self.listener.local_addr().context("address of the server")
    }

    /// Answers for as long as the process lives, each connection on a thread of its own.
    pub fn run(self) {
        for stream in self.listener.incoming() {
            let Ok(stream) = stream else { continue };
            let folder = self.folder.clone();
            // A client that goes away in the middle is its own business.
            std::thread::spawn(move || answer(&stream, &folder));
        }
    }
}

fn answer(mut stream: &TcpStream, folder: &Path) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut request = BufReader::new(stream.take(MAX_REQUEST_BYTES));
    let mut first = String::new();
    request.read_line(&mut first)?;
    // The headers are read to their end, since closing with unread input resets the connection.
    let mut header = String::new();
    while request.read_line(&mut header)? > 2 {
        header.clear();
    }
    let (path, body) = match http::parse(&first) {
        Request::File { path, body } => (path, body),
        Request::MethodNotAllowed => return refuse(stream, "405 Method Not Allowed"),
        Request::Malformed => return refuse(stream, "400 Bad Request"),
    };
    let Some((mut file, path)) = open(folder, &path) else {
        return refuse(stream, "404 Not Found");
    };
    let length = file.metadata()?.len();
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    stream.write_all(http::head("200 OK", http::media_type(extension), length).as_bytes())?;
    if body {
        std::io::copy(&mut file, &mut stream)?;
    }
    stream.flush()
}

fn refuse(mut stream: &TcpStream, status: &str) -> std::io::Result<()> {
    let text = format!("{status}\n");
    let head = http::head(status, http::media_type("txt"), text.len() as u64);
    stream.write_all(head.as_bytes())?;
    stream.write_all(text.as_bytes())
}

/// The file at `path` below `folder`, or the `index.html` of a folder. Links that lead out of
/// `folder` are not followed.
fn open(folder: &Path, path: &Path) -> Option<(File, PathBuf)> {
    let mut path = folder.join(path).canonicalize().ok()?;
    if path.is_dir() {
        path = path.join("index.html").canonicalize().ok()?;
    }
    if !path.starts_with(folder) || !path.is_file() {
        return None;
    }
    Some((File::open(&path).ok()?, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Serves a folder with `index.html` and `a.wasm`; a secret lies beside it, a link to it in it.
    fn started() -> (tempfile::TempDir, SocketAddr) {
        let folder = tempfile::tempdir().unwrap();
        let served = folder.path().join("served");
        std::fs::create_dir(&served).unwrap();
        std::fs::write(served.join("index.html"), "<p>page</p>").unwrap();
        std::fs::write(served.join("a.wasm"), b"\0asm").unwrap();
        std::fs::write(folder.path().join("secret.txt"), "secret").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path().join("secret.txt"), served.join("link.txt"))
            .unwrap();
        let server = Server::new(&served, Some(0), 0).unwrap();
        let address = server.address().unwrap();
        std::thread::spawn(move || server.run());
        (folder, address)
    }

    fn ask(address: SocketAddr, line: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "{line} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn files_come_with_type_length_and_policy() {
        let (_folder, address) = started();
        let page = ask(address, "GET /");
        assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
        assert!(page.contains("Content-Type: text/html; charset=utf-8\r\n"));
        assert!(page.contains("Content-Security-Policy: default-src 'none'; script-src 'self'"));
        assert!(page.contains("Cross-Origin-Embedder-Policy: require-corp\r\n"));
        assert!(page.ends_with("\r\n\r\n<p>page</p>"));
        let wasm = ask(address, "HEAD /a.wasm");
        assert!(wasm.contains("Content-Type: application/wasm\r\nContent-Length: 4\r\n"));
        assert!(wasm.ends_with("\r\n\r\n"));
    }

    #[test]
    fn nothing_outside_the_folder_is_served() {
        let (_folder, address) = started();
        for target in ["/../secret.txt", "/%2e%2e/secret.txt", "/link.txt", "/missing"] {
            let answer = ask(address, &format!("GET {target}"));
            assert!(!answer.starts_with("HTTP/1.1 200"), "{target}: {answer}");
            assert!(!answer.contains("secret"), "{target}");
        }
        assert!(ask(address, "POST /").starts_with("HTTP/1.1 405 "));
    }
}
