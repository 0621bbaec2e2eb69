//! One link: who is there, whether it lives, and frames in pieces.

use wire::{LinkId, NodeId, Time};

use crate::frame::Frame;
use crate::{Config, Cost, Error, Mesh, Output};

/// More than a frame adds to its payload.
const HEADER_BYTES_MAX: usize = 64;

/// An open link.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) peer: NodeId,
    /// When we last sent anything.
    sent: Time,
    /// When we last sent a beat.
    beaten: Time,
    /// When we last received anything.
    heard: Time,
    /// When we asked for an echo that has not come yet.
    pinged: Option<Time>,
    /// How long a frame takes.
    pub(crate) cost: Cost,
    /// Whether it has been silent too long to be relied on.
    pub(crate) suspect: bool,
    /// The pieces so far of a message that comes in pieces.
    pieces: Vec<u8>,
}

impl Link {
    fn beat_at(&self, config: &Config) -> Time {
        (self.sent + config.beat).min(self.beaten + config.digest)
    }

    pub(crate) fn timeout(&self, config: &Config) -> Time {
        let patience = if self.suspect { config.down } else { config.suspect };
        self.beat_at(config).min(self.heard + patience)
    }
}

impl Mesh {
    pub(crate) fn on_up(&mut self, now: Time, link: LinkId, peer: NodeId) -> Result<(), Error> {
        let refusal = if self.links.len() >= self.config.links_max {
            Error::Limit("the number of links")
        } else if peer == self.me {
            Error::PeerMisbehaved { peer, what: "it claims to be us" }
        } else {
            let is_new = self.links.values().all(|link| link.peer != peer);
            let open = Link {
                peer,
                sent: now,
                beaten: now,
                heard: now,
                pinged: Some(now),
                cost: Cost::UNKNOWN,
                suspect: false,
                pieces: Vec::new(),
            };
            self.links.insert(link, open);
            self.send(now, link, &Frame::Ping);
            if is_new {
                self.outputs.push_back(Output::Opened { peer });
                self.find_ways(now);
            }
            return Ok(());
        };
        self.outputs.push_back(Output::Hang { link });
        Err(refusal)
    }

    pub(crate) fn on_down(&mut self, now: Time, link: LinkId) {
        let Some(closed) = self.links.remove(&link) else { return };
        let peer = closed.peer;
        if self.links.values().all(|link| link.peer != peer) {
            self.outputs.push_back(Output::Closed { peer });
            self.find_ways(now);
        }
    }

    pub(crate) fn shun(&mut self, now: Time, peer: NodeId) {
        let theirs = self.links.iter().filter(|(_, link)| link.peer == peer);
        for link in theirs.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.outputs.push_back(Output::Hang { link });
            self.on_down(now, link);
        }
    }

    pub(crate) fn on_timeout(&mut self, now: Time) {
        // If we come back much later than we asked to, it was we who were silent: give the others their time.
        let slept = now - self.looked > self.config.suspect;
        self.looked = now;
        let mut dead = Vec::new();
        let mut due = Vec::new();
        let mut turned = Vec::new();
        for (id, link) in self.links.iter_mut() {
            if slept {
                let spare = self.config.down - self.config.suspect;
                link.heard = link.heard.max(Time::at(now.since_origin().saturating_sub(spare)));
            }
            let suspect = now >= link.heard + self.config.suspect;
            if suspect != std::mem::replace(&mut link.suspect, suspect) {
                turned.push(link.peer);
            }
            if now >= link.heard + self.config.down {
                dead.push(*id);
            } else if now >= link.beat_at(&self.config) {
                link.beaten = now;
                due.push(*id);
            }
        }
        for peer in turned {
            self.turn(now, peer);
        }
        for link in dead {
            self.outputs.push_back(Output::Hang { link });
            self.on_down(now, link);
        }
        let beat = Frame::Beat(self.digest.to_le_bytes());
        for link in due {
            self.send(now, link, &beat);
        }
        self.look_after_waiting(now);
        self.ask_for_missing(now);
    }

    pub(crate) fn on_received(&mut self, now: Time, id: LinkId, bytes: &[u8]) -> Result<(), Error> {
        let link = self.links.get_mut(&id).ok_or(Error::UnknownLink)?;
        let peer = link.peer;
        link.heard = now;
        if std::mem::replace(&mut link.suspect, false) {
            self.turn(now, peer);
        }
        self.read(now, id, peer, bytes).map_err(|what| {
            self.outputs.push_back(Output::Hang { link: id });
            self.on_down(now, id);
            Error::PeerMisbehaved { peer, what }
        })
    }

    fn read(
        &mut self,
        now: Time,
        id: LinkId,
        peer: NodeId,
        bytes: &[u8],
    ) -> Result<(), &'static str> {
        let frame = Frame::decode(bytes).ok_or("a frame that cannot be read")?;
        let Frame::Piece { more, bytes } = frame else {
            return self.on_frame(now, id, peer, frame);
        };
        let pieces_max = self.config.message_bytes_max + HEADER_BYTES_MAX;
        let Some(link) = self.links.get_mut(&id) else { return Ok(()) };
        if link.pieces.len() + bytes.len() > pieces_max {
            return Err("a message too long");
        }
        link.pieces.extend(bytes);
        if more {
            return Ok(());
        }
        let whole = std::mem::take(&mut link.pieces);
        let frame = Frame::decode(&whole).ok_or("pieces that make no frame")?;
        self.on_frame(now, id, peer, frame)
    }

    fn on_frame(
        &mut self,
        now: Time,
        id: LinkId,
        peer: NodeId,
        frame: Frame,
    ) -> Result<(), &'static str> {
        match frame {
            Frame::Beat(digest) => {
                let digest = u32::from_le_bytes(digest);
                self.outputs.push_back(Output::Digest { peer, digest });
            }
            Frame::Cast(cast) => self.on_cast(now, peer, cast),
            Frame::Unicast(unicast) => self.on_unicast(now, unicast),
            Frame::Tell(payload) => self.outputs.push_back(Output::Told { peer, payload }),
            Frame::Ping => self.send(now, id, &Frame::Echo),
            Frame::Echo => self.on_echo(now, id)?,
            Frame::Hint { author, seq } => self.on_hint(now, peer, author, seq),
            Frame::Want { author, seq } => self.on_want(now, peer, author, seq),
            Frame::Piece { .. } => return Err("pieces within pieces"),
        }
        Ok(())
    }

    fn turn(&mut self, now: Time, peer: NodeId) {
        self.outputs.push_back(Output::Turned { peer });
        self.find_ways(now);
    }

    fn on_echo(&mut self, now: Time, id: LinkId) -> Result<(), &'static str> {
        let link = self.links.get_mut(&id).ok_or("an echo after the end")?;
        let pinged = link.pinged.take().ok_or("an echo that nobody asked for")?;
        link.cost = Cost::of(now - pinged);
        Ok(())
    }

    /// Sends over the oldest link to `peer`, so that order is kept; nothing when there is none.
    pub(crate) fn send_to(&mut self, now: Time, peer: NodeId, frame: &Frame) {
        let link = self.links.iter().find(|(_, link)| link.peer == peer).map(|(id, _)| *id);
        if let Some(link) = link {
            self.send(now, link, frame);
        }
    }

    fn send(&mut self, now: Time, id: LinkId, frame: &Frame) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.sent = now;
        let bytes = frame.encode();
        if bytes.len() <= self.config.frame_bytes_max {
            self.outputs.push_back(Output::Send { link: id, frame: bytes });
            return;
        }
        // A piece wraps its bytes in a tag, a flag and a length.
        let mut pieces = bytes.chunks(self.config.frame_bytes_max - 8).peekable();
        while let Some(piece) = pieces.next() {
            let piece = Frame::Piece { more: pieces.peek().is_some(), bytes: piece.to_vec() };
            self.outputs.push_back(Output::Send { link: id, frame: piece.encode() });
        }
    }

    /// Whether all links that the map says we have are there, and live. More than it says do no harm.
    pub(crate) fn is_settled(&self) -> bool {
        let trusted = self.trusted();
        self.map.neighbours(self.me).all(|peer| trusted.contains(&peer))
    }
}
