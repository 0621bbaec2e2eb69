//! One link: who is there, whether it lives, how much comes, and frames in pieces.

use wire::{LinkId, NodeId, Time};

use crate::cast::Waste;
use crate::frame::{CastId, Frame, Piece};
use crate::pace::Pace;
use crate::queue::{Queue, Whose};
use crate::worn::Naming;
use crate::{Config, Cost, Error, Mesh, Output};

/// More than a frame adds to its payload.
const HEADER_BYTES_MAX: usize = 256;

/// While our digest changes all the time, a difference is put down to what is on its way for two beats, and for another
/// with each so many nodes: the more there are, the more is on its way, and the more it costs to ask.
const UNQUIET_NODES: usize = 150;

/// With how many neighbours that differ we compare: one may lack the same.
const COMPARED: usize = 2;

/// How often we do: what others lack too comes to them by their first time.
const COMPARISONS: u32 = 2;

/// An open link.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) peer: NodeId,
    /// Where it is on the map.
    pub(crate) place: usize,
    /// When we last sent anything.
    pub(crate) sent: Time,
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
    /// Whether it says that it is linked to us.
    pub(crate) naming: Naming,
    /// The digest that its last beat named.
    theirs: u32,
    /// What was between that and ours then.
    gap: u32,
    /// How many beats running have named another digest than ours.
    differed: u32,
    /// Whether the last one named ours.
    agrees: bool,
    /// How fast frames come.
    pace: Pace,
    /// The pieces so far of a message that comes in pieces, and the number and the place of the one that is next.
    pieces: Vec<u8>,
    next_piece: (u8, u8),
    pub(crate) queue: Queue,
    /// The casts that we are about to hint at.
    pub(crate) hints: Vec<CastId>,
    /// What came that was of no use.
    pub(crate) waste: Waste,
}

impl Link {
    /// When something has to be said or done about its silence, or about ours.
    fn doubted_at(&self, config: &Config) -> Time {
        let patience = if self.suspect { config.down } else { config.suspect };
        let silent = self.heard + patience;
        self.queue.stalled_at(config).map_or(silent, |stalled| stalled.min(silent))
    }

    fn needs_beat(&self, config: &Config, now: Time) -> bool {
        now >= self.sent + config.beat / 2 || now >= self.beaten + config.digest
    }
}

impl Mesh {
    pub(crate) fn on_up(&mut self, now: Time, id: LinkId, peer: NodeId) -> Result<(), Error> {
        let refusal = if self.links.len() >= self.config.links_max {
            Error::Limit("the number of links")
        } else if peer == self.me {
            Error::PeerMisbehaved { peer, what: "it claims to be us" }
        } else {
            self.open(now, id, peer);
            return Ok(());
        };
        self.outputs.push_back(Output::Hang { link: id });
        Err(refusal)
    }

    fn open(&mut self, now: Time, id: LinkId, peer: NodeId) {
        let is_new = self.link_to(peer).is_none();
        let place = self.map.number(peer);
        let link = Link {
            peer,
            place,
            sent: now,
            beaten: now,
            heard: now,
            pinged: Some(now),
            cost: Cost::UNKNOWN,
            suspect: false,
            naming: Naming::new(now, self.map.names(place, self.me)),
            theirs: 0,
            gap: 0,
            differed: 0,
            agrees: false,
            pace: Pace::default(),
            pieces: Vec::new(),
            next_piece: (0, 0),
            queue: Queue::default(),
            hints: Vec::new(),
            waste: Waste::default(),
        };
        self.links.insert(id, link);
        self.tick_at.get_or_insert(now + self.config.beat);
        self.send(now, id, &Frame::Ping);
        if is_new {
            self.outputs.push_back(Output::Opened { peer });
            self.find_reach(now);
        }
    }

    pub(crate) fn on_down(&mut self, now: Time, id: LinkId) {
        let Some(closed) = self.links.remove(&id) else { return };
        if self.links.is_empty() {
            (self.tick_at, self.doubt_at, self.compare_at) = (None, None, None);
        }
        if self.link_to(closed.peer).is_none() {
            self.outputs.push_back(Output::Closed { peer: closed.peer });
            self.find_reach(now);
        } else if closed.suspect {
            // A newer link to it takes over, which may live.
            self.turn(now, closed.peer);
        }
    }

    pub(crate) fn shun(&mut self, now: Time, peer: NodeId) {
        let theirs = self.links.iter().filter(|(_, link)| link.peer == peer);
        for link in theirs.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.hang_up(now, link);
        }
    }

    fn hang_up(&mut self, now: Time, link: LinkId) {
        self.outputs.push_back(Output::Hang { link });
        self.on_down(now, link);
    }

    pub(crate) fn on_timeout(&mut self, now: Time) {
        let ticks = self.tick_at.is_some_and(|at| now >= at);
        let doubts = self.doubt_at.is_some_and(|at| now >= at);
        if ticks || doubts {
            self.look_after_links(now);
        }
        if ticks && self.tick_at.is_some() {
            self.tick_at = Some(now + self.config.beat);
            self.beat(now);
        }
        self.compare(now);
        self.send_hints(now);
        self.look_after_waiting(now);
        self.ask_for_missing(now);
    }

    /// Doubts and hangs up whoever has been silent for too long.
    fn look_after_links(&mut self, now: Time) {
        // If we come back much later than we asked to, it was we who were silent: give the others their time.
        let slept = now - self.looked > self.config.suspect;
        self.looked = now;
        let (mut dead, mut turned) = (Vec::new(), Vec::new());
        for (id, link) in self.links.iter_mut() {
            if slept {
                let spare = self.config.down - self.config.suspect;
                link.heard = link.heard.max(Time::at(now.since_origin().saturating_sub(spare)));
            }
            let suspect = now >= link.heard + self.config.suspect;
            let turns = suspect != std::mem::replace(&mut link.suspect, suspect);
            if link.naming.is_late(&self.config, now) || turns {
                turned.push(link.peer);
            }
            let stalled = link.queue.stalled_at(&self.config).is_some_and(|at| now >= at);
            if stalled || now >= link.heard + self.config.down {
                dead.push(*id);
            }
        }
        if !turned.is_empty() {
            self.plan_comparing(now);
        }
        for peer in turned {
            self.turn(now, peer);
        }
        self.wear_out(now, slept);
        for link in dead {
            self.hang_up(now, link);
        }
        self.plan_doubts();
    }

    /// When to look after the links again, if that is before they are looked after anyway.
    fn plan_doubts(&mut self) {
        let next = self.links.values().map(|link| link.doubted_at(&self.config)).min();
        self.doubt_at = next.filter(|at| self.tick_at.is_none_or(|tick| *at < tick));
    }

    /// Says over each link that we are here, where nothing else has said so lately.
    fn beat(&mut self, now: Time) {
        let digest = self.digest.to_le_bytes();
        let due = |link: &Link| link.needs_beat(&self.config, now) && !link.queue.is_waiting();
        let due = self.links.iter().filter(|(_, link)| due(link)).map(|(id, _)| *id);
        for id in due.collect::<Vec<_>>() {
            if let Some(link) = self.links.get_mut(&id) {
                link.beaten = now;
            }
            self.send(now, id, &Frame::Beat(digest));
        }
        self.plan_doubts();
    }

    pub(crate) fn on_received(&mut self, now: Time, id: LinkId, bytes: &[u8]) -> Result<(), Error> {
        let link = self.links.get_mut(&id).ok_or(Error::UnknownLink)?;
        let peer = link.peer;
        link.heard = now;
        let is_flood = !link.pace.allows(now, self.config.frame_pace, self.config.frame_burst);
        if std::mem::replace(&mut link.suspect, false) {
            self.turn(now, peer);
        }
        let read = if is_flood { Err("a flood") } else { self.read(now, id, peer, bytes) };
        read.map_err(|what| {
            self.hang_up(now, id);
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
        let Frame::Piece(Piece { of, at, more, bytes }) = frame else {
            return self.on_frame(now, id, peer, frame);
        };
        let pieces_max = self.config.message_bytes_max + HEADER_BYTES_MAX;
        let Some(link) = self.links.get_mut(&id) else { return Ok(()) };
        if at == 0 {
            link.pieces.clear();
        } else if link.next_piece != (of, at) {
            // One before it was lost: what it would be a part of is said again when somebody misses it.
            link.pieces = Vec::new();
            link.next_piece = (of, 0);
            return Ok(());
        }
        if link.pieces.len() + bytes.len() > pieces_max {
            return Err("a message too long");
        }
        link.next_piece = (of, at.saturating_add(1));
        link.pieces.extend(bytes);
        if more {
            return Ok(());
        }
        link.next_piece = (of, 0);
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
            Frame::Beat(digest) => self.on_beat(now, id, peer, u32::from_le_bytes(digest)),
            Frame::Cast(cast) => {
                let which = cast.id();
                if let Some(link) = self.links.get_mut(&id) {
                    // Whoever sends it has it.
                    link.hints.retain(|hint| *hint != which);
                }
                self.on_cast(now, (id, peer), cast, which);
            }
            Frame::Unicast(unicast) => self.on_unicast(now, unicast)?,
            Frame::Tell(payload) => self.outputs.push_back(Output::Told { peer, payload }),
            Frame::Ping => self.send(now, id, &Frame::Echo),
            Frame::Echo => self.on_echo(now, id)?,
            Frame::Hint(ids) => self.on_hint(now, id, peer, &ids)?,
            Frame::Want(ids) => self.on_want(now, id, &ids)?,
            Frame::Piece(_) => return Err("pieces within pieces"),
        }
        Ok(())
    }

    /// What differs is worth comparing from the second time on, for once may be a write on its way. While ours changes all
    /// the time, most likely that is so for longer, unless what differs is the very same as a beat before.
    fn on_beat(&mut self, now: Time, id: LinkId, peer: NodeId, digest: u32) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.theirs = digest;
        let gap = digest ^ self.digest;
        let stays = std::mem::replace(&mut link.gap, gap) == gap;
        let agreed = std::mem::replace(&mut link.agrees, gap == 0);
        link.differed = if gap == 0 { 0 } else { link.differed + 1 };
        if gap == 0 && agreed {
            return;
        }
        let patience = 2 + self.map.len() / UNQUIET_NODES;
        let is_quiet = now >= self.digested + self.config.beat;
        let lasts = stays || is_quiet && link.differed > 1 || link.differed as usize > patience;
        self.outputs.push_back(Output::Digest { peer, digest, compare: gap != 0 && lasts });
    }

    /// We are to compare what we have with some neighbours in a while.
    pub(crate) fn plan_comparing(&mut self, now: Time) {
        let (_, left) = self.compare_at.get_or_insert((now + self.config.beat * 2, 0));
        *left = COMPARISONS;
    }

    /// Compares with some neighbours what we have, a while after others have fallen silent: what was to come by way of them
    /// before all had noticed came to nobody. Or a while after we have come to many: who told us all that it had may have
    /// just come too. Where much changes at once, a difference alone says nothing for long.
    fn compare(&mut self, now: Time) {
        let Some((_, left)) = self.compare_at.take_if(|(at, _)| now >= *at) else { return };
        if left > 1 {
            self.compare_at = Some((now + self.config.beat * 2, left - 1));
        }
        let differs = |link: &&Link| !link.suspect && link.theirs != self.digest;
        let some = self.links.values().filter(differs).take(COMPARED);
        let some =
            some.map(|link| Output::Digest { peer: link.peer, digest: link.theirs, compare: true });
        self.outputs.extend(some);
    }

    pub(crate) fn turn(&mut self, now: Time, peer: NodeId) {
        self.outputs.push_back(Output::Turned { peer });
        self.find_reach(now);
    }

    fn on_echo(&mut self, now: Time, id: LinkId) -> Result<(), &'static str> {
        let link = self.links.get_mut(&id).ok_or("an echo after the end")?;
        let pinged = link.pinged.take().ok_or("an echo that nobody asked for")?;
        link.cost = Cost::of(now - pinged);
        Ok(())
    }

    /// The oldest link to `peer`: all goes over that one, so that order is kept.
    pub(crate) fn link_to(&self, peer: NodeId) -> Option<LinkId> {
        self.links.iter().find(|(_, link)| link.peer == peer).map(|(id, _)| *id)
    }

    /// The oldest link to each neighbour.
    pub(crate) fn first_links(&self) -> impl Iterator<Item = (LinkId, &Link)> {
        let is_first = |id: LinkId, peer| {
            let older = self.links.iter().take_while(move |(other, _)| **other != id);
            older.into_iter().all(|(_, link)| link.peer != peer)
        };
        let all = self.links.iter().map(|(id, link)| (*id, link));
        all.filter(move |(id, link)| is_first(*id, link.peer))
    }

    pub(crate) fn send(&mut self, now: Time, id: LinkId, frame: &Frame) {
        self.send_bytes(now, id, Whose::Author(self.me), frame.encode());
    }

    /// Whether all links that our trees are drawn with are there, and live. More than those do no harm.
    pub(crate) fn is_settled(&self) -> bool {
        let lives =
            |peer: &NodeId| self.links.values().any(|link| link.peer == *peer && !link.suspect);
        self.trees.own().iter().all(lives)
    }
}
