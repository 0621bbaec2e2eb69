//! One set of raw settings out of three sources: flags win over the environment, and that over the file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What the variables of the environment begin with.
const PREFIX: &str = "HULLO_";

/// Variables that are no settings: the first names the file itself, the second is read when the server is built.
const NO_SETTINGS: [&str; 2] = ["config", "web_dir"];

/// The file that is read when none is named.
const DEFAULT_FILE: &str = "hullo.toml";

/// Text by key. Lists are written with commas.
type Texts = BTreeMap<String, String>;

/// Where what is no flag stands, by key.
#[derive(Debug, Default)]
pub(super) struct Places(BTreeMap<String, String>);

impl Places {
    /// Adds to an error, which speaks of flags, where the values stand that came otherwise.
    pub(super) fn name(&self, error: anyhow::Error) -> anyhow::Error {
        let said = format!("{error:#}");
        let named = self.0.iter().filter(|(key, _)| speaks_of(&said, key));
        let places: Vec<&str> = named.map(|(_, place)| place.as_str()).collect();
        if places.is_empty() { error } else { anyhow!("{said} ({})", places.join("; ")) }
    }
}

/// Whether the flag of `key` stands in `said`, not as the beginning of another.
fn speaks_of(said: &str, key: &str) -> bool {
    let flag = format!("--{}", key.replace('_', "-"));
    let goes_on = |rest: &str| rest.starts_with(|next: char| next == '-' || next.is_alphanumeric());
    said.match_indices(&flag).any(|(at, _)| !goes_on(&said[at + flag.len()..]))
}

/// Adds to `given`, which came by flags, what the environment and the file say, and tells where that stands.
///
/// # Errors
///
/// When a source cannot be read, or has a key that no flag has.
pub(super) fn gather<F>(file: Option<&Path>, given: &F) -> anyhow::Result<(F, Places)>
where
    F: clap::Args + Serialize + DeserializeOwned,
{
    let known = keys::<F>();
    let mut texts = from_file(file, &known)?;
    let shown = file.unwrap_or(Path::new(DEFAULT_FILE)).display();
    let mut places: BTreeMap<_, _> =
        texts.keys().map(|key| (key.clone(), format!("{key} stands in {shown}"))).collect();
    for (key, text) in from_environment(std::env::vars_os(), &known)? {
        let place = format!("{PREFIX}{} stands in the environment", key.to_uppercase());
        places.insert(key.clone(), place);
        texts.insert(key, text);
    }
    for (key, text) in from_flags(given)? {
        places.remove(&key);
        texts.insert(key, text);
    }
    let texts = texts.into_iter().map(|(key, text)| (key, text.into())).collect();
    let all = serde_json::from_value(serde_json::Value::Object(texts))
        .context("The configuration cannot be honoured")?;
    Ok((all, Places(places)))
}

/// The keys that there are: every flag is one, with `_` for `-`.
fn keys<F: clap::Args>() -> BTreeSet<String> {
    let command = F::augment_args(clap::Command::new("hullo"));
    let keys = command.get_arguments().map(|flag| flag.get_id().to_string());
    keys.filter(|key| !NO_SETTINGS.contains(&key.as_str())).collect()
}

fn from_flags(given: &impl Serialize) -> anyhow::Result<Texts> {
    let given = serde_json::to_value(given).context("A flag is no text")?;
    let members = given.as_object().into_iter().flatten();
    Ok(members.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect())
}

fn from_environment(
    variables: impl Iterator<Item = (std::ffi::OsString, std::ffi::OsString)>,
    known: &BTreeSet<String>,
) -> anyhow::Result<Texts> {
    let mut texts = Texts::new();
    for (name, value) in variables {
        let Some(key) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        let key = key.to_lowercase();
        if NO_SETTINGS.contains(&key.as_str()) {
            continue;
        }
        check(&key, known, "in the environment")?;
        let Ok(value) = value.into_string() else {
            bail!("The environment variable {PREFIX}{} is no UTF-8 text", key.to_uppercase());
        };
        texts.insert(key, value);
    }
    Ok(texts)
}

fn from_file(file: Option<&Path>, known: &BTreeSet<String>) -> anyhow::Result<Texts> {
    let path = file.unwrap_or(Path::new(DEFAULT_FILE));
    let shown = path.display();
    match file {
        None if !path.is_file() => return Ok(Texts::new()),
        Some(_) if path.is_dir() => {
            bail!("{shown} is a directory. Give --config a file, such as {DEFAULT_FILE} in there")
        }
        Some(_) if !path.exists() => {
            bail!("There is no configuration file {shown}. Check --config")
        }
        // Also what is no file and can be read, such as /dev/null, in which nothing stands.
        Some(_) | None => {}
    }
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("The configuration file {shown} cannot be read"))?;
    let table: toml::Table =
        text.parse().with_context(|| format!("The configuration file {shown} is no TOML"))?;
    let mut texts = Texts::new();
    for (key, value) in table {
        check(&key, known, &format!("in {shown}"))?;
        let text = plain(&value).with_context(|| {
            format!("{key} in {shown} is neither text, number, true or false, nor a list of these")
        })?;
        texts.insert(key, text);
    }
    Ok(texts)
}

fn check(key: &str, known: &BTreeSet<String>, place: &str) -> anyhow::Result<()> {
    if known.contains(key) {
        return Ok(());
    }
    bail!(
        "There is no setting {key}, which stands {place}. `hullo serve --help` lists those there are"
    )
}

fn plain(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(truth) => Some(truth.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Array(values) => {
            let texts: Option<Vec<_>> = values.iter().map(plain).collect();
            Some(texts?.join(","))
        }
        toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Flags;

    fn known() -> BTreeSet<String> {
        ["listen", "origins"].map(str::to_owned).into()
    }

    #[test]
    fn lists_and_numbers_of_the_file_become_text() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hullo.toml");
        std::fs::write(&file, "listen = 80\norigins = [\"https://a\", \"https://b\"]\n").unwrap();

        let texts = from_file(Some(&file), &known()).unwrap();

        assert_eq!(texts["listen"], "80");
        assert_eq!(texts["origins"], "https://a,https://b");
    }

    #[test]
    fn the_sample_has_every_setting_and_can_be_read() {
        let sample = include_str!("../../../docs/hullo.toml");
        let is_key = |key: &str| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let lines = sample.lines().filter_map(|line| line.strip_prefix("# "));
        let settings =
            lines.filter(|line| line.split_once(" = ").is_some_and(|(key, _)| is_key(key)));
        let settings = settings.collect::<Vec<_>>().join("\n");

        let table: toml::Table = settings.parse().expect("the sample is TOML when uncommented");

        let told: BTreeSet<String> = table.keys().cloned().collect();
        let known = keys::<Flags>();
        let missing: Vec<_> = known.difference(&told).collect();
        let unknown: Vec<_> = told.difference(&known).collect();
        assert!(missing.is_empty(), "docs/hullo.toml lacks {missing:?}");
        assert!(unknown.is_empty(), "docs/hullo.toml has {unknown:?}, which no flag has");
        assert!(table.values().all(|value| plain(value).is_some()));
    }

    #[test]
    fn a_key_that_no_flag_has_is_named_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hullo.toml");
        std::fs::write(&file, "lisen = \"x\"\n").unwrap();

        let error = from_file(Some(&file), &known()).unwrap_err().to_string();

        assert!(error.contains("no setting lisen") && error.contains("hullo.toml"), "{error}");
        let variables = [("HULLO_LISEN".into(), "x".into())];
        let error = from_environment(variables.into_iter(), &known()).unwrap_err().to_string();
        assert!(error.contains("no setting lisen") && error.contains("environment"), "{error}");
    }

    #[test]
    fn what_is_no_file_is_called_what_it_is_or_read() {
        let folder = tempfile::tempdir().unwrap();

        let error = from_file(Some(folder.path()), &known()).unwrap_err().to_string();

        assert!(error.contains("is a directory") && error.contains("--config"), "{error}");
        #[cfg(unix)]
        assert_eq!(from_file(Some(Path::new("/dev/null")), &known()).unwrap(), Texts::new());
    }

    #[test]
    fn an_error_tells_where_the_flags_stand_of_which_it_speaks() {
        let stands = |key: &str| (key.to_owned(), format!("{key} stands in x.toml"));
        let places = Places([stands("listen"), stands("tls_key"), stands("url")].into());

        let told = places.name(anyhow!("Give --listen an address, or --tls-key-file"));
        assert_eq!(
            told.to_string(),
            "Give --listen an address, or --tls-key-file (listen stands in x.toml)"
        );
        assert_eq!(places.name(anyhow!("Give --data")).to_string(), "Give --data");
    }

    #[test]
    fn a_secret_of_digits_stays_text() {
        let variables = [("HULLO_LISTEN".into(), "123456".into()), ("PATH".into(), "/".into())];

        let texts = from_environment(variables.into_iter(), &known()).unwrap();

        assert_eq!(texts, [("listen".to_owned(), "123456".to_owned())].into());
    }

    #[test]
    fn sections_are_refused() {
        assert_eq!(plain(&toml::Value::Table(toml::Table::new())), None);
    }
}
