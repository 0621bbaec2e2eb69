//! Ways to get a token without pasting one: a link by mail, or an account elsewhere.
//!
//! ```text
//!   POST /session/mail ──▶ Post ──SMTP──▶ mail with a link ──opened──▶ POST /session {"code"} ──▶ token, cookie
//!   GET /session/openid ──▶ provider ──▶ GET /session/openid/back ──▶ OpenId checks who came ──▶ token, cookie
//! ```
//!
//! **Invariant:** an answer never tells a stranger who is a user here.
//!
//! **Invariant:** nobody becomes a user that the operator's rule for new users ([`SignUp`]) does not let in.

mod mail;
mod openid;
mod settings;

use std::sync::Arc;

use wire::UserId;

use crate::store::Store;
use crate::telemetry::Metrics;
pub(crate) use mail::{LASTS, OPEN_MAX, Post};
pub(crate) use openid::{BACK, Errand, OpenId, Problem};
pub use settings::LoginFlags;
pub(crate) use settings::{LoginSettings, SignUp};

/// What this server offers. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Ways {
    /// Where people reach this server; without a slash at its end.
    pub(crate) url: Arc<str>,
    pub(crate) mail: Option<Arc<Post>>,
    pub(crate) openid: Option<Arc<OpenId>>,
    sign_up: Arc<SignUp>,
}

impl Ways {
    /// Those that the operator asked for.
    ///
    /// # Errors
    ///
    /// When the certificates to trust cannot be read.
    pub(crate) fn new(
        settings: LoginSettings,
        url: String,
        metrics: &Metrics,
    ) -> anyhow::Result<Self> {
        let openid = settings.openid.map(|wishes| OpenId::new(wishes, &url, metrics.clone()));
        Ok(Self {
            mail: settings.mail.map(|wishes| Arc::new(Post::new(wishes, &url))),
            openid: openid.transpose()?.map(Arc::new),
            url: url.into(),
            sign_up: Arc::new(settings.sign_up),
        })
    }

    /// Whether `user` may come in by such a way, and is to be made a user first.
    pub(crate) async fn admit(&self, store: &Store, user: &UserId) -> sqlx::Result<Option<bool>> {
        if store.has_user(user).await? {
            return Ok(Some(false));
        }
        Ok(self.sign_up.lets_in(user).then_some(true))
    }
}
