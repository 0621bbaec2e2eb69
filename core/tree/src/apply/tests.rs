//! Others may say what they like: nothing is taken in that its author did not write.

mod gaps;

use serde_json::json;
use wire::{NodeId, Set, Time, Timestamp};

use crate::court::Court;
use crate::fork::Fork;
use crate::shelf::What;
use crate::words::{Part, Say};
use crate::{
    Command, Config, Error, Event, Input, Kind, Life, Listing, Misuse, Output, Path, Root, Row,
    Rules, Tree, Weight, Who,
};

const NOON: Timestamp = Timestamp(1_793_000_000_000);
const ANN: NodeId = NodeId(0xa);
const BOB: NodeId = NodeId(0xb);
const CAROL: NodeId = NodeId(0xc);
const DAVE: NodeId = NodeId(0xd);

#[test]
fn no_bit_of_a_broadcast_can_be_turned() {
    let said = || {
        let (mut ann, bob) = (tree(ANN), tree(BOB));
        let mut bob = introduced(&mut ann, bob);
        write(&mut ann, Command::Delete { path: path("shared/old") });
        let first = casts(&mut ann);
        write(&mut ann, update("shared/topic", "new"));
        let second = casts(&mut ann);
        hear(&mut bob, ANN, &first[0]).expect("Ann wrote that");
        (bob, second[0].clone())
    };
    let (mut bob, part) = said();
    hear(&mut bob, ANN, &part).expect("Ann wrote that");
    let right = (view(&bob), bob.digest());

    for bit in 0..part.len() * 8 {
        let (mut bob, mut part) = said();
        let before = (view(&bob), bob.digest());
        part[bit / 8] ^= 1 << (bit % 8);
        hear(&mut bob, ANN, &part).ok();
        let now = (view(&bob), bob.digest());
        // A number that is gone anyway may be told in another way.
        assert!(now == before || now == right, "bit {bit} was turned: {now:?}");

        part[bit / 8] ^= 1 << (bit % 8);
        hear(&mut bob, ANN, &part).expect("Ann wrote that");
        assert_eq!((view(&bob), bob.digest()), right, "after bit {bit}");
    }
}

#[test]
fn no_bit_of_a_whole_map_can_be_turned_by_whoever_hands_it_on() {
    let mut ann = tree(ANN);
    introduced(&mut ann, tree(BOB));
    let delta = whole(&mut ann, CAROL);
    let mut carol = opened(tree(CAROL), BOB);
    told(&mut carol, BOB, &delta).expect("Ann wrote that");
    let right = (view(&carol), carol.digest());
    let mut refused = 0;

    for bit in 0..delta.len() * 8 {
        let mut carol = opened(tree(CAROL), BOB);
        let before = (view(&carol), carol.digest());
        let mut altered = delta.clone();
        altered[bit / 8] ^= 1 << (bit % 8);

        let result = told(&mut carol, BOB, &altered);

        refused += u32::from(matches!(result, Err(Error::PeerMisbehaved { peer: BOB, .. })));
        // Whether that was all is the word of whoever hands it on.
        let now = (view(&carol), carol.digest());
        assert!(now == before || (bit == 8 && now == right), "bit {bit} was turned: {now:?}");
    }
    // The rest are others' maps that are not known, stamps of another year, and pieces that never end.
    assert!(refused > delta.len() as u32 * 6, "{refused} of {} bits", delta.len() * 8);
}

#[test]
fn of_one_who_is_there_twice_nothing_of_the_other_is_left_when_a_whole_map_comes() {
    let life = |places: &[&str]| {
        let mut ann = tree(ANN);
        places.iter().for_each(|place| write(&mut ann, update(place, place)));
        ann
    };
    // Under the same numbers at other places.
    let mut first = life(&["shared/one", "shared/two", "shared/three"]);
    let mut second = life(&["shared/two", "shared/three", "shared/four", "shared/five"]);
    let mut bob = opened(tree(BOB), CAROL);
    told(&mut bob, CAROL, &whole(&mut first, BOB)).expect("Ann wrote that");
    assert_eq!(view(&bob), view(&first));

    told(&mut bob, CAROL, &whole(&mut second, BOB)).expect("and that");

    assert_eq!(view(&bob), view(&second));
    assert_eq!(bob.get(&path("shared/one")), None);
}

#[test]
fn of_one_who_is_there_twice_a_value_under_the_stamp_of_the_other_is_told() {
    let life = |text: &str, places: &[&str]| {
        let mut ann = tree(ANN);
        places.iter().for_each(|place| write(&mut ann, update(place, text)));
        ann
    };
    let mut first = life("one", &["shared/one"]);
    let mut second = life("other", &["shared/one", "shared/two"]);
    let mut bob = opened(tree(BOB), CAROL);
    bob.handle(Time::ZERO, Input::Watch { path: None }).expect("anybody may watch");
    told(&mut bob, CAROL, &whole(&mut first, BOB)).expect("Ann wrote that");
    while bob.poll().is_some() {}

    told(&mut bob, CAROL, &whole(&mut second, BOB)).expect("and that");

    let told = std::iter::from_fn(|| bob.poll()).any(|output| {
        matches!(output, Output::Event(Event::Updated { value, old, .. })
            if value == json!({ "text": "other" }) && old == json!({ "text": "one" }))
    });
    assert!(told);
}

#[test]
fn what_was_said_before_changes_nothing_when_it_is_said_again() {
    let mut ann = tree(ANN);
    let bob = tree(BOB);
    let mut bob = introduced(&mut ann, bob);
    let old_map = whole(&mut ann, BOB);
    let mut said = Vec::new();
    for n in 0..6 {
        write(&mut ann, update("shared/topic", &format!("version {n}")));
        said.extend(casts(&mut ann));
    }
    said.iter().for_each(|part| hear(&mut bob, ANN, part).expect("Ann wrote that"));
    let right = (view(&bob), bob.digest());

    for part in said.iter().chain(said.iter().rev()) {
        hear(&mut bob, ANN, part).expect("it was right once");
    }
    let mut bob = opened(bob, CAROL);
    told(&mut bob, CAROL, &old_map).expect("it was right once");

    assert_eq!((view(&bob), bob.digest()), right);
}

#[test]
fn whoever_withholds_an_entry_is_found_out_at_once() {
    for missing in 0..4 {
        let mut ann = tree(ANN);
        introduced(&mut ann, tree(BOB));
        let delta = altered(&whole(&mut ann, CAROL), |part| {
            part.live.remove(missing);
        });
        let mut carol = opened(tree(CAROL), BOB);

        let result = told(&mut carol, BOB, &delta);

        assert!(matches!(result, Err(Error::PeerMisbehaved { peer: BOB, .. })), "{result:?}");
        assert_eq!(carol.weight().entries, 0);
    }
}

#[test]
fn neither_path_nor_value_nor_author_nor_time_can_be_changed() {
    type Forgery = fn(&mut Part<'_>);
    let forgeries: [(&str, Forgery); 8] = [
        ("path", |part| part.live[1].list = "shared/elsewhere"),
        ("value", |part| part.live[1].json = r#"{"text":"forged"}"#),
        ("author", |part| part.author = DAVE),
        ("time", |part| part.live[1].stamp.0 += 1),
        ("birth", |part| part.live[1].born.0 -= 1),
        ("number", |part| part.upto += 1),
        ("what it does", |part| part.live[1].what = What::Ephemeral),
        ("proof", |part| part.proof = None),
    ];
    for (what, forge) in forgeries {
        let mut ann = tree(ANN);
        introduced(&mut ann, tree(BOB));
        let delta = altered(&whole(&mut ann, CAROL), forge);
        let mut carol = opened(tree(CAROL), BOB);

        let result = told(&mut carol, BOB, &delta);

        assert!(
            matches!(result, Err(Error::PeerMisbehaved { peer: BOB, .. })),
            "{what}: {result:?}"
        );
        assert_eq!((carol.weight().entries, view(&carol)), (0, Vec::new()), "{what}");
    }
}

#[test]
fn a_write_that_the_rules_forbid_is_refused_though_its_author_proves_it() {
    let open = Rules::new([row("**")], Set::new()).expect("that is a pattern");
    for (at, life) in [
        ("users/000000000000000c", Life::Ephemeral),
        ("users/000000000000000a", Life::Lasting),
        ("nowhere", Life::Lasting),
    ] {
        let config = Config { rules: open.clone(), ..Config::default() };
        let mut ann = Tree::new(config, Time::ZERO, NOON, ANN, Court::of(ANN));
        write(&mut ann, create(at, "mine", life));
        let delta = whole(&mut ann, CAROL);
        let mut carol = opened(tree(CAROL), BOB);

        let result = told(&mut carol, BOB, &delta);

        assert!(matches!(result, Err(Error::PeerMisbehaved { peer: BOB, .. })), "{at}: {result:?}");
        assert_eq!(carol.weight(), Weight { authors: 2, ..Default::default() });
    }
}

#[test]
fn whoever_says_two_things_under_one_number_is_heard_no_more() {
    let (mut bob, mut carol, mut dave) = (tree(BOB), tree(CAROL), tree(DAVE));
    let mut ann = tree(ANN);
    bob = introduced(&mut ann, bob);
    carol = introduced(&mut ann, carol);
    // She says one thing to Bob and, as if she had never said it, another to Carol.
    let mut other_ann = tree(ANN);
    write(&mut other_ann, update("shared/old", "x"));
    write(&mut other_ann, add("said to all"));
    write(&mut other_ann, update("users/000000000000000a", "here"));
    write(&mut other_ann, update("shared/topic", "old"));
    casts(&mut other_ann);
    assert_eq!(ann.own().at, other_ann.own().at);
    write(&mut ann, add("to Bob"));
    write(&mut other_ann, add("to Carol"));
    casts(&mut ann).iter().for_each(|part| hear(&mut bob, ANN, part).expect("Ann wrote that"));
    for part in casts(&mut other_ann) {
        hear(&mut carol, ANN, &part).expect("Ann wrote that");
    }
    assert_ne!(bob.digest(), carol.digest());

    meet(&mut bob, &mut carol);
    meet(&mut carol, &mut dave);
    meet(&mut bob, &mut dave);

    for tree in [&mut bob, &mut carol, &mut dave] {
        assert!(tree.is_frozen(ANN));
        let by_ann = view(tree).iter().filter(|(_, _, by)| *by == ANN).count();
        assert_eq!(by_ann, 0);
        assert_eq!(tree.weight().entries, 0);
    }
    assert_eq!((bob.digest(), bob.digest()), (carol.digest(), dave.digest()));
    // She learns it, and cannot go on.
    meet(&mut bob, &mut ann);
    let result = ann.handle(Time::ZERO, Input::Do(add("more")));
    assert_eq!(result, Err(Error::Misuse(Misuse::Frozen)));
}

#[test]
fn a_contradiction_that_is_none_freezes_nobody() {
    let mut ann = tree(ANN);
    let mut bob = opened(introduced(&mut ann, tree(BOB)), CAROL);
    let seal = ann.own().seals.back().expect("Ann has stated her map").clone();
    let mut other = seal.clone();
    other.roots.0 = Root([7; 32]);
    let forged = [
        [seal.clone(), seal.clone()],
        [seal.clone(), other.clone()],
        [other.clone(), seal.clone()],
    ];

    for seals in forged {
        let fork = Box::new(Fork { author: ANN, seals });
        let result = told(&mut bob, CAROL, &Say::Fork(fork).encode());
        assert!(matches!(result, Err(Error::PeerMisbehaved { peer: CAROL, .. })), "{result:?}");
    }
    let result = told(&mut bob, CAROL, &Say::Seal(ANN, other).encode());
    assert!(matches!(result, Err(Error::PeerMisbehaved { peer: CAROL, .. })), "{result:?}");
    assert!(!bob.is_frozen(ANN));
}

#[test]
fn two_lives_of_different_length_end_as_the_longer_one_everywhere() {
    let (mut ann, mut other_ann) = (tree(ANN), tree(ANN));
    write(&mut ann, add("one"));
    for n in 0..20 {
        write(&mut other_ann, add(&format!("other {n}")));
    }
    let mut bob = introduced_to(&mut ann, tree(BOB));
    let mut carol = introduced_to(&mut other_ann, tree(CAROL));

    meet(&mut bob, &mut carol);
    meet(&mut bob, &mut carol);

    assert_eq!(bob.digest(), carol.digest());
    assert_eq!(view(&bob), view(&carol));
    assert_eq!(view(&bob).len(), 20);
}

fn row(pattern: &'static str) -> Row {
    let (who, kind) = (Who::Anyone, Kind::Register);
    Row { pattern: pattern.into(), who, kind, value_bytes_max: 1_000, entries_max: 100 }
}

fn path(text: &str) -> Path {
    text.parse().expect("tests name paths well")
}

fn create(at: &str, text: &str, life: Life) -> Command {
    Command::Create { path: path(at), value: json!({ "text": text }), life }
}

fn update(at: &str, text: &str) -> Command {
    let life = if at.starts_with("users") { Life::Ephemeral } else { Life::Lasting };
    Command::Update { path: path(at), value: json!({ "text": text }), partial: false, life }
}

fn add(text: &str) -> Command {
    Command::Add { path: path("messages"), value: json!({ "text": text }), life: Life::Lasting }
}

fn tree(me: NodeId) -> Tree<Court> {
    Tree::new(Config::default(), Time::ZERO, NOON, me, Court::of(me))
}

fn write(tree: &mut Tree<Court>, command: Command) {
    tree.handle(Time::ZERO, Input::Do(command)).expect("that may be written");
}

fn hear(tree: &mut Tree<Court>, author: NodeId, bytes: &[u8]) -> Result<(), Error> {
    tree.handle(Time::ZERO, Input::Heard { author, bytes: bytes.to_vec() })
}

fn told(tree: &mut Tree<Court>, peer: NodeId, bytes: &[u8]) -> Result<(), Error> {
    tree.handle(Time::ZERO, Input::Told { peer, bytes: bytes.to_vec() })
}

fn present(tree: &mut Tree<Court>, came: &[NodeId], went: &[NodeId]) {
    let (came, went) = (came.to_vec(), went.to_vec());
    tree.handle(Time::ZERO, Input::Present { came, went }).expect("presence is a fact");
}

/// What the tree has said to all since the last time.
fn casts(tree: &mut Tree<Court>) -> Vec<Vec<u8>> {
    let outputs = std::iter::from_fn(|| tree.poll());
    let cast = |output| match output {
        Output::Cast { bytes, .. } => Some(bytes),
        Output::Tell { .. } | Output::Event(_) => None,
    };
    outputs.filter_map(cast).collect()
}

/// What it has said to `to`.
fn tells(tree: &mut Tree<Court>, to: NodeId) -> Vec<Vec<u8>> {
    let outputs = std::iter::from_fn(|| tree.poll());
    let tell = |output| match output {
        Output::Tell { peer, bytes } if peer == to => Some(bytes),
        Output::Tell { .. } | Output::Cast { .. } | Output::Event(_) => None,
    };
    outputs.filter_map(tell).collect()
}

/// A tree with a neighbour.
fn opened(mut tree: Tree<Court>, peer: NodeId) -> Tree<Court> {
    tree.handle(Time::ZERO, Input::Opened { peer, bridge: true }).expect("a link may open");
    tells(&mut tree, peer);
    tree
}

/// Gives Ann something to say, and lets `other` have all of it.
fn introduced(ann: &mut Tree<Court>, other: Tree<Court>) -> Tree<Court> {
    if ann.weight().entries == 0 {
        for command in [
            update("shared/old", "x"),
            add("said to all"),
            update("users/000000000000000a", "here"),
            update("shared/topic", "old"),
        ] {
            write(ann, command);
        }
    }
    introduced_to(ann, other)
}

fn introduced_to(ann: &mut Tree<Court>, other: Tree<Court>) -> Tree<Court> {
    casts(ann);
    let to = other.me;
    let mut other = opened(other, ANN);
    told(&mut other, ANN, &whole(ann, to)).expect("Ann wrote that");
    other.handle(Time::ZERO, Input::Closed { peer: ANN }).expect("a link may close");
    casts(&mut other);
    other
}

/// What a tree tells a newcomer of everybody else.
fn whole(tree: &mut Tree<Court>, to: NodeId) -> Vec<u8> {
    let others = tree.authors.iter().filter(|(author, map)| **author != to && map.at > 0);
    let lists = &tree.lists;
    let parts =
        others.filter(|(_, map)| map.len() > 0).map(|(author, map)| map.since(*author, 0, lists));
    Say::Delta { last: true, parts: parts.collect() }.encode()
}

/// A delta with its first part changed.
fn altered(delta: &[u8], change: impl FnOnce(&mut Part<'_>)) -> Vec<u8> {
    let Some(Say::Delta { last, mut parts }) = Say::decode(delta, BOB) else {
        panic!("not a delta")
    };
    change(&mut parts[0]);
    Say::Delta { last, parts }.encode()
}

/// Links two, lets them talk until they are silent, and cuts the link.
fn meet(one: &mut Tree<Court>, other: &mut Tree<Court>) {
    let names = [one.me, other.me];
    let trees = [one, other];
    for end in [0, 1] {
        let opened = Input::Opened { peer: names[1 - end], bridge: true };
        trees[end].handle(Time::ZERO, opened).expect("a link may open");
    }
    for _ in 0..20 {
        for end in [0, 1] {
            let mut said = Vec::new();
            while let Some(output) = trees[end].poll() {
                match output {
                    Output::Tell { peer, bytes } if peer == names[1 - end] => {
                        said.push((true, bytes));
                    }
                    Output::Cast { bytes, .. } => said.push((false, bytes)),
                    Output::Tell { .. } | Output::Event(_) => {}
                }
            }
            for (is_told, bytes) in said {
                let peer = names[end];
                let input = if is_told {
                    Input::Told { peer, bytes }
                } else {
                    Input::Heard { author: peer, bytes }
                };
                trees[1 - end].handle(Time::ZERO, input).expect("both are honest");
            }
        }
    }
    for end in [0, 1] {
        let closed = Input::Closed { peer: names[1 - end] };
        trees[end].handle(Time::ZERO, closed).expect("a link may close");
    }
}

/// All that is seen, who is present or not.
fn view(tree: &Tree<Court>) -> Vec<(String, String, NodeId)> {
    let all = ["users", "shared", "messages", "links"].map(path);
    let entries = all.iter().flat_map(|list| tree.list(list, Listing::default()));
    entries.map(|entry| (entry.path.to_string(), entry.json.to_string(), entry.by)).collect()
}
