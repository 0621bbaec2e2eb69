//! OAuth 2.0 token introspection (RFC 7662): the authorization server says whether a token is active, and whose.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Map, Value};

use super::client::{Answer, Client, skew, unusable};
use super::settings::IntrospectionSettings;
use super::verdicts::is_over;
use super::{Identity, Origin, Reason, Refusal, date_of, names_one_of, session_of, user_of};
use crate::secret::Secret;

/// A judge that speaks OAuth.
pub(super) struct Introspection {
    wishes: IntrospectionSettings,
    client: Client,
}

impl Introspection {
    pub(super) fn new(wishes: IntrospectionSettings, client: Client) -> Self {
        Self { wishes, client }
    }

    /// Whose `token` is.
    pub(super) async fn judge(&self, token: &Secret) -> Result<Identity, Refusal> {
        let Answer { status, members, .. } =
            self.client.ask_or_log(self.question(token.reveal())).await?;
        match (status, members) {
            (StatusCode::OK, Some(members)) => self.identity(&members),
            (StatusCode::OK, None) => Err(unusable("200 without a JSON object")),
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => Err(unusable(
                "it does not know this server. Check --session-client-id and its secret",
            )),
            (status, _) => Err(unusable(&format!("status {}", status.as_u16()))),
        }
    }

    fn question(&self, token: &str) -> reqwest::RequestBuilder {
        // RFC 6749 §2.3.1: both are form-encoded before they become a Basic header.
        let encode =
            |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let IntrospectionSettings { url, client_id, client_secret, .. } = &self.wishes;
        self.client
            .post(url)
            .basic_auth(encode(client_id), Some(encode(client_secret.reveal())))
            .form(&[("token", token), ("token_type_hint", "access_token")])
    }

    fn identity(&self, members: &Map<String, Value>) -> Result<Identity, Refusal> {
        match members.get("active") {
            Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => return Err(Refusal::Refused(Reason::Unknown)),
            Some(_) | None => return Err(unusable("an introspection without \"active\"")),
        }
        self.active(members).map_err(Refusal::Refused)
    }

    fn active(&self, members: &Map<String, Value>) -> Result<Identity, Reason> {
        let until = date_of(members, "exp")?;
        if until.is_some_and(is_over) {
            return Err(Reason::Expired);
        }
        if date_of(members, "nbf")?.is_some_and(|from| !is_over(from)) {
            return Err(Reason::Early);
        }
        let IntrospectionSettings { issuer, audience, user_claim, .. } = &self.wishes;
        if issuer
            .as_ref()
            .is_some_and(|issuer| !names_one_of(members, "iss", std::slice::from_ref(issuer)))
        {
            return Err(Reason::Issuer);
        }
        if !audience.is_empty() && !names_one_of(members, "aud", audience) {
            return Err(Reason::Audience);
        }
        let user = user_of(members, user_claim)?;
        let session = session_of(members, "sid");
        Ok(Identity { user, origin: Origin::Session { session }, until })
    }

    /// Whether it knows this server, and finds a token inactive that nobody has; how far its clock is from ours.
    pub(super) async fn probe(&self) -> Result<Option<Duration>, String> {
        let Answer { status, date, members } =
            self.client.ask(self.question("hullo-check-no-session")).await?;
        match (status, members.as_ref().and_then(|members| members.get("active"))) {
            (StatusCode::OK, Some(Value::Bool(false))) => Ok(skew(date)),
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => {
                Err("it does not know this server. Check --session-client-id and its secret"
                    .to_owned())
            }
            (status, _) => Err(format!(
                "it answers a token that nobody has with status {} and not with {{\"active\":false}}",
                status.as_u16()
            )),
        }
    }
}
