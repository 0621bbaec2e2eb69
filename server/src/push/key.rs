//! The key that push services know this server by, kept with the accounts, so that servers that share these share it.

use anyhow::Context as _;

use super::Vapid;
use crate::store::Store;

/// Its name in the store.
const NAME: &str = "push-key";

/// Reads the key, or makes it on the first start. Whoever loses it loses all subscriptions, which are bound to it.
///
/// # Errors
///
/// When the store cannot be read or written, or what it holds is no key.
pub(crate) async fn find_or_make(store: &Store, contact: Option<String>) -> anyhow::Result<Vapid> {
    let kept = store.secret(NAME, &Vapid::fresh()?).await;
    let kept = kept.context("The key for push messages cannot be kept with the accounts")?;
    Vapid::new(&kept, contact).context(
        "The key for push messages is damaged. Put back a copy of the accounts, or remove the row push-key of the table \
         secrets: then a new key is made, and browsers turn on ringing again when they next open a page",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Database;

    #[tokio::test]
    async fn the_key_stays_the_same() {
        let store = store().await;

        let first = find_or_make(&store, None).await.unwrap().public_key();

        assert_eq!(find_or_make(&store, None).await.unwrap().public_key(), first);
    }

    #[tokio::test]
    async fn a_damaged_key_says_what_to_do() {
        let store = store().await;
        store.secret(NAME, b"x").await.unwrap();

        let error = find_or_make(&store, None).await.unwrap_err().to_string();

        assert!(error.contains("remove the row"), "{error}");
    }

    async fn store() -> Store {
        let folder = tempfile::tempdir().unwrap().keep();
        Store::open(&Database::Folder(folder)).await.unwrap()
    }
}
