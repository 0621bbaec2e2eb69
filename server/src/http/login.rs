//! `/session/ways`, `/session/mail`, `/session/openid`: logging in without a token.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use serde::Deserialize;
use wire::contacts::{MailLink, Ways};

use super::App;
use super::auth::{LoginPage, cookie_named};
use super::body::Body;
use super::origin;
use super::session::device_name;
use crate::error::ApiError;
use crate::listener::Remote;
use crate::login::{Errand, LASTS, OPEN_MAX, Problem};
use crate::store::links::Kind;

/// The cookie of a log-in under way.
const ERRAND: &str = "hullo-login";

/// How long one may take at the provider, in seconds. Guess: a forgotten password and a second factor.
const ERRAND_SECONDS: u32 = 15 * 60;

/// `GET /session/ways`: how can one log in here?
pub(crate) async fn ways(State(app): State<App>) -> Json<Ways> {
    let openid = app.ways.openid.as_ref().map(|openid| openid.name().to_owned());
    Json(Ways { mail: app.ways.mail.is_some(), openid })
}

/// `POST /session/mail`: send me a link. The answer is the same for users and strangers.
pub(crate) async fn send_link(
    State(app): State<App>,
    _page: LoginPage,
    Remote(from): Remote,
    Body(MailLink { email }): Body<MailLink>,
) -> Result<StatusCode, ApiError> {
    let post = app.ways.mail.clone().ok_or(ApiError::NotFound)?;
    let user = crate::commands::name(email.trim()).ok();
    let user = user.filter(|user| user.as_str().parse::<lettre::Address>().is_ok());
    let user = user.ok_or_else(|| ApiError::Malformed("this is no mail address".to_owned()))?;
    if !post.takes(from) {
        return Err(ApiError::TooMany { seconds: 60 * 60 });
    }
    let turn = post.under_way.clone().try_acquire_owned();
    let turn = turn.map_err(|_| ApiError::TooMany { seconds: 10 })?;
    // Beside the answer, whose time would tell who is a user.
    tokio::spawn(async move {
        let sent = async {
            let Some(is_new) = app.ways.admit(&app.store, &user).await? else { return Ok(false) };
            let kind = if is_new { Kind::SignUp } else { Kind::Once };
            let code = app.store.add_code_below(OPEN_MAX, &user, kind, LASTS).await?;
            let Some(code) = code else { return Ok(false) };
            post.send(&user, &code).await.map(|()| true)
        };
        match sent.await {
            Ok(is_sent) => tracing::debug!(is_sent, "A log-in link was asked for"),
            Err(error) => tracing::error!(error = format!("{error:#}"), "A mail was not sent"),
        }
        drop(turn);
    });
    Ok(StatusCode::ACCEPTED)
}

/// `GET /session/openid`: to the provider.
pub(crate) async fn leave(State(app): State<App>) -> Result<Response, ApiError> {
    let openid = app.ways.openid.clone().ok_or(ApiError::NotFound)?;
    let errand = Errand::fresh()?;
    Ok(match openid.start(&errand).await {
        Ok(url) => {
            let cookie = errand_cookie(&app, errand.secret(), ERRAND_SECONDS);
            let headers = AppendHeaders([(header::SET_COOKIE, cookie)]);
            (headers, Redirect::to(url.as_str())).into_response()
        }
        Err(problem) => home(&app, Some(problem), Vec::new()),
    })
}

/// What the provider says (RFC 6749 §4.1.2).
#[derive(Deserialize)]
pub(crate) struct Back {
    #[serde(default)]
    state: String,
    code: Option<String>,
}

/// `GET /session/openid/back`: from the provider.
pub(crate) async fn come_back(
    State(app): State<App>,
    headers: HeaderMap,
    Query(back): Query<Back>,
) -> Result<Response, ApiError> {
    let openid = app.ways.openid.clone().ok_or(ApiError::NotFound)?;
    let forget = errand_cookie(&app, "", 0);
    let errand = cookie_named(&headers, ERRAND).map(|secret| Errand::remembered(&secret));
    let came = match (errand, back.code) {
        (Some(errand), Some(code)) => openid.finish(&errand, &back.state, &code).await,
        (None, _) => Err(Problem::Stale),
        (Some(_), None) => Err(Problem::Denied),
    };
    let user = match came {
        Ok(user) => user,
        Err(problem) => return Ok(home(&app, Some(problem), vec![forget])),
    };
    match app.ways.admit(&app.store, &user).await? {
        None => return Ok(home(&app, Some(Problem::Unknown), vec![forget])),
        Some(true) => {
            app.store.add_user(&user).await?;
        }
        Some(false) => {}
    }
    let agent = origin::text(&headers, header::USER_AGENT).unwrap_or_default();
    let token = app.store.add_token(&user, &device_name(agent), true).await?;
    tracing::debug!("Logged in at the provider");
    let login = LoginPage::at(&app.ways.url).set_cookie(&token);
    Ok(home(&app, None, vec![forget, login]))
}

/// To the app, which says what went wrong.
fn home(app: &App, problem: Option<Problem>, cookies: Vec<String>) -> Response {
    let base = &app.base_path;
    let place = match problem {
        Some(problem) => format!("{base}#login={}", problem.word()),
        None => base.to_string(),
    };
    let mut response = Redirect::to(&place).into_response();
    for cookie in cookies {
        let value = cookie.parse().expect("cookies are visible ASCII");
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// Lax, since the browser comes back from another site.
fn errand_cookie(app: &App, value: &str, seconds: u32) -> String {
    let secure = if app.ways.url.starts_with("https:") { "; Secure" } else { "" };
    let path = format!("{}session/openid", app.base_path);
    format!("{ERRAND}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}
