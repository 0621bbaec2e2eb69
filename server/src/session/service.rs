//! A session service: `GET URL` with the token as bearer; 200 names the user, 401 or 403 refuses.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Map, Value, json};
use wire::Timestamp;

use super::client::{Answer, Client, skew, unusable};
use super::settings::ServiceSettings;
use super::verdicts::is_over;
use super::{Identity, Origin, Reason, Refusal, session_of, user_of};
use crate::secret::Secret;

/// Tokens in one batch. Guess: about 64 KiB of ordinary tokens.
const BATCH_MAX: usize = 200;

/// A judge with a small wire of its own, described in `docs/protocol.md`.
pub(super) struct Service {
    wishes: ServiceSettings,
    client: Client,
}

impl Service {
    pub(super) fn new(wishes: ServiceSettings, client: Client) -> Self {
        Self { wishes, client }
    }

    /// Whose `token` is.
    pub(super) async fn judge(&self, token: &Secret) -> Result<Identity, Refusal> {
        let question = self.client.get(&self.wishes.url).bearer_auth(token.reveal());
        let Answer { status, members, .. } = self.client.ask_or_log(question).await?;
        match (status, members) {
            (StatusCode::OK, Some(members)) => self.identity(&members),
            (StatusCode::OK, None) => Err(unusable("200 without a JSON object")),
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => {
                Err(Refusal::Refused(Reason::Unknown))
            }
            (status, _) => Err(unusable(&format!("status {}", status.as_u16()))),
        }
    }

    /// Whether many tokens may be asked about at once.
    pub(super) fn takes_batches(&self) -> bool {
        self.wishes.batch.is_some()
    }

    /// Whose each of `tokens` is, in their order.
    pub(super) async fn judge_all(&self, tokens: &[Secret]) -> Vec<Result<Identity, Refusal>> {
        let mut verdicts = Vec::with_capacity(tokens.len());
        for some in tokens.chunks(BATCH_MAX) {
            match self.judge_batch(some).await {
                Ok(batch) => verdicts.extend(batch),
                Err(refusal) => verdicts.extend(some.iter().map(|_| Err(refusal))),
            }
        }
        verdicts
    }

    async fn judge_batch(
        &self,
        tokens: &[Secret],
    ) -> Result<Vec<Result<Identity, Refusal>>, Refusal> {
        let Some(url) = &self.wishes.batch else { return Err(Refusal::Unavailable) };
        let texts: Vec<_> = tokens.iter().map(Secret::reveal).collect();
        let question = self.client.post(url).json(&json!({ "tokens": texts }));
        let Answer { status, members, .. } = self.client.ask_or_log(question).await?;
        let members = members.filter(|_| status == StatusCode::OK);
        let Some(Value::Array(sessions)) = members.as_ref().and_then(|all| all.get("sessions"))
        else {
            return Err(unusable(&format!("a batch: status {} without sessions", status.as_u16())));
        };
        if sessions.len() != tokens.len() {
            return Err(unusable("a batch of another length than was asked about"));
        }
        let verdict = |session: &Value| match session {
            Value::Null => Err(Refusal::Refused(Reason::Unknown)),
            Value::Object(members) => self.identity(members),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err(unusable("a session in a batch that is neither an object nor null"))
            }
        };
        Ok(sessions.iter().map(verdict).collect())
    }

    fn identity(&self, members: &Map<String, Value>) -> Result<Identity, Refusal> {
        let user = user_of(members, &self.wishes.user_claim)
            .map_err(|_| unusable(&format!("no usable user in {:?}", self.wishes.user_claim)))?;
        let until = match members.get("expires") {
            None | Some(Value::Null) => None,
            Some(value) => {
                let millis = value.as_u64().ok_or_else(|| unusable("an end that is no time"))?;
                Some(Timestamp(millis))
            }
        };
        if until.is_some_and(is_over) {
            return Err(Refusal::Refused(Reason::Expired));
        }
        let session = session_of(members, "session");
        Ok(Identity { user, origin: Origin::Session { session }, until })
    }

    /// Whether it refuses a token that nobody has; how far its clock is from ours.
    pub(super) async fn probe(&self) -> Result<Option<Duration>, String> {
        let question = self.client.get(&self.wishes.url).bearer_auth("hullo-check-no-session");
        let Answer { status, date, .. } = self.client.ask(question).await?;
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Ok(skew(date)),
            status => Err(format!(
                "it answers a token that nobody has with status {}, where 401 is due",
                status.as_u16()
            )),
        }
    }
}
