//! What an issuer says of itself: OpenID Connect Discovery 1.0.

use reqwest::{StatusCode, Url};
use serde_json::{Map, Value};

use super::client::{Answer, Client, Trouble};

/// The document of `issuer` (§4).
pub(crate) async fn discover(client: &Client, issuer: &str) -> Result<Map<String, Value>, Trouble> {
    let page = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let page: Url = page.parse().map_err(|_| "the issuer is no URL".to_owned())?;
    let Answer { status, members, .. } = client.ask(client.get(&page)).await?;
    let found = members.filter(|_| status == StatusCode::OK).ok_or_else(|| {
        format!("its discovery document: status {} without a JSON object", status.as_u16())
    })?;
    // §4.3: or one issuer could speak for another.
    if found.get("issuer").and_then(Value::as_str) != Some(issuer) {
        return Err(format!("its discovery document is not that of the issuer {issuer}"));
    }
    Ok(found)
}

/// The address that the document of `issuer` names, as safe as the issuer's own.
pub(crate) fn endpoint(
    found: &Map<String, Value>,
    name: &str,
    issuer: &str,
) -> Result<Url, Trouble> {
    let place = found.get(name).and_then(Value::as_str).unwrap_or_default();
    let place: Url = place.parse().map_err(|_| format!("its discovery document has no {name}"))?;
    if issuer.starts_with("https:") && place.scheme() != "https" {
        return Err(format!("its {name} is not an https address"));
    }
    Ok(place)
}
