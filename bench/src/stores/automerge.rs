//! Automerge: texts in the root map of a document.

use automerge::sync::{Message, State, SyncDoc as _};
use automerge::transaction::Transactable as _;
use automerge::{ActorId, AutoCommit, Change, ROOT, ReadDoc as _};

use super::measure::{Store, Update, Write};

/// A document.
pub struct Automerge(AutoCommit);

impl Store for Automerge {
    fn new(author: u64) -> Self {
        Self(AutoCommit::new().with_actor(ActorId::from(author.to_be_bytes())))
    }

    fn write(&mut self, write: &Write) -> Vec<u8> {
        self.0.put(ROOT, write.key(), write.json.clone()).expect("a map takes texts");
        self.0.commit();
        let change = self.0.get_last_local_change().expect("it has just been made");
        change.raw_bytes().to_vec()
    }

    fn apply(&mut self, (_, bytes): &Update) {
        self.0.load_incremental(bytes).expect("it was written by the same code");
    }

    fn apply_all(&mut self, updates: &[Update]) {
        let changes =
            updates.iter().map(|(_, bytes)| Change::from_bytes(bytes.clone()).expect("as above"));
        self.0.apply_changes(changes.collect::<Vec<_>>()).expect("they fit");
    }

    fn snapshot(&mut self) -> Vec<Vec<u8>> {
        vec![self.0.save()]
    }

    fn sync(one: &mut Self, other: &mut Self) -> Vec<Vec<Vec<u8>>> {
        let (mut of_one, mut of_other) = (State::new(), State::new());
        let mut said = Vec::new();
        loop {
            let to_other = one.0.sync().generate_sync_message(&mut of_one).map(Message::encode);
            let to_one = other.0.sync().generate_sync_message(&mut of_other).map(Message::encode);
            if to_other.is_none() && to_one.is_none() {
                return said;
            }
            let mut flight = Vec::new();
            let mut give = |to: &mut AutoCommit, state: &mut State, bytes: Option<Vec<u8>>| {
                let Some(bytes) = bytes else { return };
                let message = Message::decode(&bytes).expect("it was written by the same code");
                to.sync().receive_sync_message(state, message).expect("it fits");
                flight.push(bytes);
            };
            give(&mut other.0, &mut of_other, to_other);
            give(&mut one.0, &mut of_one, to_one);
            said.push(flight);
        }
    }

    fn entries(&self) -> usize {
        self.0.length(ROOT)
    }
}
