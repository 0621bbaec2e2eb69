//! Plain requests: who is it, an id please, who is there.

use serde_json::json;

use super::{Case, Difference, Either, Setup, Target, http};

pub(super) const CASES: &[Case] = &[
    Case::alike("the_base_says_what_it_is", Setup::USUAL, banner),
    Case::alike("an_id_is_text_that_clients_take", Setup::USUAL, id),
    Case::alike("no_two_ids_are_alike", Setup::USUAL, ids),
    Case::alike("queries_and_a_last_slash_do_not_matter", Setup::USUAL, decorated),
    Case::alike("ids_are_below_the_own_path_and_key", Setup::OWN, own),
    Case::alike("outside_of_the_own_path_is_nothing", Setup::OWN, outside),
    Case::alike("a_head_has_no_body", Setup::USUAL, head),
    Case::alike("who_is_there_is_not_told_by_default", Setup::USUAL, no_discovery),
    Case::alike("who_is_there_is_told_where_allowed", Setup::OWN, discovery),
    Case::alike("unknown_paths_are_not_found", Setup::USUAL, unknown),
    Case::alike("pages_of_any_origin_may_ask", Setup::USUAL, cors),
    Case::alike("who_is_no_page_is_told_nothing_of_origins", Setup::USUAL, no_origin),
    Case::alike("a_browser_may_ask_whether_it_may_ask", Setup::USUAL, preflight),
    Case::differs(
        "a_foreign_key_gets_no_id",
        Setup::OWN,
        Difference {
            when: "an id is asked for with a foreign key",
            peerserver: "200, an id",
            hullo: "404",
            why: "The key is checked where it first appears, so a client that is set up wrongly says so before it connects.",
        },
        foreign_key,
    ),
];

fn banner(at: &Target) {
    let answer = http::ask("GET", &at.url(""), &[("accept", "application/json")], "");

    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({
            "name": "PeerJS Server",
            "description": "A server side element to broker connections between PeerJS clients.",
            "website": "https://peerjs.com/",
        })
    );
}

fn id(at: &Target) {
    let answer = at.get("peerjs/id?ts=17000000000000.123&version=1.5.5");

    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/")));
    // The rule of the client, which would refuse to use any other.
    let words = answer.body.split([' ', '_', '-']);
    assert!(
        words
            .clone()
            .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric())),
        "{}",
        answer.body
    );
}

fn ids(at: &Target) {
    let mut ids: Vec<_> = (0..20).map(|_| at.get("peerjs/id").body).collect();

    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
}

fn decorated(at: &Target) {
    for route in ["peerjs/id/", "peerjs/id?a=b"] {
        assert_eq!(at.get(route).status, 200, "{route}");
    }
}

fn own(at: &Target) {
    assert_eq!(at.get("secret/id").status, 200);
    assert_eq!(at.get("").status, 200);
}

fn outside(at: &Target) {
    let url = format!("http://{}/secret/id", at.address);

    assert_eq!(http::get(&url).status, 404);
}

fn head(at: &Target) {
    let answer = http::ask("HEAD", &at.url("peerjs/id"), &[], "");

    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
}

fn no_discovery(at: &Target) {
    let answer = at.get("peerjs/peers");

    assert_eq!(answer.status, 401);
}

fn discovery(at: &Target) {
    let (id, _socket) = at.guest("listed");

    let answer = at.get("secret/peers");

    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json")));
    let ids = answer.json();
    assert!(ids.as_array().is_some_and(|ids| ids.contains(&json!(id))), "{ids}");
}

fn unknown(at: &Target) {
    for route in ["nothing/here/at/all", "peerjs/nothing"] {
        assert_eq!(at.get(route).status, 404, "{route}");
    }
}

fn cors(at: &Target) {
    for route in ["", "peerjs/id", "peerjs/peers"] {
        let headers = [("origin", "https://site.example"), ("accept", "*/*")];
        let answer = http::ask("GET", &at.url(route), &headers, "");

        assert_eq!(answer.header("access-control-allow-origin"), Some("https://site.example"));
        assert!(answer.header("vary").is_some_and(|vary| vary.to_lowercase().contains("origin")));
        assert_eq!(answer.header("access-control-allow-credentials"), None, "{route}");
    }
}

fn no_origin(at: &Target) {
    assert_eq!(at.get("peerjs/id").header("access-control-allow-origin"), None);
}

fn preflight(at: &Target) {
    let headers = [
        ("origin", "https://site.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type"),
    ];

    let answer = http::ask("OPTIONS", &at.url("peerjs/id"), &headers, "");

    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://site.example"));
    assert_eq!(answer.header("access-control-allow-headers"), Some("content-type"));
    let methods = answer.header("access-control-allow-methods").unwrap_or_default();
    assert!(methods.contains("GET") && methods.contains("POST"), "{methods}");
}

fn foreign_key(at: &Either<'_>) {
    assert_eq!(at.get("foreign/id").status, at.choose(200, 404));
}
