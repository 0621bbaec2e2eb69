//! The web app inside the binary: a table of files, made by `build.rs`.

/// One file of the web app.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// Its path, without a slash at the start.
    pub path: &'static str,
    /// Its bytes.
    pub raw: &'static [u8],
    /// Its bytes, compressed by brotli.
    pub brotli: Option<&'static [u8]>,
    /// The start of the SHA-256 of its bytes, in hexadecimal digits.
    pub tag: &'static str,
}

/// What this build has inside, sorted by path; empty when it was built without the web app.
pub static EMBEDDED: &[File] = include!(concat!(env!("OUT_DIR"), "/web_files.rs"));
