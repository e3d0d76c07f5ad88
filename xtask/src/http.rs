//! As much of HTTP/1.1 as serving files to a browser needs: requests in, paths and headers out.
//! Nothing here touches a socket or a file.

use std::path::PathBuf;

/// The page's policy (design §6): nothing but its own files, no inline code, wasm allowed.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; \
     script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; \
     style-src 'self'; img-src 'self' blob: data:";

/// What is served of a request line.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// `GET` or `HEAD` of a path below the served folder.
    File {
        /// Relative, without `..`, empty for the root.
        path: PathBuf,
        /// Whether the body is asked for (`GET`).
        body: bool,
    },
    /// Any other method.
    MethodNotAllowed,
    /// Not a request line, or a path that leaves the folder.
    Malformed,
}

/// Reads a request line, such as `GET /models/manifest.json?x HTTP/1.1`.
pub fn parse(line: &str) -> Request {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [method, target, version] = words.as_slice() else { return Request::Malformed };
    if !version.starts_with("HTTP/1.") {
        return Request::Malformed;
    }
    let body = match *method {
        "GET" => true,
        "HEAD" => false,
        _ => return Request::MethodNotAllowed,
    };
    relative_path(target).map_or(Request::Malformed, |path| Request::File { path, body })
}

/// The path that a request target names below the served folder; `None` if it is malformed or
/// would leave it.
fn relative_path(target: &str) -> Option<PathBuf> {
    let target = target.split(['?', '#']).next()?;
    let decoded = percent_decoded(target.strip_prefix('/')?)?;
    let mut path = PathBuf::new();
    for part in decoded.split('/') {
        match part {
            "" | "." => {}
            ".." => return None,
            // Separators, drives and NUL of any system, and hidden files.
            _ if part.starts_with('.') || part.contains(['\\', ':', '\0']) => return None,
            _ => path.push(part),
        }
    }
    Some(path)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let (high, low) = (digit()?, digit()?);
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// The media type of a file by its extension. Browsers compile wasm while it streams only when
/// it is called `application/wasm`, and run modules only when they are called JavaScript.
pub fn media_type(extension: &str) -> &'static str {
    match extension {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "wasm" => "application/wasm",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "svg" => "image/svg+xml",
        "ico" => "image/x-icon",
        "txt" | "md" => "text/plain; charset=utf-8",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

/// The head of a response, with the headers that every response carries. Those on cross-origin isolation let the page compute in several
/// threads.
pub fn head(status: &str, media_type: &str, length: u64) -> String {
    format!(
        "HTTP/1.1 {status}\r\n\
         Content-Type: {media_type}\r\n\
         Content-Length: {length}\r\n\
         Content-Security-Policy: {CONTENT_SECURITY_POLICY}\r\n\
         Cross-Origin-Opener-Policy: same-origin\r\n\
         Cross-Origin-Embedder-Policy: require-corp\r\n\
         X-Content-Type-Options: nosniff\r\n\
         Referrer-Policy: no-referrer\r\n\
         Cache-Control: no-cache\r\n\
         Allow: GET, HEAD\r\n\
         Connection: close\r\n\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> Request {
        Request::File { path: PathBuf::from(path), body: true }
    }

    #[test]
    fn plain_paths_are_served_without_query_and_with_escapes_decoded() {
        assert_eq!(parse("GET / HTTP/1.1"), file(""));
        assert_eq!(parse("GET /assets/a%20b.js?v=1 HTTP/1.1"), file("assets/a b.js"));
        assert_eq!(parse("GET //models/./x HTTP/1.1"), file("models/x"));
        let head = Request::File { path: PathBuf::from("x"), body: false };
        assert_eq!(parse("HEAD /x HTTP/1.0"), head);
    }

    #[test]
    fn paths_that_leave_the_folder_are_refused() {
        for target in [
            "/../Cargo.toml",
            "/a/../../Cargo.toml",
            "/%2e%2e/Cargo.toml",
            "/..%2fCargo.toml",
            "/a%00",
            "/c:%5cwindows",
            "/..\\Cargo.toml",
            "/.stamp",
            "/%zz",
            "/%2",
            "/%ff",
            "Cargo.toml",
            "http://elsewhere.example/",
        ] {
            assert_eq!(parse(&format!("GET {target} HTTP/1.1")), Request::Malformed, "{target}");
        }
    }

    #[test]
    fn only_get_and_head_are_allowed() {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "get"] {
            assert_eq!(parse(&format!("{method} / HTTP/1.1")), Request::MethodNotAllowed);
        }
        for line in ["", "GET /", "GET / SPDY/3", "GET / HTTP/1.1 x"] {
            assert_eq!(parse(line), Request::Malformed, "{line}");
        }
    }

    #[test]
    fn wasm_and_modules_get_the_types_that_browsers_insist_on() {
        assert_eq!(media_type("wasm"), "application/wasm");
        assert_eq!(media_type("js"), "text/javascript; charset=utf-8");
        assert_eq!(media_type("safetensors"), "application/octet-stream");
    }
}
