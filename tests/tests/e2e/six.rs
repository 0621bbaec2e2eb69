//! Six conference pages in one call, each a node of its own: links break and mend by themselves, a page dies, and in
//! the end everybody lists the same people and reads the same conversation.

use std::collections::BTreeSet;
use std::time::Duration;

use tests::{Browser, Devices, Page, Screen, within};

use crate::group::invite;
use crate::house::{ALICE, BOB, CAROL, Guest, House, lists, open_chat, say};

const DAVE: &str = "dave@example.com";
const EMMA: &str = "emma@example.com";
const FRANK: &str = "frank@example.com";

/// How long until a dead page is gone from every list: the bar is fifteen seconds, and six pages on two cores add to it.
const GONE: Duration = Duration::from_secs(40);

/// How long until links are there again.
const MENDED: Duration = Duration::from_secs(40);

#[test]
fn six_pages_lose_links_and_one_of_them_and_agree_in_the_end() {
    let house = House::new(Screen::Desktop);
    // Without cameras there are no pictures to encode six times over: this is about the links.
    let browser = Browser::start(Devices::None).expect("a second browser starts");
    let (alice, bob) = (house.guest_at(&browser, ALICE), house.guest_at(&browser, BOB));
    let others = [CAROL, DAVE, EMMA, FRANK].map(|user| (user, house.newcomer_at(&browser, user)));
    let mut pages = vec![alice.dials(BOB), bob.answers(ALICE)];
    // Alice invites Carol, Bob invites Dave, and so on: a tree of invites, as calls grow.
    for (at, (user, guest)) in others.iter().enumerate() {
        pages.push(joins(&pages[at], [ALICE, BOB, CAROL, DAVE][at], user, guest));
    }
    let users = [ALICE, BOB, CAROL, DAVE, EMMA, FRANK];
    pages.iter().for_each(|page| lists(page, &users));
    // Beside the links that the invites brought, the nodes have linked everybody to everybody.
    pages.iter().for_each(|page| has_links(page, users.len() - 1));
    let mut said: Vec<String> = users.iter().map(|user| format!("{user} is here")).collect();
    pages.iter().zip(&said).for_each(|(page, text)| say(page, text));

    // Carol's transport fails but for one link; nobody is told. What she says meanwhile reaches all.
    let carol = &pages[2];
    assert_eq!(break_links(carol, 1), users.len() - 2, "all of her links but one");
    say(carol, "Can you still hear me?");
    said.push("Can you still hear me?".to_owned());
    pages.iter().for_each(|page| reads(page, "Can you still hear me?"));
    has_links(carol, users.len() - 1);

    // Two more lose some links, at the same time.
    for page in [&pages[0], &pages[4]] {
        assert!(break_links(page, 2) > 0);
    }
    pages.iter().for_each(|page| has_links(page, users.len() - 1));

    // Frank's page dies without a word.
    let frank = pages.pop().expect("he was the last to join");
    frank.crash();
    say(&pages[3], "Where is Frank?");
    said.push("Where is Frank?".to_owned());
    for page in &pages {
        page.reads_within(GONE, "The connection to frank@example.com was lost.");
        lists(page, &users[..5]);
        assert!(!page.text().contains("6 people"));
    }

    let conversations: BTreeSet<Vec<String>> = pages.iter().map(conversation).collect();
    assert_eq!(conversations.len(), 1, "one conversation in one order: {conversations:#?}");
    let read = conversations.into_iter().next().expect("there is one");
    assert_eq!(read.iter().collect::<BTreeSet<_>>(), said.iter().collect::<BTreeSet<_>>());
    assert_eq!(read.len(), said.len(), "nothing twice");
    alice.person.assert_calm(&house.server.origin);
}

/// Somebody in the call rings `user`, who answers.
fn joins(inviting: &Page, inviter: &str, user: &str, guest: &Guest) -> Page {
    invite(inviting, user);
    let page = guest.answers(inviter);
    page.find("button", "Chat");
    page
}

fn reads(page: &Page, text: &str) {
    open_chat(page);
    page.reads(text);
}

/// The connections of a page that carry links, wherever in it they are.
const LINKS: &str = "const links = (function all(view) {
    const inner = [...view.document.querySelectorAll('iframe')].map((frame) => frame.contentWindow).filter(Boolean);
    const own = view.hulloWitness ? view.hulloWitness.peers : [];
    return [...own, ...inner.flatMap(all)];
})(window).filter((peer) => peer.sctp && peer.connectionState === 'connected');";

/// Waits until a page has so many links.
#[track_caller]
pub(crate) fn has_links(page: &Page, count: usize) {
    let ask = format!("(() => {{ {LINKS} return links.length; }})()");
    within(MENDED, &format!("{count} links"), || {
        let found = page.evaluate(&ask).ok()?.as_u64()?;
        (found as usize >= count).then_some(())
    });
}

/// Closes the connections of a page under it, all but `spared`: it is not told, and hears nothing more. Gives how many
/// there were.
pub(crate) fn break_links(page: &Page, spared: usize) -> usize {
    let close = format!(
        "(() => {{ {LINKS} const lost = links.slice({spared}); lost.forEach((peer) => peer.close()); return lost.length; }})()"
    );
    page.evaluate(&close).ok().and_then(|count| count.as_u64()).unwrap_or_default() as usize
}

/// What was said, in the order in which it stands.
fn conversation(page: &Page) -> Vec<String> {
    open_chat(page);
    let ask = "(function read(view) {
        const frames = [...view.document.querySelectorAll('iframe')].filter((frame) => frame.contentWindow);
        const lines = [...view.document.querySelectorAll('[role=log] .bubble')].map((line) => line.textContent);
        return [...lines, ...frames.flatMap((frame) => read(frame.contentWindow))];
    })(window)";
    let lines = page.evaluate(ask).expect("the page runs");
    let lines = lines.as_array().into_iter().flatten();
    lines.filter_map(|line| line.as_str().map(str::to_owned)).collect()
}
