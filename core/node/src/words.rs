//! What nodes say to each other, inside what the mesh carries.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tree::Path;
use trust::{Certificate, Charter, PublicKeys, Revocation, Short, Signature};
use wire::{NodeId, Sure};

use crate::Reason;

/// To all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ToAll {
    /// For their trees.
    Tree(Vec<u8>),
    /// For their applications.
    Notice(Loud),
    /// For their rolls: [`Names`].
    Names(Vec<u8>),
}

/// A notice to all, with the proof that its author says it, and says it now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Loud {
    /// In which life its author says it.
    pub(crate) life: u64,
    /// Its number among those of that life.
    pub(crate) number: u64,
    pub(crate) notice: Notice,
    /// Of the author, over all of them.
    pub(crate) signature: Signature,
}

/// To one, sealed: nobody on the way can read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Letter {
    /// In which life its sender says it.
    pub(crate) life: u64,
    /// The number by which the mesh knows it, so that nobody says it again under another.
    pub(crate) id: u32,
    /// What the addressee shows to prove that it has arrived.
    pub(crate) receipt: [u8; 8],
    pub(crate) words: Private,
}

/// What is said to one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Private {
    /// For its application.
    Notice(Notice),
    /// Let us have a link: the offer.
    Offer {
        /// The dialler's number of the attempt.
        attempt: u64,
        /// For its driver.
        description: String,
    },
    /// The answer to an offer.
    Answer {
        /// The number in the offer.
        attempt: u64,
        /// For the dialler's driver.
        description: String,
    },
    /// No link now.
    Refusal {
        /// The number in the offer.
        attempt: u64,
    },
}

/// To a neighbour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ToNeighbour {
    /// For its tree.
    Tree(Vec<u8>),
    /// For its roll: [`Names`].
    Names(Vec<u8>),
    /// So is my roll. Is yours another?
    Roll(Standing),
    /// What counts in my roll, which is the smaller one.
    Have(Vec<Short>),
}

/// Who is in and who was put out. Travels as bytes within others, so that there is one piece of code that reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Names {
    /// What the conference was founded on, for those who lack it.
    pub(crate) charter: Option<Charter>,
    /// Inviters before those they invited.
    pub(crate) certificates: Vec<Certificate>,
    /// Signed by the founder.
    pub(crate) revocations: Vec<Revocation>,
    /// What the speaker wants to be told in turn.
    pub(crate) wanted: Vec<Short>,
    /// Whether more follow.
    pub(crate) more: bool,
}

impl Names {
    #[inline(never)]
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads all of `bytes`, or nothing.
    #[inline(never)]
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        decode(bytes)
    }
}

/// A roll in a few bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// The hash of all that counts in it; zero when there is none.
    pub(crate) hash: [u8; 8],
    /// How much counts in it.
    pub(crate) count: u32,
}

/// What is said on a fresh link before anything else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Knock {
    /// I am here.
    Hello(Hello),
    /// I am who I say.
    Proof(Proof),
    /// Who is in, for the smaller roll: [`Names`].
    Names(Vec<u8>),
    /// You may not come in.
    No(Reason),
}

/// The first word of both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hello {
    /// What the other end is to sign.
    pub(crate) nonce: [u8; 16],
    /// The roll of the speaker.
    pub(crate) roll: Standing,
}

/// The second word of both ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Proof {
    /// Over both names, both nonces, and what the link is bound to.
    pub(crate) signature: Signature,
    /// From one who is not in yet: its keys.
    pub(crate) keys: Option<PublicKeys>,
    /// From the one with the smaller roll: how it is in, as [`Names`]; empty from the other.
    pub(crate) chain: Vec<u8>,
    /// From the one with the smaller roll: what counts in it.
    pub(crate) have: Vec<Short>,
}

/// Something said that is not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notice {
    /// What it is about.
    pub(crate) path: Path,
    /// JSON text of an object.
    pub(crate) json: String,
}

impl Notice {
    /// What its author signs, when it is to all.
    pub(crate) fn signed(&self, life: u64, number: u64) -> Vec<u8> {
        encode(&(life, number, self))
    }

    pub(crate) fn data(&self) -> Option<Value> {
        serde_json::from_str(&self.json).ok().filter(Value::is_object)
    }
}

/// What one end signs to prove itself to the other.
pub(crate) fn oath(
    speaker: NodeId,
    listener: NodeId,
    spoken: &[u8; 16],
    heard: &[u8; 16],
    binding: &[u8],
) -> Vec<u8> {
    let names = [speaker.0.to_le_bytes(), listener.0.to_le_bytes()].concat();
    [&names, spoken.as_slice(), heard, binding].concat()
}

pub(crate) fn encode<T: Serialize>(words: &T) -> Vec<u8> {
    postcard::to_allocvec(words).sure("words are made of what postcard can write")
}

/// Reads all of `bytes`, or nothing.
pub(crate) fn decode<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Option<T> {
    let (words, rest) = postcard::take_from_bytes(bytes).ok()?;
    rest.is_empty().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex<T: Serialize>(words: &T) -> String {
        encode(words).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn notice() -> Notice {
        Notice { path: "a/b".parse().sure("two names are a path"), json: "{}".to_owned() }
    }

    /// `a/b`, then `{}`, each after its length.
    const NOTICE: &str = "03612f62027b7d";

    #[test]
    fn the_bytes_of_what_is_said_to_all_stay_the_same() {
        let signature = Signature([7; 64]);
        let loud = Loud { life: 300, number: 2, notice: notice(), signature };

        let seven = "07".repeat(64);
        for (words, golden) in [
            (ToAll::Tree(vec![8, 9]), "00020809".to_owned()),
            (ToAll::Notice(loud), format!("01ac0202{NOTICE}{seven}")),
            (ToAll::Names(vec![9]), "020109".to_owned()),
        ] {
            assert_eq!(hex(&words), golden);
            assert_eq!(decode(&encode(&words)), Some(words));
        }
        assert_eq!(notice().signed(300, 2), encode(&(300_u64, 2_u64, notice())));
    }

    #[test]
    fn the_bytes_of_every_letter_stay_the_same() {
        let description = "v=0".to_owned();
        for (words, golden) in [
            (Private::Notice(notice()), format!("00{NOTICE}")),
            (
                Private::Offer { attempt: 5, description: description.clone() },
                "010503763d30".to_owned(),
            ),
            (Private::Answer { attempt: 5, description }, "020503763d30".to_owned()),
            (Private::Refusal { attempt: 5 }, "0305".to_owned()),
        ] {
            let letter = Letter { life: 300, id: 2, receipt: [4; 8], words };

            assert_eq!(hex(&letter), format!("ac02020404040404040404{golden}"));
            assert_eq!(decode(&encode(&letter)), Some(letter));
        }
    }

    #[test]
    fn the_bytes_of_what_is_said_to_a_neighbour_stay_the_same() {
        let standing = Standing { hash: [3; 8], count: 300 };
        for (words, golden) in [
            (ToNeighbour::Tree(vec![8, 9]), "00020809"),
            (ToNeighbour::Names(vec![9]), "010109"),
            (ToNeighbour::Roll(standing), "020303030303030303ac02"),
            (ToNeighbour::Have(vec![Short([1, 2, 3, 4])]), "030101020304"),
        ] {
            assert_eq!(hex(&words), golden);
            assert_eq!(decode(&encode(&words)), Some(words));
        }
        let wanted = vec![Short([1, 2, 3, 4])];
        let names = Names { wanted, more: true, ..Names::default() };
        assert_eq!(hex(&names), "00000001 01020304 01".replace(' ', ""));
        assert_eq!(Names::from_bytes(&names.to_bytes()), Some(names));
    }

    #[test]
    fn the_bytes_of_a_knock_stay_the_same() {
        let hello = Hello { nonce: [2; 16], roll: Standing { hash: [3; 8], count: 1 } };
        let keys = PublicKeys { signing: [5; 32], sealing: [6; 32] };
        let have = vec![Short([1, 2, 3, 4])];
        let proof = Proof { signature: Signature([7; 64]), keys: Some(keys), chain: vec![9], have };
        let (seven, five, six) = ("07".repeat(64), "05".repeat(32), "06".repeat(32));
        for (knock, golden) in [
            (Knock::Hello(hello), format!("00{}{}01", "02".repeat(16), "03".repeat(8))),
            (Knock::Proof(proof), format!("01{seven}01{five}{six}01090101020304")),
            (Knock::Names(vec![9]), "020109".to_owned()),
            (Knock::No(Reason::Full), "0301".to_owned()),
        ] {
            assert_eq!(hex(&knock), golden);
            assert_eq!(decode(&encode(&knock)), Some(knock));
        }
    }
}
