//! People log in at our server without a token: at a real provider, and by a link from a real mail server.

use serde_json::{Value, json};
use tests::peerjs::Certificate;
use tests::{Hullo, MailServer, Provider, provider};

/// The flags of a server where people of `provider` log in.
fn at<'a>(provider: &'a Provider, more: &[(&'a str, &'a str)]) -> Hullo {
    let mut flags = vec![
        ("--login-issuer", provider.issuer.as_str()),
        ("--login-client-id", provider::LOGIN.0),
        ("--login-client-secret", provider::LOGIN.1),
        ("--login-name", "Example"),
    ];
    flags.extend(more);
    Hullo::start(&flags)
}

/// The flags of a server that mails through `post`.
fn by<'a>(post: &'a MailServer, more: &[(&'a str, &'a str)]) -> Hullo {
    let mut flags =
        vec![("--mail-server", post.url.as_str()), ("--mail-from", "Hullo <hullo@example.com>")];
    flags.extend(more);
    Hullo::start(&flags)
}

#[test]
fn who_logged_in_at_the_provider_is_logged_in_here() {
    let provider = Provider::start();
    let hullo = at(&provider, &[("--login-sign-up", "example.com")]);

    let (status, ways) = hullo.ask("GET", "/session/ways", None);
    let arrival = provider.log_in_at(&hullo.origin, "alice");

    assert_eq!((status, ways), (200, json!({ "mail": false, "openid": "Example" })));
    assert_eq!(arrival.address, format!("{}/", hullo.origin));
    let token = &arrival.cookies["hullo"];
    assert_eq!(hullo.who_is(token), (200, "alice@example.com".to_owned()));
}

#[test]
fn who_may_not_become_a_user_is_told_and_gets_nothing() {
    let provider = Provider::start();
    let closed = at(&provider, &[]);
    let elsewhere = at(&provider, &[("--login-sign-up", "example.org")]);
    let open = at(&provider, &[("--login-sign-up", "true")]);

    // Of the last one the provider does not know that the mail address is theirs.
    for (hullo, who, problem) in [
        (&closed, "alice", "unknown"),
        (&elsewhere, "alice", "unknown"),
        (&open, "new-bob", "unnamed"),
    ] {
        let arrival = provider.log_in_at(&hullo.origin, who);

        assert_eq!(arrival.address, format!("{}/#login={problem}", hullo.origin));
        assert_eq!(arrival.cookies.get("hullo"), None);
    }
}

#[test]
fn a_way_back_that_this_browser_did_not_ask_for_logs_nobody_in() {
    let provider = Provider::start();
    let hullo = at(&provider, &[("--login-sign-up", "true")]);

    for cookie in ["", "hullo-login=guess"] {
        let (status, place, cookies) =
            hullo.open("/session/openid/back?state=guess&code=guess", cookie);

        assert_eq!((status, place.as_str()), (303, "/#login=stale"));
        assert!(!cookies.iter().any(|cookie| cookie.starts_with("hullo=")), "{cookies:?}");
    }
    // Somebody who refuses at the provider is no error of ours.
    let (_, place, _) =
        hullo.open("/session/openid/back?state=x&error=access_denied", "hullo-login=guess");
    assert_eq!(place, "/#login=denied");
}

#[test]
fn a_provider_that_is_away_is_told() {
    let hullo =
        Hullo::start(&[("--login-issuer", "http://127.0.0.1:9"), ("--login-client-id", "hullo")]);

    let (status, place, cookies) = hullo.open("/session/openid", "");

    assert_eq!((status, place.as_str(), cookies.len()), (303, "/#login=unavailable", 0));
}

#[test]
fn a_mailed_link_logs_in_once() {
    let post = MailServer::start();
    let hullo = by(&post, &[("--login-sign-up", "example.com")]);
    let wish = json!({ "email": " Carol@Example.com" });

    let (status, _) = hullo.ask("POST", "/session/mail", Some(wish));
    let mail = post.next();
    let (first, account) = hullo.ask("POST", "/session", Some(json!({ "code": mail.code() })));
    let (second, _) = hullo.ask("POST", "/session", Some(json!({ "code": mail.code() })));

    assert_eq!(status, 202);
    assert_eq!(
        (mail.from.as_str(), mail.to),
        ("hullo@example.com", vec!["carol@example.com".into()])
    );
    assert_eq!((first, &account["email"]), (200, &Value::from("carol@example.com")));
    assert_eq!(second, 401);
}

#[test]
fn mails_go_encrypted_to_a_server_whose_authority_the_operator_named_and_to_no_other() {
    let (ours, other) = (Certificate::make(), Certificate::make());
    let [ours_file, other_file] = [&ours, &other].map(|one| one.files()[0].clone());
    for post in [MailServer::with_tls(&ours), MailServer::with_starttls(&ours)] {
        let hullo = by(&post, &[("--login-sign-up", "example.com"), ("--mail-ca", &ours_file)]);

        let wish = json!({ "email": "carol@example.com" });
        assert_eq!(hullo.ask("POST", "/session/mail", Some(wish)).0, 202);

        let mail = post.next();
        assert!(mail.encrypted);
        let (status, account) = hullo.ask("POST", "/session", Some(json!({ "code": mail.code() })));
        assert_eq!((status, &account["email"]), (200, &Value::from("carol@example.com")));
        let flags = [("--mail-server", &*post.url), ("--mail-from", "hullo@example.com")];
        let said = Hullo::check(&[&flags[..], &[("--mail-ca", &*ours_file)]].concat());
        assert!(said.contains("The mail server takes mails"), "{said}");
        for trusted in [None, Some(("--mail-ca", &*other_file))] {
            let said = Hullo::check(&flags.into_iter().chain(trusted).collect::<Vec<_>>());
            assert!(said.contains("cannot be mailed") && said.contains("--mail-ca"), "{said}");
        }
    }
}

#[test]
fn a_mail_server_without_the_encryption_that_is_asked_for_gets_nothing() {
    let post = MailServer::start();
    let url = format!("{}?tls=required", post.url);
    let certificate = Certificate::make();
    let [authority, _] = certificate.files();
    let flags = [("--mail-server", &*url), ("--mail-from", "hullo@example.com")];
    let with_authority = [&flags[..], &[("--mail-ca", &*authority)]].concat();
    let ask = |of: &Hullo, email: &str| {
        assert_eq!(of.ask("POST", "/session/mail", Some(json!({ "email": email }))).0, 202);
    };

    // Whose authority is trusted is another question than whether it is asked for.
    for flags in [&flags[..], &with_authority] {
        let said = Hullo::check(flags);
        assert!(said.contains("offers no encryption") && said.contains("smtps://"), "{said}");
        let hullo = Hullo::start(&[flags, &[("--login-sign-up", "true")]].concat());
        ask(&hullo, "carol@example.com");
        hullo.says("got neither password nor mail");
    }
    // What comes later is the first that came.
    let open = by(&post, &[("--login-sign-up", "true")]);
    ask(&open, "dora@example.com");
    assert_eq!(post.next().to, ["dora@example.com"]);
}

#[test]
fn who_asks_for_links_learns_nothing_of_others_and_floods_nobody() {
    let post = MailServer::start();
    let hullo = by(&post, &[("--login-sign-up", "example.com")]);
    let ask = |email: &str| hullo.ask("POST", "/session/mail", Some(json!({ "email": email }))).0;

    // A stranger's address and one that may come in are answered alike.
    assert_eq!(ask("mallory@example.net"), 202);
    for _ in 0..6 {
        assert_eq!(ask("carol@example.com"), 202);
    }
    assert_eq!(ask("dave@example.com"), 202);
    let mut to = Vec::new();
    while to.last().is_none_or(|last| last != "dave@example.com") {
        to.extend(post.next().to);
    }
    assert!(to.iter().filter(|to| *to == "carol@example.com").count() <= 3, "{to:?}");
    assert!(!to.contains(&"mallory@example.net".to_owned()));
    assert_eq!(ask("no address"), 400);
    let refused = (0..10).map(|_| ask("erin@example.com")).filter(|status| *status == 429).count();
    assert!(refused >= 7, "one place asks for ten mails in an hour");
}
