//! Stories of PeerJS clients that come, call, blink and leave, through the public interface.

use std::time::Duration;

use broker::{
    Broker, Capabilities, Config, Device, Ending, Error, Input, Line, Output, Peer, Policy, Proof,
    Refusal, Signal, SocketId, Standing, Word,
};
use wire::peerjs::{Kind, PeerId};
use wire::{InstanceId, Seed, Time};

#[test]
fn an_offer_arrives_with_the_source_that_the_server_knows() {
    let mut town = Town::open();
    town.join(1, "alice");
    town.join(2, "bob");

    town.say(1, Kind::Offer, "bob");

    assert_eq!(town.heard(), ["1 OPEN", "2 OPEN", "2 OFFER alice>bob"]);
}

#[test]
fn the_same_token_has_its_place_back_at_once_and_hears_what_waited() {
    let mut town = Town::open();
    town.join(1, "alice");
    town.join(2, "bob");
    town.part(2, Ending::Lost);
    town.say(1, Kind::Offer, "bob");
    town.say(1, Kind::Candidate, "bob");
    town.heard();

    town.join(3, "bob");

    assert_eq!(town.heard(), ["3 OPEN", "3 OFFER alice>bob", "3 CANDIDATE alice>bob"]);
}

#[test]
fn a_half_open_socket_is_superseded_by_the_same_token_and_never_by_another() {
    let mut town = Town::open();
    town.join(1, "bob");

    let thief = town.join_as(2, guest("bob"), 666, Line::Socket, Standing::default());
    town.join(3, "bob");

    assert_eq!(thief, Err(Error::Refused(Refusal::IdTaken)));
    assert_eq!(town.heard(), ["1 OPEN", "1 ends: Superseded", "3 OPEN"]);
}

#[test]
fn a_place_is_kept_for_one_who_broke_off_and_free_when_one_closed() {
    let mut town = Town::open();
    let other = |town: &mut Town, socket| {
        town.join_as(socket, guest("bob"), 666, Line::Socket, Standing::default())
    };
    town.join(1, "bob");
    town.part(1, Ending::Lost);
    assert_eq!(other(&mut town, 2), Err(Error::Refused(Refusal::IdTaken)));
    town.pass(10);
    assert_eq!(other(&mut town, 3), Ok(()), "the grace is over");

    town.part(3, Ending::PageGone);
    town.join(4, "bob");

    assert_eq!(town.heard(), ["1 OPEN", "3 OPEN", "4 OPEN"]);
}

#[test]
fn partners_hear_that_one_is_gone_after_the_grace_and_not_before() {
    let mut town = Town::talking();
    town.part(2, Ending::Lost);
    town.pass(9);
    assert_eq!(town.heard(), [""; 0]);

    town.pass(1);

    assert_eq!(town.heard(), ["1 LEAVE bob>alice"]);
}

#[test]
fn a_blink_is_not_told() {
    let mut town = Town::talking();
    town.part(2, Ending::Lost);
    town.pass(9);

    town.join(3, "bob");
    town.pass(60);

    assert_eq!(town.heard(), ["3 OPEN"]);
}

#[test]
fn who_says_leave_is_believed_at_once() {
    let mut town = Town::talking();

    town.part(2, Ending::Left);

    assert_eq!(town.heard(), ["2 ends: Left", "1 LEAVE bob>alice"]);
    assert_eq!(town.join_as(3, guest("bob"), 666, Line::Socket, Standing::default()), Ok(()));
}

#[test]
fn who_disconnects_on_purpose_keeps_its_calls_and_ends_what_rings() {
    let mut town = Town::talking();
    town.join(3, "carol");
    town.say(2, Kind::Offer, "carol");
    town.heard();

    town.part(2, Ending::Disconnected);
    town.pass(10);

    assert_eq!(town.heard(), ["3 LEAVE bob>carol"]);
}

#[test]
fn who_waits_in_vain_hears_it_once_for_an_offer_and_its_candidates() {
    let mut town = Town::open();
    town.join(1, "alice");
    town.say(1, Kind::Offer, "nobody");
    town.pass(4);
    town.say(1, Kind::Candidate, "nobody");
    town.heard();

    town.pass(1);
    town.say(1, Kind::Candidate, "nobody");
    town.pass(10);

    assert_eq!(town.heard(), ["1 EXPIRE nobody>alice"]);
    assert_eq!(town.broker.load().letters_bytes, 0);
}

#[test]
fn a_second_offer_waits_its_own_time() {
    let mut town = Town::open();
    town.join(1, "alice");
    town.say(1, Kind::Offer, "bob");
    town.pass(4);
    town.say(1, Kind::Offer, "bob");
    town.say(1, Kind::Candidate, "bob");
    town.pass(2);
    assert_eq!(town.heard(), ["1 OPEN", "1 EXPIRE bob>alice"]);

    town.join(2, "bob");

    assert_eq!(town.heard(), ["2 OPEN", "2 OFFER alice>bob", "2 CANDIDATE alice>bob"]);
}

#[test]
fn nobody_can_come_by_a_name_that_is_no_users_where_guests_may_not() {
    let mut town = Town::with(Config::default());
    town.user("alice");
    town.user("bob");
    town.device(1, "alice", 1, Standing::default()).unwrap();
    town.say(1, Kind::Offer, "carol");
    town.say(1, Kind::Offer, "bob");

    assert_eq!(town.heard(), ["1 OPEN", "1 EXPIRE carol>alice"], "bob may yet come");
}

#[test]
fn a_guest_never_has_a_users_name() {
    let mut town = Town::open();
    town.join(1, "alice");

    town.user("alice");
    let again = town.join_as(2, guest("alice"), 1, Line::Socket, Standing::default());

    assert_eq!(town.heard(), ["1 OPEN", "1 ends: NameTaken"]);
    assert_eq!(again, Err(Error::Refused(Refusal::NameOfUser)));
}

#[test]
fn an_offer_to_a_user_rings_everywhere_and_the_first_answer_wins() {
    let mut town = Town::ringing(Policy::All);
    assert_eq!(town.heard(), ["2 OFFER alice>bob", "3 OFFER alice>bob"]);

    town.say(3, Kind::Candidate, "alice");
    town.say(1, Kind::Candidate, "bob");
    town.say(2, Kind::Answer, "alice");
    town.say(3, Kind::Answer, "alice");
    town.say(3, Kind::Candidate, "alice");
    town.say(1, Kind::Candidate, "bob");
    town.say(2, Kind::Candidate, "alice");

    assert_eq!(
        town.heard(),
        [
            "2 CANDIDATE alice>bob",
            "3 CANDIDATE alice>bob",
            "3 LEAVE alice>bob",
            "1 ANSWER bob>alice",
            "2 CANDIDATE alice>bob",
            "1 CANDIDATE bob>alice",
        ]
    );
}

#[test]
fn what_the_winner_said_before_its_answer_follows_it() {
    let mut town = Town::ringing(Policy::All);
    town.say(2, Kind::Candidate, "alice");
    town.heard();

    town.say(2, Kind::Answer, "alice");

    assert_eq!(town.heard(), ["3 LEAVE alice>bob", "1 ANSWER bob>alice", "1 CANDIDATE bob>alice"]);
}

#[test]
fn a_caller_that_gives_up_stops_every_device() {
    let mut town = Town::ringing(Policy::All);
    town.heard();

    town.say(1, Kind::Leave, "bob");

    assert_eq!(town.heard(), ["2 LEAVE alice>bob", "3 LEAVE alice>bob"]);
}

#[test]
fn the_caller_hears_of_a_decline_when_the_last_device_declines() {
    let mut town = Town::ringing(Policy::All);
    town.heard();

    town.say(2, Kind::Leave, "alice");
    assert_eq!(town.heard(), [""; 0]);
    town.say(3, Kind::Leave, "alice");

    assert_eq!(town.heard(), ["1 LEAVE bob>alice"]);
}

#[test]
fn a_second_connection_of_the_same_call_goes_where_the_first_went() {
    let mut town = Town::ringing(Policy::All);
    town.say(2, Kind::Answer, "alice");
    town.heard();

    town.say(1, Kind::Offer, "bob");
    assert_eq!(town.heard(), ["2 OFFER alice>bob"]);
    town.pass(11);
    town.say(1, Kind::Offer, "bob");

    assert_eq!(town.heard(), ["2 OFFER alice>bob", "3 OFFER alice>bob"], "a new call");
}

#[test]
fn a_loser_that_talks_with_the_caller_already_is_not_cut_off() {
    let mut town = Town::ringing(Policy::All);
    town.say(2, Kind::Answer, "alice");
    town.pass(11);
    town.say_about(1, Kind::Offer, "bob", "second");
    town.heard();

    town.say_about(3, Kind::Answer, "alice", "second");

    assert_eq!(town.heard(), ["1 ANSWER bob>alice"]);
}

#[test]
fn one_device_of_a_user_that_goes_does_not_end_the_call_with_another() {
    let mut town = Town::ringing(Policy::All);
    town.say(2, Kind::Answer, "alice");
    town.heard();

    town.part(3, Ending::Left);
    assert_eq!(town.heard(), ["3 ends: Left"]);
    town.part(2, Ending::Left);

    assert_eq!(town.heard(), ["2 ends: Left", "1 LEAVE bob>alice"]);
}

#[test]
fn an_answer_goes_to_the_device_that_called() {
    let mut town = Town::open();
    for (socket, instance) in [(1, 1), (2, 2)] {
        town.device(socket, "alice@x", instance, Standing::default()).unwrap();
    }
    town.join(3, "bob");
    town.say_about(1, Kind::Offer, "bob", "of the first");
    town.say_about(2, Kind::Offer, "bob", "of the second");
    town.heard();

    town.say_about(3, Kind::Answer, "alice@x", "of the first");
    town.say_about(3, Kind::Candidate, "alice@x", "of the second");
    town.say_about(3, Kind::Candidate, "alice@x", "of the first");

    let heard = ["1 ANSWER bob>alice@x", "2 CANDIDATE bob>alice@x", "1 CANDIDATE bob>alice@x"];
    assert_eq!(town.heard(), heard);
}

#[test]
fn who_is_blocked_begins_no_call_and_hears_what_whoever_calls_nobody_hears() {
    let mut town = Town::open();
    let hidden_from = ["alice".parse().expect("a user")].into_iter().collect();
    let blocks = || Standing { hidden_from, ..Standing::default() };
    town.device(1, "alice", 1, Standing::default()).unwrap();
    town.device(2, "bob", 1, blocks()).unwrap();
    town.heard();

    town.say(1, Kind::Offer, "bob");
    town.say(1, Kind::Candidate, "bob");
    town.pass(5);
    assert_eq!(town.heard(), ["1 EXPIRE bob>alice"]);

    // Nor does what waited arrive when another device of his comes.
    town.say(1, Kind::Offer, "bob");
    let hidden_from = ["alice".parse().expect("a user")].into_iter().collect();
    town.device(3, "bob", 2, Standing { hidden_from, ..Standing::default() }).unwrap();
    town.pass(5);
    assert_eq!(town.heard(), ["3 OPEN", "1 EXPIRE bob>alice"]);

    // He may call her all the same, and she may answer.
    town.say_about(2, Kind::Offer, "alice", "his");
    town.say_about(1, Kind::Answer, "bob", "his");
    town.say_about(1, Kind::Candidate, "bob", "his");
    assert_eq!(town.heard(), ["1 OFFER bob>alice", "2 ANSWER alice>bob", "2 CANDIDATE alice>bob"]);
}

#[test]
fn an_offer_that_none_of_several_devices_takes_in_time_is_told() {
    let mut town = Town::ringing(Policy::All);
    town.say(2, Kind::Answer, "alice");
    town.pass(11);
    for socket in [2, 3] {
        town.tell(Input::Stalled { socket: SocketId(socket) }).unwrap();
    }
    town.heard();

    town.say_about(1, Kind::Offer, "bob", "in vain");
    town.say_about(1, Kind::Candidate, "bob", "in vain");
    town.pass(5);
    assert_eq!(town.heard(), ["1 EXPIRE bob>alice"], "once, not for each device");

    town.say_about(1, Kind::Offer, "bob", "in time");
    town.tell(Input::Flowing { socket: SocketId(3) }).unwrap();
    town.pass(5);
    assert_eq!(town.heard(), ["3 OFFER alice>bob"], "one has it, so nothing is told");
}

#[test]
fn what_belongs_to_an_offer_follows_it_to_whichever_device_comes() {
    let mut town = Town::ringing(Policy::All);
    town.say(2, Kind::Answer, "alice");
    town.pass(11);
    town.part(3, Ending::PageGone);
    town.part(2, Ending::Lost);
    town.heard();
    town.say_about(1, Kind::Offer, "bob", "second");
    town.say_about(1, Kind::Candidate, "bob", "second");

    town.device(4, "bob", 2, Standing::default()).unwrap();

    assert_eq!(town.heard(), ["4 OPEN", "4 OFFER alice>bob", "4 CANDIDATE alice>bob"]);
}

#[test]
fn only_devices_that_can_take_a_call_ring_where_that_is_asked() {
    let mut town = Town::open();
    town.user("bob");
    town.join(1, "alice");
    let standing = |words: &[&str]| Standing {
        policy: Policy::Capable,
        capabilities: Capabilities::new(words.iter().copied()).unwrap(),
        ..Standing::default()
    };
    town.device(2, "bob", 1, standing(&["audio"])).unwrap();
    town.device(3, "bob", 2, standing(&["audio", "video"])).unwrap();
    town.heard();

    town.needs = Capabilities::new(["video"]).unwrap();
    town.say(1, Kind::Offer, "bob");

    assert_eq!(town.heard(), ["3 OFFER alice>bob"]);
}

#[test]
fn where_one_device_is_registered_a_second_is_refused_in_so_many_words() {
    let mut town = Town::open();
    let nominated = Standing { policy: Policy::Nominated, ..Standing::default() };
    town.device(1, "bob", 1, nominated.clone()).unwrap();

    let second = town.device(2, "bob", 2, nominated.clone()).unwrap_err();
    assert!(second.to_string().contains("only one device per user may be registered"), "{second}");
    town.part(1, Ending::PageGone);
    assert_eq!(town.device(3, "bob", 2, nominated), Ok(()), "the place is free");
}

#[test]
fn a_nominated_device_keeps_the_others_out_and_a_newer_page_of_it_takes_over() {
    let mut town = Town::open();
    let nominated = Standing {
        policy: Policy::Nominated,
        nominated: Some(InstanceId(1)),
        ..Standing::default()
    };

    let other = town.device(1, "bob", 2, nominated.clone());
    town.device(2, "bob", 1, nominated.clone()).unwrap();
    let page = Peer::Device(device("bob", 1));
    town.join_as(3, page, 77, Line::Socket, nominated).unwrap();

    assert_eq!(other, Err(Error::Refused(Refusal::NotNominated)));
    assert_eq!(town.heard(), ["2 OPEN", "2 ends: Superseded", "3 OPEN"]);
}

#[test]
fn what_a_slow_reader_does_not_take_waits_within_limits_and_is_told() {
    let mut town = Town::with(Config { open: true, letters_max: 2, ..Config::default() });
    town.join(1, "alice");
    town.join(2, "bob");
    town.tell(Input::Stalled { socket: SocketId(2) }).unwrap();
    town.heard();

    for _ in 0..3 {
        town.say(1, Kind::Offer, "bob");
    }
    assert_eq!(town.heard(), ["1 EXPIRE bob>alice"]);
    town.tell(Input::Flowing { socket: SocketId(2) }).unwrap();

    assert_eq!(town.heard(), ["2 OFFER alice>bob", "2 OFFER alice>bob"]);
}

#[test]
fn a_stream_and_a_socket_of_one_client_are_one_peer_that_opens_once() {
    let mut town = Town::open();
    let fresh = Line::Stream { fresh: true };
    town.join_as(1, guest("bob"), 7, fresh, Standing::default()).unwrap();
    town.join_as(2, guest("bob"), 7, Line::Socket, Standing::default()).unwrap();
    assert_eq!(town.heard(), ["1 OPEN", "1 ends: Superseded"]);

    town.join_as(3, guest("bob"), 7, fresh, Standing::default()).unwrap();
    town.say(2, Kind::Offer, "bob");
    assert_eq!(town.heard(), ["2 OFFER bob>bob"], "the stream is there in case the socket breaks");
    town.part(2, Ending::Lost);
    town.say(3, Kind::Offer, "bob");

    assert_eq!(town.heard(), ["3 OPEN", "3 OFFER bob>bob"]);
}

#[test]
fn a_request_speaks_for_a_peer_only_with_its_token() {
    let mut town = Town::open();
    town.join(1, "alice");
    let post = |proof, name: &str| Input::Posted {
        name: id(name),
        proof: Proof(proof),
        signal: Some(signal(Kind::Offer, "alice")),
    };
    town.heard();

    assert_eq!(town.tell(post(666, "alice")), Err(Error::Unproven));
    assert_eq!(town.tell(post(1, "bob")), Err(Error::Unproven));
    assert_eq!(town.tell(post(1, "alice")), Ok(()));

    assert_eq!(town.heard(), ["1 OFFER alice>alice"]);
}

#[test]
fn a_million_destinations_stay_within_bounds_and_are_all_told() {
    let mut town = Town::open();
    for sender in 0..70 {
        town.join(sender, &format!("sender{sender}"));
    }
    town.heard();
    let limits = Config::default();
    let mut expired = 0;

    for destination in 0..1_000_000_u64 {
        town.say(destination % 70, Kind::Offer, &format!("nobody{destination}"));
        assert!(town.broker.load().letters_bytes <= limits.letters_bytes_max_total);
        expired += town.heard().len();
    }
    town.pass(5);
    expired += town.heard().len();

    assert_eq!(expired, 1_000_000);
    assert_eq!(town.broker.load().letters_bytes, 0);
}

#[test]
fn no_one_sender_fills_the_space_of_all() {
    let mut town = Town::open();
    town.join(1, "flood");
    town.join(2, "alice");
    for destination in 0..100_000 {
        town.say(1, Kind::Offer, &format!("nobody{destination}"));
    }
    town.heard();

    town.say(2, Kind::Offer, "bob");
    town.join(3, "bob");

    assert_eq!(town.heard(), ["3 OPEN", "3 OFFER alice>bob"]);
}

/// A broker, and the words that came out of it.
struct Town {
    broker: Broker,
    now: Time,
    needs: Capabilities,
}

impl Town {
    fn open() -> Self {
        Self::with(Config { open: true, ..Config::default() })
    }

    fn with(config: Config) -> Self {
        let broker = Broker::new(config, Seed::story(1));
        Self { broker, now: Time::ZERO, needs: Capabilities::default() }
    }

    /// Alice at 1 and Bob at 2 have exchanged an offer and an answer.
    fn talking() -> Self {
        let mut town = Self::open();
        town.join(1, "alice");
        town.join(2, "bob");
        town.say(1, Kind::Offer, "bob");
        town.say(2, Kind::Answer, "alice");
        town.heard();
        town
    }

    /// Alice, a guest at 1, has made an offer to Bob, a user with two devices at 2 and 3.
    fn ringing(policy: Policy) -> Self {
        let mut town = Self::open();
        town.user("bob");
        town.join(1, "alice");
        for (socket, instance) in [(2, 1), (3, 2)] {
            let standing = Standing { policy, ..Standing::default() };
            town.device(socket, "bob", instance, standing).expect("there is room");
        }
        town.heard();
        town.say(1, Kind::Offer, "bob");
        town
    }

    fn user(&mut self, name: &str) {
        self.tell(Input::User { user: name.parse().expect("a user") }).expect("harmless");
    }

    /// A guest, whose token is as its name.
    fn join(&mut self, socket: u64, name: &str) {
        let proof = name.bytes().fold(0, |proof, byte| proof * 256 + u128::from(byte));
        let proof = if name == "alice" { 1 } else { proof };
        self.join_as(socket, guest(name), proof, Line::Socket, Standing::default())
            .expect("it may come in");
    }

    fn device(
        &mut self,
        socket: u64,
        user: &str,
        instance: u32,
        standing: Standing,
    ) -> Result<(), Error> {
        let peer = Peer::Device(device(user, instance));
        self.join_as(socket, peer, u128::from(instance), Line::Socket, standing)
    }

    fn join_as(
        &mut self,
        socket: u64,
        peer: Peer,
        proof: u128,
        line: Line,
        standing: Standing,
    ) -> Result<(), Error> {
        let (socket, proof) = (SocketId(socket), Proof(proof));
        self.tell(Input::Joined { socket, peer, proof, line, standing })
    }

    fn say(&mut self, socket: u64, kind: Kind, to: &str) {
        self.say_about(socket, kind, to, "first");
    }

    fn say_about(&mut self, socket: u64, kind: Kind, to: &str, connection: &str) {
        let needs = self.needs.clone();
        let connection = Some(connection.into());
        let signal = Signal { needs, connection, ..signal(kind, to) };
        self.tell(Input::Said { socket: SocketId(socket), signal }).expect("the line is open");
    }

    fn part(&mut self, socket: u64, ending: Ending) {
        self.tell(Input::Parted { socket: SocketId(socket), ending }).expect("the line is open");
    }

    fn pass(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while let Some(at) = self.broker.timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.tell(Input::Timeout).expect("harmless");
            assert!(self.broker.timeout().is_none_or(|next| next > self.now), "no progress");
        }
        self.now = end;
    }

    fn tell(&mut self, input: Input) -> Result<(), Error> {
        self.broker.handle(self.now, input)
    }

    fn heard(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.broker.poll()).filter_map(|output| shown(&output)).collect()
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the rest is for devices of the app")]
fn shown(output: &Output) -> Option<String> {
    match output {
        Output::Tell { socket, word } => Some(match word {
            Word::Open => format!("{} OPEN", socket.0),
            Word::Signal { kind, from, to, .. } => {
                format!("{} {} {from}>{to}", socket.0, kind.as_str())
            }
            Word::Expire { from, to } => format!("{} EXPIRE {from}>{to}", socket.0),
        }),
        Output::Part { socket, why } => Some(format!("{} ends: {why:?}", socket.0)),
        _ => None,
    }
}

fn signal(kind: Kind, to: &str) -> Signal {
    let needs = Capabilities::default();
    Signal { kind, to: id(to), payload: None, connection: None, needs }
}

fn id(name: &str) -> PeerId {
    name.parse().expect("a name")
}

fn guest(name: &str) -> Peer {
    Peer::Guest(id(name))
}

fn device(user: &str, instance: u32) -> Device {
    Device { user: user.parse().expect("a user"), instance: InstanceId(instance) }
}
