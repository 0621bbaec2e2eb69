//! A certificate and its key from PEM files, with errors that say what is wrong with them.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use rustls::InconsistentKeys;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::{ASN1Time, FromDer as _, X509Certificate};

/// A chain and its key, ready to use.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    pub(super) key: Arc<CertifiedKey>,
    /// When it ends, in seconds since the Unix epoch.
    pub(crate) until: i64,
    /// The SHA-256 of the first one, as browsers show it.
    pub(crate) fingerprint: String,
}

impl Certificate {
    /// Reads both files.
    ///
    /// # Errors
    ///
    /// When one cannot be read, is no PEM, does not belong to the other, or is not valid now.
    pub(crate) fn read(cert: &Path, key: &Path, provider: &CryptoProvider) -> anyhow::Result<Self> {
        let (cert_name, key_name) = (cert.display(), key.display());
        let pem = std::fs::read(cert).with_context(|| {
            format!("The certificate {cert_name} cannot be read. Check --tls-cert and who may read the file")
        })?;
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem)
            .collect::<Result<_, _>>()
            .with_context(|| format!("The certificate {cert_name} is damaged"))?;
        let Some(first) = chain.first().cloned() else {
            bail!("{cert_name} holds no certificate in PEM form. Check --tls-cert");
        };
        let pem = std::fs::read(key).with_context(|| {
            format!("The key {key_name} cannot be read. Check --tls-key and who may read the file")
        })?;
        let Ok(secret) = PrivateKeyDer::from_pem_slice(&pem) else {
            bail!(
                "{key_name} holds no key in PEM form, or one with a password, which nobody could type in. Check --tls-key"
            );
        };
        let until = check_dates(&first, &cert_name.to_string())?;
        let key = match CertifiedKey::from_der(chain, secret, provider) {
            Ok(key) => key,
            Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => bail!(
                "The key {key_name} belongs to another certificate than {cert_name}. Give --tls-cert and --tls-key that \
                 were issued together"
            ),
            Err(error) => bail!("The certificate {cert_name} and its key cannot be used: {error}"),
        };
        Ok(Self { key: Arc::new(key), until, fingerprint: fingerprint(&first) })
    }
}

/// When the certificate ends, which is later than now.
fn check_dates(der: &CertificateDer<'_>, name: &str) -> anyhow::Result<i64> {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else {
        bail!("{name} holds what is no X.509 certificate. Check --tls-cert");
    };
    let validity = certificate.validity();
    let now = ASN1Time::now();
    if now > validity.not_after {
        bail!(
            "The certificate {name} has expired on {}. Renew it, or check this machine's clock",
            validity.not_after
        );
    }
    if now < validity.not_before {
        bail!(
            "The certificate {name} is good from {} on only. Check this machine's clock",
            validity.not_before
        );
    }
    Ok(validity.not_after.timestamp())
}

fn fingerprint(der: &CertificateDer<'_>) -> String {
    let bytes: Vec<_> = Sha256::digest(der).iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}
