//! How the parts of a node hear of each other: whatever the network or the tree says passes here.

use mesh::Verdict;
use tree::LINKS;
use trust::Purpose;
use wire::{NodeId, Sure, Time};

use crate::once::Came;
use crate::presence::Haste;
use crate::words::{Letter, Names, Private, ToAll, ToNeighbour, decode, encode};
use crate::{Error, Event, Misuse, Node, Output, Path};

impl Node {
    /// Lets the parts talk until they are silent; the first error of all is told.
    pub(crate) fn settle(&mut self, now: Time) -> Result<(), Error> {
        let mut result = Ok(());
        if self.is_over {
            return result;
        }
        loop {
            result = result.and(self.publish_due_record(now));
            result = result.and(self.look_at_doors(now));
            if let Some(output) = self.mesh.poll() {
                result = result.and(self.on_mesh(now, output));
            } else if let Some(output) = self.tree.poll() {
                result = result.and(self.on_tree(now, output));
            } else if let Some((came, went)) = self.take_attendance(now) {
                result = result.and(self.tree_input(now, tree::Input::Present { came, went }));
            } else {
                break;
            }
        }
        self.dial_wanted(now);
        result
    }

    fn on_mesh(&mut self, now: Time, output: mesh::Output) -> Result<(), Error> {
        match output {
            mesh::Output::Send { link, frame } => {
                self.outputs.push_back(Output::Send { link, frame });
            }
            mesh::Output::Flush { link } => self.outputs.push_back(Output::Flush { link }),
            mesh::Output::Reached { node } | mesh::Output::Lost { node } => self.turned.push(node),
            mesh::Output::Hang { link } => {
                self.doors.remove(&link);
                self.outputs.push_back(Output::Hang { link });
            }
            mesh::Output::Opened { peer } => {
                let bridge = !self.is_reached(peer);
                self.plan_pruning(now);
                self.on_links_changed(now, Haste::to_tell(bridge));
                if bridge {
                    // With what it brings, which all hear before the map changes.
                    self.bridge = Some(peer);
                    self.record_at = self.record_at.map(|at| at + self.config.gather * 2);
                }
                if self.attendance.present().len() == 1 {
                    self.new_until = Some(now + self.config.newness);
                    self.record_first_link(now)?;
                }
                return self.tree_input(now, tree::Input::Opened { peer, bridge });
            }
            mesh::Output::Closed { peer } => {
                self.repairs.remove(&peer);
                self.retiring.remove(&peer);
                self.asked.remove(&peer);
                self.on_links_changed(now, Haste::High);
                return self.tree_input(now, tree::Input::Closed { peer });
            }
            mesh::Output::Turned { .. } => self.on_links_changed(now, Haste::Some),
            mesh::Output::Heard { author, payload } => {
                return self.on_heard(now, author, &payload);
            }
            mesh::Output::Got { from, id, payload } => {
                return self.on_letter(now, from, id, &payload);
            }
            mesh::Output::Told { peer, payload } => {
                let what = "words that cannot be read";
                let words = decode(&payload).ok_or(Error::PeerMisbehaved { peer, what });
                let result = words.and_then(|words| self.on_told(now, peer, words));
                if let Err(Error::PeerMisbehaved { .. }) = result {
                    self.strike(now, peer);
                    self.mesh_input(now, mesh::Input::Shun { peer })?;
                }
                return result;
            }
            mesh::Output::Digest { peer, digest, compare } => {
                return self.on_digest(now, peer, digest, compare);
            }
            mesh::Output::NoWay { id, to } => {
                if let Some(at) = self.notices.iter().position(|(of, _)| *of == id)
                    && let Some((_, path)) = self.notices.remove(at)
                {
                    self.emit(Event::Undelivered { path, to });
                }
            }
        }
        Ok(())
    }

    /// Those whom we join hear of this link together with all that we wrote before, so nobody is told of it alone.
    fn record_first_link(&mut self, now: Time) -> Result<(), Error> {
        self.record_at = Some(now);
        self.publish_due_record(now)?;
        let said: Vec<tree::Output> = std::iter::from_fn(|| self.tree.poll()).collect();
        let others = said.into_iter().filter(|said| !matches!(said, tree::Output::Cast { .. }));
        others.into_iter().try_for_each(|said| self.on_tree(now, said))
    }

    /// Somebody says something to all, as far as its neighbour says. Nobody is blamed for it by name, for whoever handed it
    /// on may have made it up.
    fn on_heard(&mut self, now: Time, author: NodeId, payload: &[u8]) -> Result<(), Error> {
        let what = "a broadcast that cannot be read";
        let misbehaved = Err(Error::PeerMisbehaved { peer: author, what });
        let (verdict, result) = match decode(payload) {
            Some(ToAll::Tree(bytes)) => {
                let (before, is_old) = (self.tree.digest(), self.tree.has_all(&bytes));
                let result = self.tree_input(now, tree::Input::Heard { author, bytes });
                let verdict = match result {
                    Ok(()) if self.tree.digest() != before => Verdict::Good,
                    Ok(()) if is_old => Verdict::Old,
                    Err(Error::PeerMisbehaved { .. }) => Verdict::Bad,
                    Ok(()) | Err(Error::Misuse(_) | Error::Limit(_)) => Verdict::Unknown,
                };
                (verdict, result)
            }
            Some(ToAll::Notice(loud)) => (self.on_loud_notice(author, &loud), Ok(())),
            Some(ToAll::Names(names)) => match Names::from_bytes(&names) {
                Some(names) => return self.hear_names(now, names),
                None => (Verdict::Bad, misbehaved),
            },
            None => (Verdict::Bad, misbehaved),
        };
        result.and(self.mesh_input(now, mesh::Input::Judged(verdict)))
    }

    /// Somebody said something to us alone, as far as who brought it says.
    fn on_letter(&mut self, now: Time, from: NodeId, id: u32, payload: &[u8]) -> Result<(), Error> {
        let plain = self.tree.notary().0.open(Purpose::Words, from, payload);
        let letter = plain.as_deref().and_then(decode).filter(|said: &Letter| said.id == id);
        let Some(Letter { life, receipt, words, .. }) = letter else {
            self.mesh_input(now, mesh::Input::Opened(None))?;
            let what = "a message that is not sealed to us";
            return Err(Error::PeerMisbehaved { peer: from, what });
        };
        let came = self.letters.hear(from, life, u64::from(id));
        // Of one that is too late it is not said that it has come: its sender has given it up.
        let receipt = Some(receipt).filter(|_| came != Came::Late);
        self.mesh_input(now, mesh::Input::Opened(receipt))?;
        if came == Came::New { self.on_got(now, from, words) } else { Ok(()) }
    }

    fn on_got(&mut self, now: Time, from: NodeId, words: Private) -> Result<(), Error> {
        match words {
            Private::Notice(notice) => self.on_notice(from, &notice),
            Private::Offer { description, .. } | Private::Answer { description, .. }
                if description.len() > self.config.description_bytes_max =>
            {
                let what = "a session description too long";
                return Err(Error::PeerMisbehaved { peer: from, what });
            }
            Private::Offer { attempt, description } => {
                return self.on_offer(now, from, attempt, description);
            }
            Private::Answer { attempt, description } => self.on_answer(from, attempt, description),
            Private::Refusal { attempt } => self.on_refusal(now, from, attempt),
        }
        Ok(())
    }

    /// Says something that only `to` can read; false when we do not know its keys.
    pub(crate) fn say_privately(
        &mut self,
        now: Time,
        to: NodeId,
        id: u32,
        words: Private,
    ) -> Result<bool, Error> {
        let receipt = self.dice.bytes();
        let plain = encode(&Letter { life: self.life, id, receipt, words });
        let trust = &self.tree.notary().0;
        let sealed = trust.seal(Purpose::Words, to, &plain, &mut self.dice);
        let Some(payload) = sealed else { return Ok(false) };
        self.mesh_input(now, mesh::Input::Unicast { to, id, receipt, payload })?;
        Ok(true)
    }

    fn on_tree(&mut self, now: Time, output: tree::Output) -> Result<(), Error> {
        match output {
            tree::Output::Cast { bytes, except } => {
                if self.bridge.is_some() && self.bridge == except {
                    self.bridge = None;
                    self.record_at = self.record_at.map(|at| at.min(now));
                }
                let payload = encode(&ToAll::Tree(bytes));
                self.mesh_input(now, mesh::Input::Cast { payload, except, fleeting: false })
            }
            // It asks again when the digests still differ.
            tree::Output::Tell { peer, .. } if self.busy.contains(&peer) => Ok(()),
            tree::Output::Tell { peer, bytes } => self.tell(now, peer, &ToNeighbour::Tree(bytes)),
            tree::Output::Event(event) => self.on_change(now, event),
        }
    }

    /// Hands a change up; one of a link record is our own affair.
    fn on_change(&mut self, now: Time, change: tree::Event) -> Result<(), Error> {
        let is_ours = |path: &Path| path.segments().next() == Some(LINKS);
        let event = match change {
            tree::Event::Created { path, value, .. } | tree::Event::Updated { path, value, .. }
                if is_ours(&path) =>
            {
                return self.on_record(now, &path, Some(&value));
            }
            tree::Event::Deleted { path, .. } if is_ours(&path) => {
                return self.on_record(now, &path, None);
            }
            tree::Event::Created { path, value, by } => {
                Event::Created { value: self.opened(&path, by, value), path, by }
            }
            tree::Event::Updated { path, value, old, by } => {
                let (value, old) = (self.opened(&path, by, value), self.opened(&path, by, old));
                Event::Updated { path, value, old, by }
            }
            tree::Event::Deleted { path, old, by } => {
                Event::Deleted { old: self.opened(&path, by, old), path, by }
            }
            tree::Event::Refused { path, by } => Event::Refused { path, by },
            tree::Event::Frozen { node } => Event::Frozen(node),
            tree::Event::Loaded { path: Some(path), resources } if !is_ours(&path) => {
                let opened = resources.into_iter().map(|resource| self.opened_resource(resource));
                Event::Loaded { path, resources: opened.collect() }
            }
            // Our own, of link records, before there are any.
            tree::Event::Loaded { .. } => return Ok(()),
            tree::Event::Ready => {
                self.on_ready();
                return Ok(());
            }
        };
        self.emit(event);
        Ok(())
    }

    /// Link records are the one thing that a node itself reads.
    pub(crate) fn watch_links(&mut self, now: Time) {
        let path = Some(LINKS.parse().sure("one word is a path"));
        let watched = self.tree_input(now, tree::Input::Watch { path });
        debug_assert!(watched.is_ok(), "a new tree has room for one who watches");
    }

    pub(crate) fn on_ready(&mut self) {
        if self.ready_at.take().is_some() {
            self.emit(Event::Ready);
        }
    }

    pub(crate) fn mesh_input(&mut self, now: Time, input: mesh::Input) -> Result<(), Error> {
        self.mesh.handle(now, input).map_err(|error| match error {
            mesh::Error::PeerMisbehaved { peer, what } => {
                self.strike(now, peer);
                Error::PeerMisbehaved { peer, what }
            }
            mesh::Error::UnknownLink => Error::Misuse(Misuse::UnknownLink),
            mesh::Error::Limit(what) => Error::Limit(what),
        })
    }

    /// Every input of the tree passes here, so that beats always carry its digest.
    pub(crate) fn tree_input(&mut self, now: Time, input: tree::Input) -> Result<(), Error> {
        self.busy = self.mesh.busy().collect();
        let result = self.tree.handle(now, input).map_err(|error| match error {
            tree::Error::PeerMisbehaved { peer, what } => Error::PeerMisbehaved { peer, what },
            tree::Error::Misuse(tree::Misuse::Exists) => Error::Misuse(Misuse::Exists),
            tree::Error::Misuse(tree::Misuse::NotAnObject) => Error::Misuse(Misuse::NotAnObject),
            tree::Error::Misuse(tree::Misuse::NotOurs) => Error::Misuse(Misuse::NotOurs),
            tree::Error::Misuse(tree::Misuse::NotWatched) => Error::Misuse(Misuse::NotSubscribed),
            tree::Error::Misuse(tree::Misuse::Frozen) => Error::Misuse(Misuse::Frozen),
            tree::Error::Limit(what) => Error::Limit(what),
        });
        self.tell_digest(now);
        result
    }
}
