//! `/session`: log in, log out, who am I.

use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use axum::{Form, Json};
use serde::Deserialize;
use wire::contacts::{Account, Login};

use super::App;
use super::auth::{LoginPage, Session, possess, verify};
use super::body::Body;
use super::origin;
use crate::error::ApiError;
use crate::secret::Secret;
use crate::session::{Refusal, recheck};

/// `GET /session`: who am I?
pub(crate) async fn whoami(session: Session) -> Json<Account> {
    Json(session.account())
}

/// `POST /session`: let me in.
pub(crate) async fn log_in(
    State(app): State<App>,
    mut page: LoginPage,
    headers: HeaderMap,
    Body(login): Body<Login>,
) -> Result<impl IntoResponse, ApiError> {
    let token = match login {
        Login::Token(token) => Secret::presented(token.trim()),
        Login::Code(code) => {
            let code = Secret::presented(code.trim());
            let user = app.store.redeem(&code).await?.ok_or(ApiError::NotLoggedIn)?;
            let agent = origin::text(&headers, header::USER_AGENT).unwrap_or_default();
            app.store.add_token(&user, &device_name(agent), true).await?
        }
    };
    let session = possess(&app, verify(&app, token).await?, page.proven.take()).await?;
    tracing::debug!("Logged in");
    let account = session.account();
    Ok((AppendHeaders([(header::SET_COOKIE, page.set_cookie(&session.token))]), Json(account)))
}

/// `DELETE /session`: let me out. Harmless for one who is out already.
pub(crate) async fn log_out(
    State(app): State<App>,
    page: LoginPage,
    session: Option<Session>,
) -> Result<impl IntoResponse, ApiError> {
    if let Some(session) = session {
        app.store.clear_contact(&session.token).await?;
        if session.is_minted_by_code() {
            app.store.remove_token(&session.token).await?;
        }
        if let Some(device) = session.device() {
            app.switchboard.dismiss(device.into()).await;
        }
    }
    let forget = AppendHeaders([(header::SET_COOKIE, page.clear_cookie())]);
    Ok((StatusCode::NO_CONTENT, forget))
}

/// The body of a back-channel logout.
#[derive(Deserialize)]
pub(crate) struct Logout {
    logout_token: String,
}

/// `POST /session/logout`: the issuer says that somebody left (OpenID Connect Back-Channel Logout 1.0 §2.5).
pub(crate) async fn log_out_by_issuer(
    State(app): State<App>,
    form: Result<Form<Logout>, FormRejection>,
) -> Result<StatusCode, ApiError> {
    let malformed = |what: &str| ApiError::Malformed(what.to_owned());
    let Form(Logout { logout_token }) =
        form.map_err(|_| malformed("the body is no form with a logout_token"))?;
    match app.verifier.log_out(&logout_token).await {
        None => Err(ApiError::NotFound),
        Some(Ok(())) => {
            recheck::round(&app.verifier, &app.connections).await;
            Ok(StatusCode::OK)
        }
        Some(Err(Refusal::Refused(reason))) => {
            Err(ApiError::Malformed(format!("the logout token is {reason}")))
        }
        Some(Err(Refusal::Unavailable)) => Err(ApiError::SessionsUnavailable),
    }
}

/// What people would call the device, from what its browser calls itself.
pub(super) fn device_name(agent: &str) -> String {
    // Order matters: Edge and Opera call themselves Chrome too, and Chrome calls itself Safari.
    let browsers = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("CriOS/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    let systems = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("CrOS", "ChromeOS"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let find = |table: &[(&str, &'static str)]| {
        table.iter().find_map(|(mark, name)| agent.contains(mark).then_some(*name))
    };
    match (find(&browsers), find(&systems)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "Unknown device".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_called_what_people_call_them() {
        for (agent, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8", "Unknown device"),
        ] {
            assert_eq!(device_name(agent), name);
        }
    }
}
