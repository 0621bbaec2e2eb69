//! Founding, inviting, signing and sealing, as those who take part see it.

use trust::{Bounds, Claim, Error, Proof, Purpose, SEAL_BYTES, SEAL_STEP, Trust, Verdict};
use wire::{Dice, InviteId, Seed, Timestamp};

#[test]
fn the_founder_is_in_and_whom_it_invites() {
    let mut hall = Hall::founded();

    hall.invite(0, 1, 1).unwrap();
    hall.invite(1, 2, 1).unwrap();

    let roll = hall.people[0].roll().unwrap();
    let (me, other) = (hall.people[1].me(), hall.people[2].me());
    assert_eq!(roll.member(other).unwrap().inviter, Some(me));
    assert_eq!(roll.member(me).unwrap().inviter, Some(hall.people[0].me()));
    assert_eq!(roll.chain(other).len(), 2);
    assert_eq!(roll.members().count(), 3);
}

#[test]
fn who_is_not_in_invites_nobody() {
    let mut hall = Hall::founded();

    assert_eq!(hall.invite(1, 2, 1), Err(Error::NotIn));
}

#[test]
fn an_invite_is_good_for_one() {
    let mut hall = Hall::founded();
    hall.invite(0, 1, 7).unwrap();

    assert_eq!(hall.invite(0, 2, 7), Err(Error::Full));
    assert_eq!(hall.invite(0, 2, 8), Ok(()));
}

#[test]
fn no_member_invites_more_than_the_charter_allows() {
    let mut hall = Hall::with(Bounds { members_max: 100, invites_max: 3, hours: 1 });
    hall.invite(0, 1, 1).unwrap();
    let mut last = Ok(());
    for who in 2..6 {
        last = hall.invite(1, who, who as u64);
    }

    assert_eq!(last, Err(Error::Full));
    assert_eq!(hall.people[0].roll().unwrap().members().count(), 5);
    // The founder goes on.
    assert_eq!(hall.invite(0, 6, 6), Ok(()));
}

#[test]
fn a_full_conference_takes_nobody_more() {
    let mut hall = Hall::with(Bounds { members_max: 3, invites_max: 3, hours: 1 });
    hall.invite(0, 1, 1).unwrap();
    hall.invite(1, 2, 1).unwrap();

    assert_eq!(hall.invite(0, 3, 2), Err(Error::Full));
}

#[test]
fn after_its_time_a_conference_takes_nobody_more() {
    let mut hall = Hall::with(Bounds { members_max: 9, invites_max: 3, hours: 1 });
    hall.now = Timestamp(NOON.0 + 3_600_000 - 2);
    hall.invite(0, 1, 1).unwrap();
    hall.now = Timestamp(NOON.0 + 3_600_001);

    assert_eq!(hall.invite(0, 2, 2), Err(Error::Full));
}

#[test]
fn a_clock_that_is_behind_still_lets_people_in() {
    let mut hall = Hall::founded();
    hall.invite(0, 1, 1).unwrap();
    hall.now = Timestamp(NOON.0 - 3_600_000);

    assert_eq!(hall.invite(1, 2, 1), Ok(()));
}

#[test]
fn the_founder_puts_out_somebody_and_all_who_came_by_it() {
    let mut hall = Hall::founded();
    for (inviter, who) in [(0, 1), (1, 2), (2, 3), (0, 4)] {
        hall.invite(inviter, who, who as u64).unwrap();
    }
    let out = hall.people[1].me();

    let learned = hall.people[0].put_out(out);
    hall.tell_all(&learned);

    for who in [0, 2, 4] {
        let roll = hall.people[who].roll().unwrap();
        assert_eq!(roll.members().count(), 2, "{who}");
        assert!(roll.is_out(out));
    }
    let mut gone: Vec<_> = (1..4).map(|who| hall.people[who].me()).collect();
    gone.sort();
    assert_eq!(learned.out, gone);
    assert_eq!(hall.invite(0, 1, 9), Err(Error::PutOut));
}

#[test]
fn nobody_else_puts_anybody_out() {
    let mut hall = Hall::founded();
    hall.invite(0, 1, 1).unwrap();
    hall.invite(0, 2, 2).unwrap();
    let victim = hall.people[2].me();

    let learned = hall.people[1].put_out(victim);
    assert!(learned.revocations.is_empty());

    let signature = hall.people[1].sign(Purpose::Revocation, &victim.0.to_le_bytes());
    let forged = trust::Revocation { node: victim, signature };
    let learned = hall.people[0].learn(Vec::new(), vec![forged]);
    assert!(learned.is_forged);
    assert!(hall.people[0].member(victim).is_some());
}

#[test]
fn what_is_signed_for_one_thing_is_no_other() {
    let mut hall = Hall::founded();
    hall.invite(0, 1, 1).unwrap();
    let (me, what) = (hall.people[1].me(), b"three words here");
    let signature = hall.people[1].sign(Purpose::Statement, what);

    let founder = &mut hall.people[0];
    assert_eq!(founder.verify(Purpose::Statement, me, what, &signature), Verdict::Good);
    assert_eq!(founder.verify(Purpose::Hello, me, what, &signature), Verdict::Forged);
    assert_eq!(founder.verify(Purpose::Statement, me, b"other", &signature), Verdict::Forged);
    let stranger = hall.people[5].me();
    let founder = &mut hall.people[0];
    assert_eq!(founder.verify(Purpose::Statement, stranger, what, &signature), Verdict::Stranger);
    // The same node in another conference.
    let mut other = Hall::with(Bounds { hours: 7, ..Bounds::default() });
    other.invite(0, 1, 1).unwrap();
    assert_eq!(other.people[1].me(), me);
    let verdict = other.people[0].verify(Purpose::Statement, me, what, &signature);
    assert_eq!(verdict, Verdict::Forged);
}

#[test]
fn what_is_sealed_opens_for_one() {
    let mut hall = Hall::founded();
    for who in 1..3 {
        hall.invite(0, who, who as u64).unwrap();
    }
    let (one, other) = (hall.people[1].me(), hall.people[2].me());
    let mut dice = Dice::new(Seed::story(9));
    for length in [0, 1, 255, 256, 1_000] {
        let plain = vec![length as u8; length];

        let sealed = hall.people[1].seal(Purpose::Words, other, &plain, &mut dice).unwrap();

        assert_eq!((sealed.len() - SEAL_BYTES) % SEAL_STEP, 0);
        assert!(sealed.len() <= length + SEAL_STEP + SEAL_BYTES);
        assert_eq!(hall.people[2].open(Purpose::Words, one, &sealed), Some(plain));
        assert_eq!(
            hall.people[0].open(Purpose::Words, one, &sealed),
            None,
            "the founder reads along"
        );
        assert_eq!(
            hall.people[2].open(Purpose::Private, one, &sealed),
            None,
            "for another purpose"
        );
        let founder = hall.people[0].me();
        assert_eq!(
            hall.people[2].open(Purpose::Words, founder, &sealed),
            None,
            "another seems to have said it"
        );
    }
}

#[test]
fn a_charter_under_another_name_is_refused() {
    let hall = Hall::founded();
    let mut charter = hall.people[0].roll().unwrap().charter().clone();
    charter.bounds.members_max += 1;

    let mut newcomer = Trust::apply(Seed::story(3), hall.people[0].conference().clone());

    assert!(!newcomer.take_charter(charter));
    assert!(newcomer.roll().is_none());
}

const NOON: Timestamp = Timestamp(1_795_219_200_000);

/// A founder and nine who want to come in.
struct Hall {
    people: Vec<Trust>,
    now: Timestamp,
}

impl Hall {
    fn founded() -> Self {
        Self::with(Bounds::default())
    }

    fn with(bounds: Bounds) -> Self {
        let founder = Trust::found(Seed::story(0), Claim::default(), bounds, NOON);
        let charter = founder.roll().expect("it was founded").charter().clone();
        let mut people = vec![founder];
        for story in 1..10 {
            let mut one = Trust::apply(Seed::story(story), charter.conference());
            assert!(one.take_charter(charter.clone()));
            people.push(one);
        }
        Self { people, now: Timestamp(NOON.0 + 1_000) }
    }

    /// Everybody learns at once.
    fn invite(&mut self, inviter: usize, who: usize, invite: u64) -> Result<(), Error> {
        self.now.0 += 1;
        let keys = self.people[who].keys();
        let user = format!("{who}@home.com").parse().ok();
        let claim = Claim { user, proof: Proof::Server };
        let learned = self.people[inviter].admit(self.now, keys, claim, InviteId(invite))?;
        self.tell_all(&learned);
        Ok(())
    }

    fn tell_all(&mut self, learned: &trust::Learned) {
        for one in &mut self.people {
            one.learn(learned.certificates.clone(), learned.revocations.clone());
        }
    }
}
