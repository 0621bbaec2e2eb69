//! Notices: what is said and not kept, to one, sealed, or to all, signed.

use serde_json::Value;
use trust::{Purpose, Verdict};
use wire::{Map, NodeId, Time};

use crate::words::{Loud, Notice, Private, ToAll, encode};
use crate::{Error, Event, Misuse, Node, Path};

/// How many numbers behind the latest of an author are told apart: more than overtake each other.
const SPAN: u64 = 64;

/// Which notices to all were heard, so that nobody can say again what somebody said once.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// The latest number of each author, and a bit for each of those up to it, the latest lowest.
    latest: Map<NodeId, (u64, u64)>,
}

impl Heard {
    /// Marks a notice as heard; false when it was already, or is too old to tell.
    fn is_new(&mut self, author: NodeId, number: u64) -> bool {
        let Some((latest, bits)) = self.latest.get_mut(&author) else {
            self.latest.insert(author, (number, 1));
            return true;
        };
        if number > *latest {
            let step = number - *latest;
            *bits = if step < SPAN { *bits << step } else { 0 } | 1;
            *latest = number;
            return true;
        }
        let behind = *latest - number;
        let bit = if behind < SPAN { 1 << behind } else { 0 };
        let is_new = *bits & bit == 0 && bit != 0;
        *bits |= bit;
        is_new
    }
}

impl Node {
    pub(crate) fn notify(
        &mut self,
        now: Time,
        path: Path,
        data: &Value,
        to: Option<NodeId>,
    ) -> Result<(), Error> {
        if !data.is_object() {
            return Err(Error::Misuse(Misuse::NotAnObject));
        }
        let json = data.to_string();
        if json.len() > self.config.tree.value_bytes_max {
            return Err(Error::Limit("the size of a notice"));
        }
        let notice = Notice { path, json };
        let Some(to) = to else { return self.notify_all(now, notice) };
        if to == self.me {
            self.on_notice(self.me, &notice);
            return Ok(());
        }
        let id = self.next_message();
        self.notices.push_back((id, notice.path.clone()));
        if self.notices.len() > self.config.notices_max {
            self.notices.pop_front();
        }
        let path = notice.path.clone();
        if !self.say_privately(now, to, id, Private::Notice(notice))? {
            self.notices.pop_back();
            self.emit(Event::Undelivered { path, to });
        }
        Ok(())
    }

    fn notify_all(&mut self, now: Time, notice: Notice) -> Result<(), Error> {
        self.next_notice += 1;
        let number = self.next_notice;
        let signature = self.tree.notary().0.sign(Purpose::Notice, &notice.signed(number));
        let payload = encode(&ToAll::Notice(Loud { number, notice, signature }));
        self.mesh_input(now, mesh::Input::Cast { payload, except: None, fleeting: true })
    }

    /// Somebody says something to all, or so its neighbour says.
    pub(crate) fn on_loud_notice(&mut self, author: NodeId, loud: &Loud) -> mesh::Verdict {
        let trust = &mut self.tree.notary().0;
        if trust.member(author).is_none() {
            return mesh::Verdict::Unknown;
        }
        let signed = loud.notice.signed(loud.number);
        let verdict = trust.verify(Purpose::Notice, author, &signed, &loud.signature);
        // Nor does anybody need what was said before.
        if verdict != Verdict::Good || !self.heard.is_new(author, loud.number) {
            return mesh::Verdict::Bad;
        }
        self.on_notice(author, &loud.notice);
        mesh::Verdict::Good
    }

    /// A notice that is not an object is dropped: it is one application's fault, and no protocol broke.
    pub(crate) fn on_notice(&mut self, from: NodeId, notice: &Notice) {
        if let Some(data) = notice.data() {
            self.emit(Event::Notice { path: notice.path.clone(), data, from });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_heard_once_in_whatever_order_they_come() {
        let mut heard = Heard::default();
        let author = NodeId(1);

        let news: Vec<bool> =
            [7, 7, 9, 8, 8, 7, 72, 9, 10, 8, 1_000, 10].map(|n| heard.is_new(author, n)).into();

        let expected = [1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1, 0].map(|is_new| is_new == 1);
        assert_eq!(news, expected);
        assert!(heard.is_new(NodeId(2), 7));
    }
}
