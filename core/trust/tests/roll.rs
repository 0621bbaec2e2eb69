//! The roll is a function of what was said, not of the order in which it was said; and no bit of it can be changed.

use trust::{
    Admission, Bounds, Certificate, Charter, Claim, Difference, Each, Keys, Memo, Proof,
    PublicKeys, Purpose, Revocation, Roll, Signature, Trust,
};
use wire::{Dice, InviteId, NodeId, Seed, Timestamp};

#[test]
fn any_order_of_arrival_gives_one_roll() {
    for story in 0..60 {
        let mut dice = Dice::new(Seed::story(story));
        let (charter, certificates, revocations) = quarrel(&mut dice);
        let mut first: Option<(Vec<NodeId>, u64)> = None;
        let mut memo = Memo::new(10_000);
        for _ in 0..12 {
            let mut roll = Roll::new(charter.clone());
            let mut all: Vec<(Option<Certificate>, Option<Revocation>)> =
                certificates.iter().map(|one| (Some(one.clone()), None)).collect();
            all.extend(revocations.iter().map(|one| (None, Some(one.clone()))));
            while !all.is_empty() {
                let count = (dice.below(5) as usize + 1).min(all.len());
                let mut batch = (Vec::new(), Vec::new());
                for _ in 0..count {
                    let (one, other) = all.swap_remove(dice.below(all.len() as u64) as usize);
                    batch.0.extend(one);
                    batch.1.extend(other);
                }
                // Some is told twice.
                let again = batch.0.clone();
                roll.learn(&mut memo, batch.0, batch.1);
                roll.learn(&mut memo, again, Vec::new());
            }
            let result = (roll.members().collect::<Vec<_>>(), roll.hash());
            let bounds = charter.bounds;
            assert!(result.0.len() <= usize::from(bounds.members_max));
            match &first {
                None => first = Some(result),
                Some(first) => assert_eq!(result, *first, "story {story}"),
            }
        }
    }
}

#[test]
fn two_rolls_become_one_by_telling_what_is_missing() {
    for story in 0..40 {
        let mut dice = Dice::new(Seed::story(story));
        let (charter, certificates, revocations) = quarrel(&mut dice);
        let mut memo = Memo::new(10_000);
        let mut rolls = [Roll::new(charter.clone()), Roll::new(charter)];
        for certificate in certificates {
            rolls[dice.below(2) as usize].learn(&mut memo, vec![certificate], Vec::new());
        }
        for revocation in revocations {
            rolls[dice.below(2) as usize].learn(&mut memo, Vec::new(), vec![revocation]);
        }
        // What counts for nothing at one end may count at the other, so one round may not be enough.
        for _ in 0..8 {
            let Difference { certificates, revocations, wanted } =
                rolls[0].compare(&rolls[1].shorts());
            let back = rolls[1].pick(&wanted);
            rolls[1].learn(&mut memo, certificates, revocations);
            rolls[0].learn(&mut memo, back.certificates, back.revocations);
        }

        assert!(rolls[0].members().eq(rolls[1].members()), "story {story}");
        assert_eq!(rolls[0].hash(), rolls[1].hash());
    }
}

#[test]
fn a_certificate_with_any_bit_changed_makes_nobody_a_member() {
    let (charter, certificate) = one_guest();
    let bytes = certificate.to_bytes();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);

        let mut roll = Roll::new(charter.clone());
        if let Some(certificate) = Certificate::from_bytes(&changed) {
            roll.learn(&mut Each, vec![certificate], Vec::new());
        }

        assert_eq!(roll.members().count(), 1, "bit {bit}");
    }
}

#[test]
fn a_revocation_with_any_bit_changed_puts_nobody_out() {
    let (charter, certificate) = one_guest();
    let mut founder =
        Trust::found(Seed::story(0), Claim::default(), charter.bounds, charter.founded);
    founder.learn(vec![certificate.clone()], Vec::new());
    let learned = founder.put_out(certificate.node());
    let bytes = learned.revocations[0].to_bytes();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);

        let mut roll = Roll::new(charter.clone());
        let out = Revocation::from_bytes(&changed).into_iter().collect();
        roll.learn(&mut Each, vec![certificate.clone()], out);

        assert_eq!(roll.members().count(), 2, "bit {bit}");
    }
}

#[test]
fn a_charter_with_any_bit_changed_is_that_of_another_conference() {
    let (charter, _) = one_guest();
    let bytes = charter.to_bytes();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);

        let other = Charter::from_bytes(&changed);

        assert!(other.is_none_or(|other| other.conference() != charter.conference()), "{bit}");
    }
}

#[test]
fn what_is_sealed_does_not_open_with_any_bit_changed() {
    let (charter, certificate) = one_guest();
    let mut founder =
        Trust::found(Seed::story(0), Claim::default(), charter.bounds, charter.founded);
    founder.learn(vec![certificate.clone()], Vec::new());
    let mut guest = Trust::apply(Seed::story(1), charter.conference());
    assert!(guest.take_charter(charter));
    guest.learn(vec![certificate], Vec::new());
    let mut dice = Dice::new(Seed::story(5));
    let sealed = founder.seal(Purpose::Words, guest.me(), b"only you", &mut dice).unwrap();
    assert_eq!(guest.open(Purpose::Words, founder.me(), &sealed).unwrap(), b"only you");
    // Every bit of the key and the tag, and some of the rest: a check takes its time.
    let all = sealed.len() * 8;
    for bit in (0..32 * 8).chain((32 * 8..all - 128).step_by(37)).chain(all - 128..all) {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);

        // The highest bit of a key of X25519 is not part of it (RFC 7748 §5), yet it is bound into the seal.
        assert_eq!(guest.open(Purpose::Words, founder.me(), &changed), None, "bit {bit}");
    }
}

#[test]
fn a_forged_certificate_does_not_stand_in_the_way_of_the_true_one() {
    let (charter, inner) = one_guest();
    let guest = Keys::new(Seed::story(1));
    let mut inviter = Trust::apply(Seed::story(1), charter.conference());
    assert!(inviter.take_charter(charter.clone()));
    inviter.learn(vec![inner.clone()], Vec::new());
    let keys = Keys::new(Seed::story(2)).public();
    let when = Timestamp(charter.founded.0 + 100);
    let outer = inviter.admit(when, keys, Claim::default(), InviteId(1)).unwrap();
    let outer = outer.certificates[0].clone();
    assert_eq!(outer.admission.inviter, guest.public().node());
    let forged = Certificate { signature: Signature([7; 64]), ..outer.clone() };

    // Both come before anybody knows the inviter.
    let mut roll = Roll::new(charter);
    roll.learn(&mut Each, vec![forged], Vec::new());
    roll.learn(&mut Each, vec![outer], Vec::new());
    let learned = roll.learn(&mut Each, vec![inner], Vec::new());

    assert_eq!(roll.members().count(), 3);
    assert_eq!(learned.certificates.len(), 2);
}

#[test]
fn what_counts_for_nothing_is_bounded() {
    let (charter, inner) = one_guest();
    let mut roll = Roll::new(charter.clone());
    for number in 0..2_000_u64 {
        let mut stranger = inner.clone();
        stranger.admission.inviter = NodeId(number);
        stranger.admission.issued = Timestamp(charter.founded.0 + 1_000 + number);
        roll.learn(&mut Each, vec![stranger], Vec::new());
    }

    assert!(format!("{roll:?}").matches("is_signed").count() <= 256);
    roll.learn(&mut Each, vec![inner], Vec::new());
    assert_eq!(roll.members().count(), 2);
}

#[test]
fn arbitrary_bytes_are_read_or_refused() {
    let mut dice = Dice::new(Seed::story(1));
    for _ in 0..20_000 {
        let length = dice.below(256) as usize;
        let bytes = &dice.bytes::<256>()[..length];
        if let Some(certificate) = Certificate::from_bytes(bytes) {
            assert_eq!(Certificate::from_bytes(&certificate.to_bytes()), Some(certificate));
        }
        if let Some(charter) = Charter::from_bytes(bytes) {
            assert_eq!(Charter::from_bytes(&charter.to_bytes()), Some(charter));
        }
        if let Some(revocation) = Revocation::from_bytes(bytes) {
            assert_eq!(Revocation::from_bytes(&revocation.to_bytes()), Some(revocation));
        }
    }
}

#[test]
fn the_bytes_stay_the_same() {
    let (charter, certificate) = one_guest();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();

    assert_eq!(hex(&charter.to_bytes()), include_str!("golden/charter.hex").trim());
    assert_eq!(charter.conference().as_str(), include_str!("golden/conference.txt").trim());
    assert_eq!(hex(&certificate.to_bytes()), include_str!("golden/certificate.hex").trim());
    let mut founder =
        Trust::found(Seed::story(0), Claim::default(), charter.bounds, charter.founded);
    let node = certificate.node();
    founder.learn(vec![certificate], Vec::new());
    let out = founder.put_out(node).revocations[0].to_bytes();
    assert_eq!(hex(&out), include_str!("golden/revocation.hex").trim());
}

#[test]
fn a_shared_memo_says_what_a_check_says() {
    let (charter, certificate) = one_guest();
    let mut forged = certificate.clone();
    forged.admission.invite = InviteId(9);
    let mut memo = Memo::new(1);
    for _ in 0..3 {
        for (certificate, members) in [(&certificate, 2), (&forged, 1)] {
            let mut roll = Roll::new(charter.clone());
            roll.learn(&mut memo, vec![certificate.clone()], Vec::new());

            assert_eq!(roll.members().count(), members);
            assert_eq!(memo.len(), 1);
        }
    }
}

/// A conference of two.
fn one_guest() -> (Charter, Certificate) {
    let noon = Timestamp(1_795_219_200_000);
    let mut founder = Trust::found(Seed::story(0), Claim::default(), Bounds::default(), noon);
    let guest = Keys::new(Seed::story(1)).public();
    let claim = Claim { user: "bob@home.com".parse().ok(), proof: Proof::Server };
    let learned = founder
        .admit(Timestamp(noon.0 + 5), guest, claim, InviteId(0x1f))
        .expect("there is a place");
    (founder.roll().expect("it was founded").charter().clone(), learned.certificates[0].clone())
}

/// A small conference in which everybody lets in whom they like, at any date, by any invite, more often than allowed,
/// some twice and some by two; and the founder puts somebody out.
fn quarrel(dice: &mut Dice) -> (Charter, Vec<Certificate>, Vec<Revocation>) {
    let bounds = Bounds { members_max: 10, invites_max: 3, hours: 1 };
    let noon = Timestamp(1_795_219_200_000);
    let people: Vec<Keys> = (0..16).map(|story| Keys::new(Seed::story(story))).collect();
    let founder = Trust::found(Seed::story(0), Claim::default(), bounds, noon);
    let charter = founder.roll().expect("it was founded").charter().clone();
    let mut certificates = Vec::new();
    for _ in 0..60 {
        // The low numbers are in more often, so that chains grow.
        let inviter = dice.below(8).min(dice.below(8)) as usize;
        let keys: PublicKeys = people[dice.below(16) as usize].public();
        let signer = Trust::apply(Seed::story(inviter as u64), charter.conference());
        let admission = Admission {
            keys,
            claim: Claim::default(),
            inviter: signer.me(),
            invite: InviteId(dice.below(4)),
            issued: Timestamp(noon.0 + dice.below(40)),
        };
        let mut signature = signer.sign(Purpose::Certificate, &admission.to_bytes());
        if dice.below(8) == 0 {
            signature.0[dice.below(64) as usize] ^= 1;
        }
        certificates.push(Certificate { admission, signature });
    }
    let out = people[dice.below(16) as usize].public().node();
    let signature = founder.sign(Purpose::Revocation, &out.0.to_le_bytes());
    (charter, certificates, vec![Revocation { node: out, signature }])
}
