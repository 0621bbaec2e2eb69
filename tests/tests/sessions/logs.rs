//! Nothing about a person is logged, however talkative the server is made and whatever happens.

use serde_json::{Value, json};
use tests::push::{Firebase, Project, PushService};
use tests::{Hullo, MailServer, eventually};

use tests::peerjs::Socket;

/// A person of this story, by all that could be told of her.
const GRETA: &str = "greta.holm@example.com";
const HENRIK: &str = "henrik.lund@example.com";
/// The mail server has no such box, and says so with the address.
const NOBODY: &str = "nobody.bergstrom@example.com";
const DEVICE: &str = "Telephone in the larder";
/// From where people come: what the proxy says.
const PLACE: &str = "203.0.113.77";
const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; Rarebrowser) Firefox/140.0";
/// The keys of a browser, as in RFC 8291, appendix A.
const KEYS: [&str; 2] = [
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "BTBZMqHH6r4Tts7J_aSIgg",
];

/// What somebody says or shows in this story, none of which is the log's affair.
const SAID: [&str; 19] = [
    GRETA,
    HENRIK,
    NOBODY,
    "greta.holm",
    "henrik.lund",
    "bergstrom",
    DEVICE,
    PLACE,
    "Rarebrowser",
    "crayfish-party",
    "v=0 o=the-offer",
    "to-browser-",
    "secret-place",
    KEYS[0],
    KEYS[1],
    "registration-of-",
    "00000000deadbeef",
    "forged-token",
    "peer-of-greta",
];

struct Scene {
    hullo: Hullo,
    service: PushService,
    firebase: Firebase,
    post: MailServer,
    _files: tempfile::TempDir,
}

#[test]
fn a_log_of_everything_tells_nothing_of_anybody() {
    let scene = Scene::new();

    let mut secrets = scene.come_in();
    let [greta, henrik] = [secrets[1].clone(), secrets[2].clone()];
    secrets.extend(scene.ring(&greta, &henrik));
    scene.talk_live(&greta, &henrik);
    scene.err(&greta);
    scene.come_as_peers();

    let happened = [
        "A log-in link was asked for",
        "A mail was not sent",
        "Logged in",
        "A push was not sent",
        "A page sent what is no frame",
        "A token lets nobody in",
        "Answered",
        "/contacts/rules",
        "hyper",
        "sqlx",
    ];
    for words in happened {
        eventually(words, || scene.hullo.log().contains(words).then_some(()));
    }
    let log = scene.hullo.log();
    let hashes = secrets.iter().map(|secret| digest(secret));
    let all: Vec<String> = SAID.iter().map(|said| (*said).to_owned()).chain(hashes).collect();
    let leaks: Vec<_> =
        all.iter().chain(&secrets).filter_map(|said| Some((said, told(&log, said)?))).collect();
    assert!(leaks.is_empty(), "the log tells {leaks:#?}");
}

/// The first line of a log with these words, in whichever way they are written there.
fn told(log: &str, said: &str) -> Option<String> {
    let bytes = format!("{:?}", said.as_bytes());
    let forms =
        [said, &said.replace('@', "%40"), &said.replace(' ', "+"), &bytes[1..bytes.len() - 1]];
    let line = log.lines().find(|line| forms.iter().any(|form| line.contains(*form)))?;
    Some(line.chars().take(400).collect())
}

impl Scene {
    fn new() -> Self {
        let (service, firebase) = (PushService::start(), Firebase::start());
        let post = MailServer::start();
        let files = tempfile::tempdir().expect("there is room");
        let Project { account, .. } = firebase.project("first");
        let project = files.path().join("first.json");
        std::fs::write(&project, account.to_string()).expect("it can be written");
        // Nobody listens at the discard port.
        let services = format!("{},http://127.0.0.1:9", service.origin());
        let hullo = Hullo::start_talkative(&[
            ("--push-services", &services),
            ("--fcm-projects", &project.to_string_lossy()),
            ("--fcm-endpoint", &firebase.origin()),
            ("--mail-server", &post.url),
            ("--mail-from", "Hullo <hullo@example.com>"),
            ("--login-sign-up", "example.com"),
            ("--presence", "anyone"),
            ("--trusted-proxies", "127.0.0.0/8"),
            ("--peerjs-open=true", "--peerjs-discovery=true"),
        ]);
        Self { hullo, service, firebase, post, _files: files }
    }

    /// Signing up by mail, and by tokens of commands. Gives a code and the tokens.
    fn come_in(&self) -> Vec<String> {
        for who in [GRETA, NOBODY] {
            let wish = json!({ "email": who });
            assert_eq!(self.hullo.ask("POST", "/session/mail", Some(wish)).0, 202);
        }
        let code = self.post.next().code();
        let login = json!({ "code": code }).to_string();
        assert_eq!(self.knock("POST", "/session", "", &login), 200);
        assert_eq!(self.knock("POST", "/session", "", &login), 401, "once");
        let [greta, henrik] =
            [GRETA, HENRIK].map(|who| self.hullo.token(who, &["--device", DEVICE]));
        let token = json!({ "token": henrik }).to_string();
        assert_eq!(self.knock("POST", "/session", "", &token), 200);
        vec![code, greta, henrik]
    }

    /// Contacts of all kinds, and what push services may say. Gives the instances that devices have got.
    fn ring(&self, greta: &str, henrik: &str) -> Vec<String> {
        let ask = |token: &str, method: &str, path: &str, body: Value| {
            self.hullo.ask_as(token, method, path, &body)
        };
        let (_, account) = ask(greta, "GET", "/contacts", Value::Null);
        let key = account["vapidkey"].as_str().expect("the server tells its key");
        let subscription = self.service.subscribe(key);
        let keys = json!({ "p256dh": KEYS[0], "auth": KEYS[1] });
        let at = |origin: &str| {
            json!({ "endpoint": format!("{origin}/secret-place"), "keys": keys }).to_string()
        };
        let registration = format!("registration-of-greta:APA91b{}", "x".repeat(40));
        let (_, first) = ask(greta, "PUT", "/contacts", json!({ "contact": "live" }));
        let mut instances = vec![first];
        let mut ids = 0xdead_beef_0000_0000_u64..;
        let mut ring = |contact: Value, status: u16| {
            let (put, registered) = ask(henrik, "PUT", "/contacts", contact);
            assert_eq!(put, 200, "{registered}");
            instances.push(registered);
            let id = format!("{:016x}", ids.next().expect("numbers do not end").rotate_left(32));
            for method in ["INVITE", "CANCEL"] {
                let data = json!({
                    "method": method, "ReqId": id, "TTL": 5_000, "topic": "crayfish-party", "offer": "v=0 o=the-offer",
                });
                let sent = ask(greta, "POST", "/contacts", json!({ "to": HENRIK, "data": data }));
                if method == "INVITE" {
                    assert_eq!(sent.0, status, "{}", sent.1);
                }
            }
        };
        let wakes = |wake: String| json!({ "contact": "live", "wake": wake });
        ring(wakes(subscription.json().to_string()), 200);
        self.service.answer_next(429, Some(3_600));
        ring(wakes(subscription.json().to_string()), 404);
        ring(wakes(at(&self.service.origin())), 404);
        ring(wakes(at("http://127.0.0.1:9")), 404);
        ring(json!({ "contact": registration }), 200);
        self.firebase.answer_next(400, "INVALID_ARGUMENT", None);
        ring(json!({ "contact": registration }), 404);
        self.firebase.answer_next(404, "UNREGISTERED", None);
        ring(json!({ "contact": registration }), 404);
        let text = |value: Value| value["instance"].as_str().expect("an instance").to_owned();
        instances.into_iter().map(text).collect()
    }

    /// A call over live sockets.
    fn talk_live(&self, greta: &str, henrik: &str) {
        let [mut hers, mut his] = [greta, henrik].map(|token| {
            let bearer = format!("Bearer {token}");
            let headers = [
                ("authorization", bearer.as_str()),
                ("x-forwarded-for", PLACE),
                ("user-agent", AGENT),
            ];
            Socket::try_open(self.host(), "/live", &headers).expect("it opens")
        });
        assert_eq!(hers.hears()["type"], "welcome");
        assert_eq!(his.hears()["type"], "welcome");
        hers.says(&json!({ "type": "watch", "users": [HENRIK] }));
        assert_eq!(hers.hears()["type"], "presence");
        let data =
            json!({ "method": "INVITE", "ReqId": "00000000deadbeef", "topic": "crayfish-party" });
        let sent = json!({ "to": HENRIK, "data": data });
        assert_eq!(self.hullo.ask_as(greta, "POST", "/contacts", &sent).0, 200);
        let push = his.hears();
        his.says(&json!({ "type": "ack", "id": push["id"] }));
        assert_eq!(hers.hears()["type"], "receipt");
        his.says(&json!({ "type": "crayfish-party" }));
        his.closes();
        for (method, path, body) in [
            ("PUT", "/contacts/rules", json!({ "block": [NOBODY] })),
            ("GET", "/contacts/rules", Value::Null),
            ("GET", "/session/devices", Value::Null),
            ("PUT", "/session/presence", json!({ "shown_to": [HENRIK] })),
            ("PUT", "/session/device", json!({ "capabilities": ["crayfish-party"] })),
            ("GET", "/presence?of=henrik.lund@example.com", Value::Null),
            ("GET", "/contacts/shown/00000000deadbeef", Value::Null),
        ] {
            let (status, answer) = self.hullo.ask_as(greta, method, path, &body);
            assert!(status < 300, "{method} {path}: {answer}");
        }
    }

    /// Whatever is refused.
    fn err(&self, greta: &str) {
        for (method, path, token, body, status) in [
            ("GET", "/session", "forged-token", "", 401),
            ("GET", "/secret-place?of=crayfish-party", "", "", 404),
            ("PUT", "/contacts", greta, "crayfish-party", 400),
            ("PUT", "/contacts", greta, r#"{"contact":"crayfish-party"}"#, 400),
            ("PUT", "/contacts", greta, r#"{"contact":{"greta.holm@example.com":1}}"#, 400),
            ("POST", "/contacts", greta, r#"{"to":"nobody.bergstrom@example.com"}"#, 404),
            ("PUT", "/contacts/rules", greta, r#"{"ring":"crayfish-party"}"#, 400),
            ("POST", "/session", "", r#"{"code":"forged-token"}"#, 401),
            ("POST", "/session/mail", "", r#"{"email":"crayfish-party"}"#, 400),
            ("GET", "/session/openid/back?code=forged-token&state=secret-place", "", "", 404),
            ("DELETE", "/session/devices/forged-token", greta, "", 404),
            ("DELETE", "/contacts", greta, "", 204),
        ] {
            assert_eq!(self.knock(method, path, token, body), status, "{method} {path}");
        }
        let proof = [("authorization", "DPoP forged-token"), ("dpop", "forged-token")];
        assert_eq!(self.hullo.knock("GET", "/session", &proof, ""), 401);
        let foreign =
            [("origin", "https://secret-place.example"), ("content-type", "application/json")];
        assert_eq!(self.hullo.knock("POST", "/session", &foreign, "{}"), 403);
    }

    /// Clients of PeerJS, with a socket and without.
    fn come_as_peers(&self) {
        let at = |id: &str| format!("/peerjs?key=peerjs&id={id}&token=forged-token");
        let [mut hers, mut his] =
            ["peer-of-greta", "peer-of-greta-too"].map(|id| Socket::open(self.host(), &at(id)));
        assert_eq!([hers.hears()["type"].clone(), his.hears()["type"].clone()], ["OPEN", "OPEN"]);
        hers.says(&json!({
            "type": "OFFER", "dst": "peer-of-greta-too", "payload": { "sdp": "crayfish-party" },
        }));
        assert_eq!(his.hears()["payload"]["sdp"], "crayfish-party");
        his.says_text("crayfish-party");
        his.hears();
        his.closes();
        for (method, path, body) in [
            ("GET", "/peerjs/peers", ""),
            ("POST", "/peerjs/peer-of-greta/forged-token/offer", "crayfish-party"),
            ("POST", "/peerjs/peer-of-greta/secret-place/offer", r#"{"type":"OFFER","dst":"x"}"#),
        ] {
            self.knock(method, path, "", body);
        }
    }

    fn knock(&self, method: &str, path: &str, token: &str, body: &str) -> u16 {
        let bearer = format!("Bearer {token}");
        let mut headers = vec![
            ("x-forwarded-for", PLACE),
            ("user-agent", AGENT),
            ("content-type", "application/json"),
        ];
        if !token.is_empty() {
            headers.push(("authorization", &bearer));
        }
        self.hullo.knock(method, path, &headers, body)
    }

    fn host(&self) -> &str {
        self.hullo.origin.trim_start_matches("http://")
    }
}

/// As secrets are stored.
fn digest(secret: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(secret).iter().map(|byte| format!("{byte:02x}")).collect()
}
