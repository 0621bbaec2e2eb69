//! The harness itself: that it finds what is there, presses it, and sees red when it should.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tests::{Browser, Page, Person, Screen};

#[test]
fn a_control_is_found_and_pressed_even_in_a_frame() {
    let (_person, page) = open(
        "<h1>Outside</h1><iframe srcdoc=\"<button aria-pressed=false onclick='this.ariaPressed=true'>Microphone</button>\"></iframe>",
    );
    assert_eq!(page.find("button", "Microphone").pressed, Some(false));

    page.press("Microphone");

    assert_eq!(page.find("button", "Microphone").pressed, Some(true));
    page.reads("Outside");
}

#[test]
fn a_field_takes_text_in_place_of_what_it_held() {
    let (_person, page) = open("<label>Address <input value=old></label>");

    page.fill("Address", "bob@example.com");

    assert_eq!(page.find("textbox", "Address").value, "bob@example.com");
}

#[test]
fn what_is_missing_is_reported_with_what_is_there() {
    let (_person, page) = open("<button>Hang up</button>");

    let panic = catch_unwind(AssertUnwindSafe(|| {
        page.find_within(std::time::Duration::ZERO, "button", "Leave")
    }));

    let words =
        *panic.expect_err("it is not there").downcast::<String>().expect("a panic in words");
    assert!(words.contains("no button `Leave`") && words.contains("button `Hang up`"), "{words}");
}

#[test]
fn axe_sees_a_field_without_a_name_and_we_a_page_that_is_too_wide() {
    for (bad, rule) in [("<input>", "label:"), ("<p style='width: 9000px'>X", "reflow:")] {
        let html = format!("<html lang=en><title>X</title><main><h1>X</h1>{bad}</main>");
        let (_person, page) = open(&html);

        let verdict = catch_unwind(AssertUnwindSafe(|| page.assert_accessible("a bad page")));

        let words =
            *verdict.expect_err("it is a bad page").downcast::<String>().expect("a panic in words");
        assert!(words.contains(rule), "{words}");
    }
}

#[test]
fn a_request_to_another_origin_is_noticed() {
    let (person, page) = open("<img src='https://elsewhere.example/pixel'>");

    tests::eventually("the request", || {
        page.record().requests.iter().any(|url| url.contains("elsewhere")).then_some(())
    });

    assert!(catch_unwind(AssertUnwindSafe(|| person.assert_calm("http://127.0.0.1"))).is_err());
}

fn open(html: &str) -> (Person, Page) {
    let person = Browser::shared().person("a tester", Screen::Desktop);
    let page =
        person.open(&format!("data:text/html,{}", html.replace('#', "%23").replace('\n', " ")));
    (person, page)
}
