//! A certified OpenID Connect provider from npm, and a person who logs in there.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::{Response, header};

use crate::guard::Guard;

/// The application that people log in to: its name and its secret.
pub const APP: (&str, &str) = ("app", "secret of the app");

/// Our server, as the provider knows it.
pub const HULLO: (&str, &str) = ("hullo", "secret of hullo");

/// Our server, where it lets people log in at the provider.
pub const LOGIN: (&str, &str) = ("hullo-login", "secret of the log-in");

/// Where the provider sends people of the application back to. Nobody is there: the address alone holds what is needed.
const BACK: &str = "https://app.example.com/back";

/// The secret of the exchange (RFC 7636), and its SHA-256. Those of the RFC's appendix B.
const PKCE: [&str; 2] =
    ["dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"];

/// A running provider.
pub struct Provider {
    _guard: Guard,
    /// Its address, which is its name.
    pub issuer: String,
}

/// Where a browser is after logging in at our server.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The address in its bar.
    pub address: String,
    /// Its cookies.
    pub cookies: BTreeMap<String, String>,
}

/// What a log-in brings.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// What the application shows to others.
    pub access: String,
    /// Who logged in, signed for the application.
    pub id: String,
}

impl Provider {
    /// Starts one.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/provider.js");
        let package = crate::npm_dir().join("oidc-provider");
        let clients = json!([
            {
                "client_id": APP.0,
                "client_secret": APP.1,
                "redirect_uris": [BACK],
                "grant_types": ["authorization_code"],
                "response_types": ["code"],
            },
            {
                "client_id": HULLO.0,
                "client_secret": HULLO.1,
                "redirect_uris": [],
                "grant_types": [],
                "response_types": [],
            },
            {
                "client_id": LOGIN.0,
                "client_secret": LOGIN.1,
                // Such an application may listen on any port of this machine (RFC 8252 §7.3).
                "application_type": "native",
                "redirect_uris": ["http://127.0.0.1/session/openid/back"],
                "grant_types": ["authorization_code"],
                "response_types": ["code"],
            },
        ]);
        let clients = clients.to_string();
        let words =
            ["node", &script.to_string_lossy(), &package.to_string_lossy(), clients.as_str()];
        let ready = |line: &str| line.strip_prefix("listening on ").map(str::to_owned);
        let (guard, issuer) = Guard::start(&words, &[], ready)
            .expect("a provider starts; `cargo xtask test` brings what it needs");
        Self { _guard: guard, issuer }
    }

    /// Somebody logs in by hand, consents, and the application fetches the tokens: for `resource`, if there is one.
    ///
    /// # Panics
    /// When the provider does not play along.
    #[must_use]
    pub fn log_in(&self, who: &str, resource: Option<&str>) -> Tokens {
        let mut browser = Browser::new();
        let issuer = &self.issuer;
        let wished = resource.map_or(String::new(), |resource| format!("&resource={resource}"));
        let start = format!(
            "{issuer}/auth?client_id={}&response_type=code&scope=openid%20calls&redirect_uri={BACK}&code_challenge={}\
             &code_challenge_method=S256{wished}",
            APP.0, PKCE[1]
        );
        let login = browser.follow(&start);
        let login =
            browser.submit(&login, &[("prompt", "login"), ("login", who), ("password", "x")]);
        let consent = browser.follow(&login);
        let back = browser.submit(&consent, &[("prompt", "consent")]);
        let back = browser.follow(&back);
        let code = back.split_once("code=").expect("a code").1.split('&').next().expect("a part");
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", BACK),
            ("code_verifier", PKCE[0]),
        ];
        form.extend(resource.map(|resource| ("resource", resource)));
        let answer = self.post("/token", &form);
        let text = |member: &str| answer[member].as_str().unwrap_or_default().to_owned();
        Tokens { access: text("access_token"), id: text("id_token") }
    }

    /// Somebody logs in at our server by way of the provider; what the browser holds afterwards, and where it is.
    ///
    /// # Panics
    /// When the provider does not play along.
    #[must_use]
    pub fn log_in_at(&self, origin: &str, who: &str) -> Arrival {
        let mut browser = Browser::new();
        let login = browser.follow(&format!("{origin}/session/openid"));
        let login =
            browser.submit(&login, &[("prompt", "login"), ("login", who), ("password", "x")]);
        let consent = browser.follow(&login);
        let back = browser.submit(&consent, &[("prompt", "consent")]);
        let home = format!("{origin}/");
        let address =
            browser.follow_to(&back, |address| address.split('#').next() == Some(home.as_str()));
        Arrival { address, cookies: browser.cookies }
    }

    /// The application takes a token back (RFC 7009).
    pub fn revoke(&self, token: &str) {
        self.post("/token/revocation", &[("token", token)]);
    }

    /// The application asks.
    fn post(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let encoded = APP.1.replace(' ', "+");
        let basic = format!("Basic {}", STANDARD.encode(format!("{}:{encoded}", APP.0)));
        let mut answer = agent()
            .post(format!("{}{path}", self.issuer))
            .header("authorization", basic)
            .send_form(form.iter().copied())
            .expect("an answer");
        let body = answer.body_mut().read_to_string().expect("a body");
        assert!(answer.status().is_success(), "{path}: {body}");
        serde_json::from_str(&body).unwrap_or_default()
    }
}

/// As much of a browser as logging in needs.
struct Browser {
    agent: Agent,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn new() -> Self {
        Self { agent: agent(), cookies: BTreeMap::new() }
    }

    /// Follows redirections up to a page, or away from the provider; gives its address.
    fn follow(&mut self, address: &str) -> String {
        self.follow_to(address, |address| address.starts_with(BACK))
    }

    /// Follows redirections up to a page, or to where `is_end` says so; gives its address.
    fn follow_to(&mut self, address: &str, is_end: impl Fn(&str) -> bool) -> String {
        let mut address = address.to_owned();
        for _ in 0..10 {
            if is_end(&address) {
                return address;
            }
            let request = self.agent.get(&address).header("cookie", self.cookie());
            let answer = request.call().expect("an answer");
            match self.note(&answer, &address) {
                Some(next) => address = next,
                None => return address,
            }
        }
        panic!("there is no end to the redirections at {address}");
    }

    /// Fills in the form of a page; gives where that leads.
    fn submit(&mut self, page: &str, form: &[(&str, &str)]) -> String {
        let request = self.agent.post(page).header("cookie", self.cookie());
        let answer = request.send_form(form.iter().copied()).expect("an answer");
        self.note(&answer, page).unwrap_or_else(|| panic!("{page} takes no {form:?}"))
    }

    fn cookie(&self) -> String {
        let pairs: Vec<_> =
            self.cookies.iter().map(|(key, value)| format!("{key}={value}")).collect();
        pairs.join("; ")
    }

    /// Keeps the cookies; gives where the answer sends us.
    fn note<B>(&mut self, answer: &Response<B>, asked: &str) -> Option<String> {
        for line in answer.headers().get_all(header::SET_COOKIE) {
            let pair = line.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
            if let Some((key, value)) = pair.split_once('=') {
                self.cookies.insert(key.to_owned(), value.to_owned());
            }
        }
        let next = answer.headers().get(header::LOCATION)?.to_str().ok()?;
        if !next.starts_with('/') {
            return Some(next.to_owned());
        }
        let end = asked.find("//").and_then(|at| Some(at + 2 + asked[at + 2..].find('/')?));
        Some(format!("{}{next}", &asked[..end.unwrap_or(asked.len())]))
    }
}

fn agent() -> Agent {
    Agent::config_builder().max_redirects(0).http_status_as_error(false).build().into()
}
