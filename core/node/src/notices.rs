//! Notices: what is said and not kept, to one, sealed, or to all, signed.

use serde_json::Value;
use trust::{Purpose, Verdict};
use wire::{NodeId, Time};

use crate::once::Came;
use crate::words::{Loud, Notice, Private, ToAll, encode};
use crate::{Error, Event, Misuse, Node, Path};

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
        let (life, number) = (self.life, self.next_notice);
        let signature = self.tree.notary().0.sign(Purpose::Notice, &notice.signed(life, number));
        let payload = encode(&ToAll::Notice(Loud { life, number, notice, signature }));
        self.mesh_input(now, mesh::Input::Cast { payload, except: None, fleeting: true })
    }

    /// Somebody says something to all, or so its neighbour says.
    pub(crate) fn on_loud_notice(&mut self, author: NodeId, loud: &Loud) -> mesh::Verdict {
        let trust = &mut self.tree.notary().0;
        if trust.member(author).is_none() {
            return mesh::Verdict::Unknown;
        }
        let signed = loud.notice.signed(loud.life, loud.number);
        let verdict = trust.verify(Purpose::Notice, author, &signed, &loud.signature);
        // Nor does anybody need what was said before.
        if verdict != Verdict::Good || self.heard.hear(author, loud.life, loud.number) != Came::New
        {
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
