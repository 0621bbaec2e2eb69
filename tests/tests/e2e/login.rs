//! Logging in, staying so, logging out.

use tests::{Browser, Hullo, MailServer, Provider, Screen, provider};

use crate::house::{ALICE, BOB, CAROL, House};
use crate::looks::check;
use crate::on_both_screens;

on_both_screens!(
    a_provider_logs_in_without_a_token,
    a_mailed_link_logs_in_without_a_token,
    a_lost_device_is_logged_out_from_another,
    a_copied_log_in_is_of_no_use_and_the_browser_goes_on,
    a_browser_that_lost_its_key_logs_in_anew,
    a_link_logs_a_browser_in_and_it_stays_so,
    a_token_logs_in_and_out_again,
    a_dead_link_says_what_to_do
);

fn a_link_logs_a_browser_in_and_it_stays_so(screen: Screen) {
    let house = House::new(screen);
    let alice = house.guest(ALICE);
    assert!(!alice.app.url().contains("code="), "the link's code does not stay in the address");

    alice.app.reload();

    alice.app.find("textbox", "Address");
    alice.app.reads(ALICE);
    alice.person.assert_calm(&house.server.origin);
}

fn a_token_logs_in_and_out_again(screen: Screen) {
    let house = House::new(screen);
    let carol = house.newcomer(CAROL);
    carol.app.reads(CAROL);

    carol.app.press("Log out");

    carol.app.find("textbox", "Access token");
    carol.app.reload();
    carol.app.find("textbox", "Access token");
}

fn a_dead_link_says_what_to_do(screen: Screen) {
    let house = House::new(screen);
    let stranger = house.stranger();

    let page = stranger.open(&format!("{}/#code=0123456789abcdefghijkl", house.server.origin));

    page.find("textbox", "Access token");
    page.reads("not valid any more");
}

fn a_provider_logs_in_without_a_token(screen: Screen) {
    let provider = Provider::start();
    let hullo = Hullo::start(&[
        ("--login-issuer", &provider.issuer),
        ("--login-client-id", provider::LOGIN.0),
        ("--login-client-secret", provider::LOGIN.1),
        ("--login-name", "Example"),
        ("--login-sign-up", "example.com"),
    ]);
    let come = |name: &str| {
        let person = Browser::shared().person(name, screen);
        let page = person.open(&hullo.origin);
        page.click("link", "Log in with Example");
        page.fill("Enter any login", name);
        page.fill("and password", "x");
        page.press("Sign-in");
        page.press("Continue");
        (person, page)
    };

    let (_dora, dora) = come("dora");
    let (_erin, erin) = come("new-erin");

    dora.find("textbox", "Address");
    dora.reads("dora@example.com");
    assert_eq!(dora.url(), format!("{}/", hullo.origin));
    // Of her the provider does not know whether the address is hers.
    erin.reads("your mail address is not confirmed there");
    erin.find("link", "Log in with Example");
    check(&erin, screen, "not-let-in");
}

fn a_mailed_link_logs_in_without_a_token(screen: Screen) {
    let post = MailServer::start();
    let hullo = Hullo::start(&[
        ("--mail-server", &post.url),
        ("--mail-from", "Hullo <hullo@example.com>"),
        ("--login-sign-up", "example.com"),
    ]);
    let dora = Browser::shared().person("dora", screen);
    let page = dora.open(&hullo.origin);

    page.fill("Mail address", "dora");
    page.press("Send log-in link");
    page.reads("Type your mail address");
    page.fill("Mail address", "dora@example.com");
    page.press("Send log-in link");
    page.reads("a link is on its way");
    check(&page, screen, "link-on-its-way");
    let link = dora.open(&format!("{}/#code={}", hullo.origin, post.next().code()));

    link.find("textbox", "Address");
    link.reads("dora@example.com");
}

fn a_lost_device_is_logged_out_from_another(screen: Screen) {
    let house = House::new(screen);
    let (lost, kept) = (house.guest(ALICE), house.guest(ALICE));

    kept.app.press("Where you are logged in");
    kept.app.reads("This device, since");
    check(&kept.app, screen, "devices");
    kept.app.press("Log out: Chrome on Linux");

    lost.app.reads("You were logged out from another place");
    kept.app.loses("button", "Log out: Chrome on Linux");
    kept.app.reads(ALICE);
}

fn a_copied_log_in_is_of_no_use_and_the_browser_goes_on(screen: Screen) {
    let house = House::new(screen);
    let alice = house.guest(ALICE);
    let bob = house.guest(BOB);
    let token = alice.person.cookie("hullo").expect("she is logged in");

    let (cookie, bearer) = (format!("hullo={token}"), format!("Bearer {token}"));
    let origin = house.server.origin.as_str();
    for path in ["/session", "/contacts", "/session/devices"] {
        for headers in [("cookie", cookie.as_str()), ("authorization", bearer.as_str())] {
            let (status, body) = house.server.ask(path, &[headers]);
            assert_eq!(status, 401, "{path}: {body}");
            assert!(body.contains("proof-needed") && body.contains("Log in here"), "{body}");
        }
    }
    let upgrade = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="),
        ("origin", origin),
        ("cookie", &cookie),
    ];
    let (status, body) = house.server.ask("/live", &upgrade);
    assert_eq!(status, 401, "{body}");
    assert!(body.contains("proof-needed"), "{body}");

    // The key cannot be copied either.
    let taken = alice.app.evaluate(
        "(async () => {
            const open = indexedDB.open('hullo');
            const keys = await new Promise((done) => (open.onsuccess = () => done(open.result)));
            const get = keys.transaction('keys').objectStore('keys').get('install');
            const pair = await new Promise((done) => (get.onsuccess = () => done(get.result)));
            keys.close();
            return crypto.subtle.exportKey('pkcs8', pair.privateKey).then(() => 'taken', (no) => no.name);
        })()",
    );
    assert_eq!(taken.expect("it runs"), "InvalidAccessError");

    for _ in 0..2 {
        let hers = alice.dials(BOB);
        bob.is_rung_by(ALICE);
        hers.press("Cancel");
        bob.is_rung_no_more_by(ALICE);
        alice.app.reload();
        alice.app.find("textbox", "Address");
    }
}

fn a_browser_that_lost_its_key_logs_in_anew(screen: Screen) {
    let house = House::new(screen);
    let alice = house.guest(ALICE);
    let token = alice.person.cookie("hullo").expect("she is logged in");

    let gone =
        "new Promise((done) => (indexedDB.deleteDatabase('hullo').onsuccess = () => done(1)))";
    alice.app.evaluate(gone).expect("it runs");
    alice.app.reload();
    alice.app.find("textbox", "Access token");
    alice.app.fill("Access token", &house.server.new_token(ALICE));
    alice.app.press("Log in");

    alice.app.find("textbox", "Address");
    assert_ne!(alice.person.cookie("hullo"), Some(token));
}
