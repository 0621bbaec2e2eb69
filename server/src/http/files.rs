//! The pages and their files: what is sent, how long it is kept, and what a page may do.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{App, origin, peerjs};
use crate::error::ApiError;
use crate::web::File;

/// Pages by their short names. Whatever else the web app has is found by its path.
const PAGES: [(&str, &str); 5] = [
    ("", "index.html"),
    ("wrapper", "wrapper.html"),
    ("conference", "conference.html"),
    ("emulator", "emulator.html"),
    ("storage", "storage.html"),
];

/// The service worker. It runs by the policy that comes with its script, not by that of a page.
const WORKER: &str = "worker.js";

/// Names of files under this folder contain a hash of what is in them, so browsers never need to ask again.
const HASHED: &str = "assets/";

/// Anything that is no other route.
pub(crate) async fn file(State(app): State<App>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let accept = origin::text(&parts.headers, header::ACCEPT).unwrap_or_default();
    let is_for_people = accept.contains("text/html");
    let Some(path) = parts.uri.path().strip_prefix(app.base_path.as_ref()) else {
        return nothing_here(is_for_people, &app.base_path);
    };
    if parts.method != Method::GET && parts.method != Method::HEAD {
        let mut response = ApiError::WrongMethod.into_response();
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    if path.is_empty() && !is_for_people {
        let mut response = peerjs::banner();
        peerjs::reflect(parts.headers.get(header::ORIGIN).cloned(), &mut response);
        return response;
    }
    let page = PAGES.iter().find(|(name, _)| *name == path).map(|(_, file)| *file);
    match find(app.files, page.unwrap_or(path)) {
        Some(file) => send(file, &parts.headers, origin::host(&parts)),
        None if page.is_some() => no_web_app(),
        None => nothing_here(is_for_people, &app.base_path),
    }
}

fn find(files: &'static [File], path: &str) -> Option<&'static File> {
    files.binary_search_by(|file| file.path.cmp(path)).ok().map(|index| &files[index])
}

fn send(file: &'static File, asked: &HeaderMap, host: Option<&str>) -> Response {
    let compressed = file.brotli.filter(|_| accepts_brotli(asked));
    let tag = if compressed.is_some() {
        format!("\"{}-br\"", file.tag)
    } else {
        format!("\"{}\"", file.tag)
    };
    let known = origin::text(asked, header::IF_NONE_MATCH)
        .is_some_and(|tags| tags.split(',').any(|known| same_tag(known, &tag)));
    let body = compressed.unwrap_or(file.raw);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Body::from(body).into_response()
    };

    let headers = response.headers_mut();
    let kind = kind(file.path);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::ETAG, tag.parse().expect("hexadecimal digits in quotes"));
    let keep = if file.path.starts_with(HASHED) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    if compressed.is_some() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    if kind.starts_with("text/html") {
        headers.insert(header::CONTENT_SECURITY_POLICY, page_policy(host));
    } else if file.path == WORKER {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(WORKER_POLICY));
    }
    response
}

/// What the service worker may do: load its module, and ask this server.
const WORKER_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; frame-ancestors 'none'";

/// What a page may do: use this server, and nothing else.
fn page_policy(host: Option<&str>) -> HeaderValue {
    // Some browsers do not count WebSockets as 'self', so they are named. Only a plain host is repeated.
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".-:[]".contains(&b);
    let sockets = host
        .filter(|host| host.bytes().all(plain))
        .map_or(String::new(), |host| format!(" ws://{host} wss://{host}"));
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; \
         media-src 'self' blob:; connect-src 'self'{sockets}; frame-src 'self'; worker-src 'self'; frame-ancestors 'self'; manifest-src \
         'self'; base-uri 'none'; form-action 'none'"
    )
    .parse()
    .expect("a plain host makes a valid header")
}

/// Entity tags compare without the mark of weakness (RFC 9110 §13.1.2).
fn same_tag(known: &str, tag: &str) -> bool {
    let known = known.trim();
    known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
}

fn accepts_brotli(asked: &HeaderMap) -> bool {
    let accepted = origin::text(asked, header::ACCEPT_ENCODING).unwrap_or_default();
    accepted.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case("br"))
            && !parts
                .any(|weight| weight.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0_f32)))
    })
}

fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("ogg") => "audio/ogg",
        Some("txt" | "ts") => "text/plain; charset=utf-8",
        Some(_) | None => "application/octet-stream",
    }
}

/// The answer at an address where nothing is: words and a way on for a person, the refusal itself for a program.
fn nothing_here(is_for_people: bool, start: &str) -> Response {
    let mut response = ApiError::NotFound.into_response();
    if is_for_people {
        // A base path has nothing in it that HTML would take for its own.
        *response.body_mut() = Body::from(format!(
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\"><meta \
             name=color-scheme content=\"light dark\"><title>Hullo</title><h1>There is nothing at this address.</h1><p>Check \
             how it is written, or go to the <a href=\"{start}\">start page</a>.</p>"
        ));
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, html);
    }
    response
}

fn no_web_app() -> Response {
    let page = "<!doctype html><html lang=en><meta charset=utf-8><title>Hullo</title><h1>This build has no web app \
                inside.</h1><p>Build it with: <code>cargo xtask build</code></p>";
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    (StatusCode::SERVICE_UNAVAILABLE, kind, page).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brotli_is_sent_to_those_who_take_it() {
        for (accepted, is) in [
            ("gzip, deflate, br, zstd", true),
            ("br;q=0.5", true),
            ("br;q=0", false),
            ("gzip", false),
            ("", false),
        ] {
            let mut asked = HeaderMap::new();
            asked.insert(header::ACCEPT_ENCODING, accepted.parse().unwrap());

            assert_eq!(accepts_brotli(&asked), is, "{accepted}");
        }
    }

    #[test]
    fn a_strange_host_does_not_get_into_the_policy() {
        let policy = page_policy(Some("x.org; script-src *"));

        assert!(!policy.to_str().unwrap().contains("x.org"));
    }
}
