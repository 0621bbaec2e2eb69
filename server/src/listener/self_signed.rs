//! A certificate that we make ourselves and keep in the data directory.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use rcgen::{CertificateParams, DnType, KeyPair};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

/// How long it is good: what Apple's systems take at most.
const LASTS: Duration = Duration::from_secs(825 * 24 * 60 * 60);

/// A certificate with less than this left is made anew when the server starts.
const REST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Where both are. They are made when there are none, or none that is good for `names` for some time.
///
/// # Errors
///
/// When a name cannot stand in a certificate, or the data directory cannot be written.
pub(super) fn find_or_make(data: &Path, names: &[String]) -> anyhow::Result<[PathBuf; 2]> {
    let [cert, key] = ["tls-cert.pem", "tls-key.pem"].map(|name| data.join(name));
    if key.is_file() && is_good(&cert, names) {
        return Ok([cert, key]);
    }
    let pair = KeyPair::generate().context("The system gives no random numbers")?;
    let mut params = CertificateParams::new(names)
        .with_context(|| format!("{names:?} cannot stand in a certificate. Check --domain"))?;
    let now = SystemTime::now();
    // Clocks of others may be a little behind.
    params.not_before = (now - Duration::from_secs(60 * 60)).into();
    params.not_after = (now + LASTS).into();
    params.distinguished_name.push(DnType::CommonName, "Hullo");
    let made = params.self_signed(&pair).context("The certificate cannot be made")?;
    let remedy = || {
        format!(
            "The certificate cannot be kept in {}. Give this user the right to write there, or choose another with \
             --data DIR",
            data.display()
        )
    };
    crate::folder::make_private(data).with_context(remedy)?;
    write_private(&key, &pair.serialize_pem()).with_context(remedy)?;
    write_private(&cert, &made.pem()).with_context(remedy)?;
    Ok([cert, key])
}

fn is_good(cert: &Path, names: &[String]) -> bool {
    let Ok(pem) = std::fs::read(cert) else { return false };
    let Ok((_, pem)) = x509_parser::pem::parse_x509_pem(&pem) else { return false };
    let Ok((_, certificate)) = X509Certificate::from_der(&pem.contents) else { return false };
    let has_time = certificate.validity().time_to_expiration().is_some_and(|left| {
        u64::try_from(left.whole_seconds()).is_ok_and(|left| left > REST.as_secs())
    });
    let Ok(Some(held)) = certificate.subject_alternative_name() else { return false };
    let held: Vec<_> = held.value.general_names.iter().filter_map(name_of).collect();
    has_time && names.iter().all(|name| held.contains(name))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "we write no other names")]
fn name_of(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match <[u8; 4]>::try_from(*bytes) {
            Ok(v4) => Some(std::net::IpAddr::from(v4).to_string()),
            Err(_) => {
                <[u8; 16]>::try_from(*bytes).ok().map(|v6| std::net::IpAddr::from(v6).to_string())
            }
        },
        _ => None,
    }
}

/// Writes a file for this user's eyes only.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_kept_until_it_lacks_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let names =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let read = |[cert, _]: [PathBuf; 2]| std::fs::read(cert).unwrap();

        let first = read(find_or_make(folder.path(), &names(&["localhost", "::1"])).unwrap());
        let again = read(find_or_make(folder.path(), &names(&["localhost"])).unwrap());
        let other = read(find_or_make(folder.path(), &names(&["calls.lan", "::1"])).unwrap());

        assert_eq!(first, again);
        assert_ne!(first, other);
    }

    #[cfg(unix)]
    #[test]
    fn its_key_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();

        let [_, key] = find_or_make(folder.path(), &["localhost".to_owned()]).unwrap();

        assert_eq!(std::fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
