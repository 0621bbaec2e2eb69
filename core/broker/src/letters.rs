//! What waits for PeerJS peers: in order, bounded by count, bytes and time, and never lost in silence.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use wire::Time;
use wire::peerjs::{Kind, PeerId};

use crate::copies::Owed;
use crate::peers::SeatId;
use crate::{Capabilities, Config, Word};

/// Where a letter waits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// For whoever comes by that name, for nobody has it now.
    Name(PeerId),
    /// For the peer in that seat, which blinks or reads too slowly.
    Seat(SeatId),
}

/// A message that could not be handed over at once.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    /// Its number among all that wait, which is given by [`Letters::put`].
    pub(crate) number: u64,
    pub(crate) expires: Time,
    /// Who sent it.
    pub(crate) from: SeatId,
    /// Whom it was sent to, as the sender wrote it.
    pub(crate) to: PeerId,
    /// What its sender is owed when it is lost.
    pub(crate) owed: Owed,
    /// Which connection it is about.
    pub(crate) connection: Option<Box<str>>,
    /// What a device needs to take it.
    pub(crate) needs: Capabilities,
    pub(crate) word: Word,
}

/// What a letter counts beside its text: the record and its share of the tables, roughly (measured with a million
/// destinations of one empty letter each).
const LETTER_BYTES: usize = 512;

impl Letter {
    fn bytes(&self) -> usize {
        LETTER_BYTES + self.to.as_str().len() + self.word.payload_bytes()
    }

    /// Whether it is an offer or an answer, to which the candidates behind it belong.
    pub(crate) fn begins(&self) -> bool {
        matches!(self.word, Word::Signal { kind: Kind::Offer | Kind::Answer, .. })
    }
}

/// **Invariant:** the letters of a place expire in the order in which they lie, because all wait equally long.
///
/// **Invariant:** `agenda` names each place that is not empty once, at the time its first letter expires.
///
/// **Invariant:** `bytes` and `by_sender` are sums over all that waits.
#[derive(Debug, Default)]
pub(crate) struct Letters {
    boxes: BTreeMap<Place, Pile>,
    agenda: BTreeSet<(Time, Place)>,
    bytes: usize,
    by_sender: BTreeMap<SeatId, usize>,
    next: u64,
}

#[derive(Debug, Default)]
struct Pile {
    letters: VecDeque<Letter>,
    bytes: usize,
}

impl Letters {
    /// Puts a letter at the end of a place; gives it back when a limit is reached.
    pub(crate) fn put(
        &mut self,
        config: &Config,
        place: Place,
        mut letter: Letter,
    ) -> Option<Letter> {
        let bytes = letter.bytes();
        let (count, waiting) =
            self.boxes.get(&place).map_or((0, 0), |pile| (pile.letters.len(), pile.bytes));
        let sent = self.by_sender.get(&letter.from).copied().unwrap_or(0);
        if count >= config.letters_max
            || waiting + bytes > config.letters_bytes_max
            || sent + bytes > config.letters_bytes_max_per_sender
            || self.bytes + bytes > config.letters_bytes_max_total
        {
            return Some(letter);
        }
        letter.number = self.next;
        self.next += 1;
        self.bytes += bytes;
        self.by_sender.insert(letter.from, sent + bytes);
        if count == 0 {
            self.agenda.insert((letter.expires, place.clone()));
        }
        let pile = self.boxes.entry(place).or_default();
        pile.bytes += bytes;
        pile.letters.push_back(letter);
        None
    }

    /// What a device needs to take what waits there of `from` about that connection; `None` when nothing does.
    pub(crate) fn needs(
        &self,
        place: &Place,
        from: SeatId,
        connection: Option<&str>,
    ) -> Option<Capabilities> {
        let is_of =
            |letter: &&Letter| letter.from == from && letter.connection.as_deref() == connection;
        let first = self.boxes.get(place)?.letters.iter().find(is_of)?;
        Some(first.needs.clone())
    }

    /// Everything that waits there, the oldest first.
    pub(crate) fn take(&mut self, place: &Place) -> Vec<Letter> {
        let Some(pile) = self.boxes.remove(place) else { return Vec::new() };
        if let Some(first) = pile.letters.front() {
            self.agenda.remove(&(first.expires, place.clone()));
        }
        for letter in &pile.letters {
            self.forget(letter);
        }
        pile.letters.into()
    }

    /// The letters that are lost at `now`. With a letter goes what its sender put behind it into the same place, up to
    /// the next offer or answer: candidates are nothing without the one that they belong to.
    pub(crate) fn expire(&mut self, now: Time) -> Vec<Letter> {
        let mut lost = Vec::new();
        while let Some((at, place)) = self.agenda.first().cloned() {
            if at > now {
                break;
            }
            self.agenda.remove(&(at, place.clone()));
            let Some(pile) = self.boxes.get_mut(&place) else {
                unreachable!("what stands in the agenda is not empty");
            };
            let first = lost.len();
            split_expired(pile, now, &mut lost);
            if let Some(next) = pile.letters.front() {
                self.agenda.insert((next.expires, place));
            } else {
                self.boxes.remove(&place);
            }
            for letter in &lost[first..] {
                self.forget(letter);
            }
        }
        lost
    }

    pub(crate) fn timeout(&self) -> Option<Time> {
        self.agenda.first().map(|(at, _)| *at)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn forget(&mut self, letter: &Letter) {
        let bytes = letter.bytes();
        self.bytes -= bytes;
        let Some(sent) = self.by_sender.get_mut(&letter.from) else {
            unreachable!("a letter that waits is counted for its sender");
        };
        *sent -= bytes;
        if *sent == 0 {
            self.by_sender.remove(&letter.from);
        }
    }
}

/// Moves what is lost from `pile` to `lost`, in order.
fn split_expired(pile: &mut Pile, now: Time, lost: &mut Vec<Letter>) {
    let mut broken = BTreeSet::new();
    let mut kept = VecDeque::new();
    for letter in pile.letters.drain(..) {
        if letter.expires <= now {
            broken.insert(letter.from);
        } else if letter.begins() {
            broken.remove(&letter.from);
        }
        if broken.contains(&letter.from) {
            pile.bytes -= letter.bytes();
            lost.push(letter);
        } else {
            kept.push_back(letter);
        }
    }
    pile.letters = kept;
}
