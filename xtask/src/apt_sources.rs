//! Which Debian mirror this machine uses, read from apt's own configuration.
//!
//! Both of apt's formats are read: `Types:/URIs:/Suites:` paragraphs (`*.sources`) and one-line
//! entries (`*.list`). Nothing is written.

use std::path::Path;

/// What is used where no configured mirror of Debian is found, as on Debian's derivatives.
const PUBLIC_MIRROR: &str = "http://deb.debian.org/debian";
/// Debian's keys, from the package `debian-archive-keyring`.
const DEBIAN_KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A mirror of Debian's main archive and the keys that sign it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// As apt understands it, such as `http://deb.debian.org/debian`.
    pub uri: String,
    /// A key ring's path; without one apt takes the keys it trusts anyway.
    pub signed_by: Option<String>,
}

impl Mirror {
    /// The content of a `.sources` file for one suite of this mirror. Signatures are always
    /// checked: what comes from it becomes part of a compiler.
    pub fn sources(&self, suite: &str) -> String {
        let mut text =
            format!("Types: deb\nURIs: {}\nSuites: {suite}\nComponents: main\n", self.uri);
        if let Some(keys) = &self.signed_by {
            text.push_str(&format!("Signed-By: {keys}\n"));
        }
        text
    }
}

/// The mirror in `folder` (normally `/etc/apt`), else Debian's public one.
pub fn read_mirror(folder: &Path) -> Mirror {
    let mut files = vec![folder.join("sources.list")];
    if let Ok(entries) = std::fs::read_dir(folder.join("sources.list.d")) {
        files.extend(entries.flatten().map(|entry| entry.path()));
    }
    files.sort();
    let configured = files.iter().find_map(|file| {
        let text = std::fs::read_to_string(file).ok()?;
        match file.extension()?.to_str()? {
            "list" => from_lines(&text),
            "sources" => from_paragraphs(&text),
            _ => None,
        }
    });
    let mut mirror =
        configured.unwrap_or(Mirror { uri: PUBLIC_MIRROR.to_owned(), signed_by: None });
    if mirror.signed_by.is_none() && Path::new(DEBIAN_KEYS).is_file() {
        mirror.signed_by = Some(DEBIAN_KEYS.to_owned());
    }
    mirror
}

/// The first main-archive entry among one-line entries
/// (`deb [signed-by=/path] http://mirror/debian bookworm main`).
fn from_lines(text: &str) -> Option<Mirror> {
    text.lines().find_map(|line| {
        let line = line.split('#').next()?.trim();
        let entry = line.strip_prefix("deb ")?.trim_start();
        let (options, entry) = match entry.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => ("", entry),
        };
        let mut words = entry.split_whitespace();
        let (uri, suite) = (words.next()?, words.next()?);
        let signed_by = options
            .split_whitespace()
            .find_map(|option| option.strip_prefix("signed-by="))
            .map(str::to_owned);
        is_main_archive(uri, suite).then(|| Mirror { uri: trimmed(uri), signed_by })
    })
}

/// The first main-archive entry among paragraphs.
fn from_paragraphs(text: &str) -> Option<Mirror> {
    text.split("\n\n").find_map(|paragraph| {
        let field = |name: &str| {
            paragraph.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
            })
        };
        if field("Enabled").is_some_and(|value| value.eq_ignore_ascii_case("no")) {
            return None;
        }
        let is_binary = field("Types")?.split_whitespace().any(|kind| kind == "deb");
        let suite = field("Suites")?.split_whitespace().next()?;
        let uri = field("URIs")?.split_whitespace().next()?;
        // A path; a key written into the paragraph itself starts on the next line.
        let signed_by = field("Signed-By").filter(|value| value.starts_with('/'));
        (is_binary && is_main_archive(uri, suite))
            .then(|| Mirror { uri: trimmed(uri), signed_by: signed_by.map(str::to_owned) })
    })
}

/// Debian's main archive lies in a folder `debian` (the security one in `debian-security`), and
/// its suites are named without a slash.
fn is_main_archive(uri: &str, suite: &str) -> bool {
    let last = uri.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    // Cloud images name a list of mirrors: mirror+file:/etc/apt/mirrors/debian.list.
    matches!(last, "debian" | "debian.list") && !suite.contains('/') && !suite.contains("security")
}

fn trimmed(uri: &str) -> String {
    uri.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_of_a_paragraph_is_found_behind_a_security_one() {
        let text = "Types: deb\nURIs: http://mirror.example/debian-security\n\
                    Suites: bookworm-security\nComponents: main\n\nTypes: deb deb-src\n\
                    # a comment: with a colon\nURIs: http://mirror.example/debian/\n\
                    Suites: bookworm bookworm-updates\nComponents: main\n\
                    Signed-By: /usr/share/keyrings/example.gpg\n";
        let mirror = from_paragraphs(text).unwrap();
        assert_eq!(mirror.uri, "http://mirror.example/debian");
        assert_eq!(mirror.signed_by.as_deref(), Some("/usr/share/keyrings/example.gpg"));
    }

    #[test]
    fn disabled_and_source_only_paragraphs_are_passed_over() {
        let paragraph = "URIs: http://mirror.example/debian\nSuites: bookworm\n";
        assert!(from_paragraphs(&format!("Types: deb-src\n{paragraph}")).is_none());
        assert!(from_paragraphs(&format!("Types: deb\nEnabled: no\n{paragraph}")).is_none());
        assert!(from_paragraphs(&format!("Types: deb\n{paragraph}")).is_some());
    }

    #[test]
    fn the_mirror_of_a_one_line_entry_is_found() {
        let text = "# deb http://old.example/debian bookworm main\n\
                    deb-src http://src.example/debian bookworm main\n\
                    deb http://security.example/debian-security bookworm-security main\n\
                    deb [arch=amd64 signed-by=/k.gpg] https://mirror.example/debian bookworm main\n";
        let mirror = from_lines(text).unwrap();
        assert_eq!(mirror.uri, "https://mirror.example/debian");
        assert_eq!(mirror.signed_by.as_deref(), Some("/k.gpg"));
        assert_eq!(from_lines("deb https://packages.example/apt cloud main\n"), None);
    }

    #[test]
    fn without_configuration_the_public_mirror_is_used() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read_mirror(folder.path()).uri, PUBLIC_MIRROR);
    }

    #[test]
    fn a_written_sources_file_is_read_back_as_the_same_mirror() {
        let mirror = Mirror {
            uri: "http://mirror.example/debian".to_owned(),
            signed_by: Some("/k.gpg".to_owned()),
        };
        assert_eq!(from_paragraphs(&mirror.sources("trixie-backports")), Some(mirror));
    }
}
