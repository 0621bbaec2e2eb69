//! Logging in, staying so, logging out.

use tests::{Browser, Hullo, MailServer, Provider, Screen, provider};

use crate::house::{ALICE, CAROL, House};
use crate::looks::check;
use crate::on_both_screens;

on_both_screens!(
    a_provider_logs_in_without_a_token,
    a_mailed_link_logs_in_without_a_token,
    a_lost_device_is_logged_out_from_another,
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
