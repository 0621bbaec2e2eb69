//! A certificate that nobody but a test's browser trusts.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rcgen::{KeyPair, PublicKeyData, generate_simple_self_signed};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// The certificate, in files, with its key.
pub struct Certificate {
    folder: TempDir,
    /// The SHA-256 of its public key in DER form, in base64: how Chromium is told to trust it.
    pub public_key: String,
}

impl Certificate {
    /// Makes one for this machine.
    ///
    /// # Panics
    /// When the system has no random numbers, or no room for a file.
    #[must_use]
    pub fn make() -> Self {
        let made = generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()]);
        let made = made.expect("a certificate can be made");
        let key: &KeyPair = &made.signing_key;
        let folder = TempDir::new().expect("there is room for two files");
        fs::write(folder.path().join("cert.pem"), made.cert.pem()).expect("a file can be written");
        fs::write(folder.path().join("key.pem"), key.serialize_pem())
            .expect("a file can be written");
        let public_key = BASE64.encode(Sha256::digest(key.subject_public_key_info()));
        Self { folder, public_key }
    }

    /// Where certificate and key lie.
    #[must_use]
    pub fn files(&self) -> [String; 2] {
        ["cert.pem", "key.pem"].map(|name| self.folder.path().join(name).display().to_string())
    }

    /// The flags of `hullo serve` that name the files.
    #[must_use]
    pub fn flags(&self) -> [String; 2] {
        let [cert, key] = self.files();
        [format!("--tls-cert={cert}"), format!("--tls-key={key}")]
    }
}
