//! The server's judgement: who is reachable, where a message goes, what waits, what expires.
//!
//! A *user* has *devices*; a device is reachable over its live *sockets*, one for each page that is open on it.
//! The broker knows devices only while they are reachable or blink, so its memory follows the crowd that is here,
//! not the number of accounts. Accounts, tokens and contacts are the shell's, in its store.
//!
//! ```text
//!                       first socket opens
//!           (unknown) ────────────────────────▶ online ◀──────────────┐
//!               ▲                                │  ▲                  │ a socket opens: what waits
//!               │                  last socket   │  │ more sockets     │ goes out first, in order
//!               │                  closes        ▼  │ come and go      │
//!               │                              away ──────────────────┘
//!               │  grace over, nothing waits     │
//!               └────────────────────────────────┘
//!
//!   Send {from, to, text}
//!     └─ pace kept? ── no ─▶ Unsent::TooMany
//!          └─ devices named by `to` that are online, or away for less than the grace
//!               ├─ none ──▶ Unsent::NotReachable
//!               ├─ an invite to a user: those that can take it; none ─▶ Unsent::NotCapable
//!               ├─ online: Push to all sockets of the device
//!               └─ away:   it waits there, if there is room; room nowhere ─▶ Unsent::Full
//!          ▶ Sent {count of devices}
//!
//!   Acknowledged {push} by the device it was for, once ─▶ Receipt to the device that sent it
//! ```
//!
//! Messages are opaque: text that goes out as it came in, with the sender that the *shell* vouches for. What the
//! broker must know of a message (how long it is worth delivering, whether a receipt is wanted) is told beside it.
//! So every protocol that the server speaks can go through this one judgement.
//!
//! **Invariant:** a message goes to devices of the user it names, and when it names a device, to that one only.
//!
//! **Invariant:** what one device sends to another arrives in the order sent, each message once on each socket.
//!
//! **Invariant:** the sockets of online devices are exactly the open sockets, and an online device has at least one.
//!
//! **Invariant:** a message that was counted for a device was pushed to it, or waits for it until it returns, the
//! message expires, or the device is dismissed.
//!
//! **Invariant:** whether somebody is reachable is told to those only who may see it ([`Showing`], [`Audience`]); to all
//! others, nobody is there.
//!
//! **Invariant:** a push is acknowledged at most once, and only by the device it was for. A repeated INVITE is a new
//! push: its sender repeated it because it heard nothing, so it may hear again.
//!
//! Limits: all in [`Config`]. A socket or device beyond them is refused with [`Error::Limit`].
//! A socket that is half open swallows what is pushed to it until the shell notices; whoever needs certainty repeats
//! until the receipt, as an invite does.
//!
//! Sources: forking after RFC 3261 §16.6; the pace after the generic cell rate algorithm (ITU-T I.371, annex A).

mod api;
mod config;
mod copies;
mod forks;
mod letters;
mod pace;
mod peers;
mod policy;
mod presence;
mod receipts;
mod relay;
mod waiting;
mod wakes;
mod watching;
mod words;

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use wire::peerjs::PeerId;
use wire::{Address, Dice, InviteId, Seed, Time, UserId};

pub use api::{Error, Input, Load, Output, Parcel, Unsent};
pub use config::Config;
use copies::Copies;
use forks::Forks;
use letters::Letters;
use pace::Pace;
use peers::{Arrival, Peers};
pub use policy::{Audience, Capabilities, Policy, Showing, Standing};
use presence::{Delivery, Presence};
use receipts::{Receipt, Receipts};
use waiting::Item;
use wakes::{Call, Settled, Wakes};
pub use wakes::{Failure, Woken};
use watching::Watching;
pub use words::{
    Device, Ending, Farewell, Line, Peer, Proof, PushId, Refusal, RequestId, Signal, SocketId, Word,
};

/// Who is reachable, and what is on its way to them.
#[derive(Debug)]
pub struct Broker {
    config: Config,
    dice: Dice,
    presence: Presence,
    receipts: Receipts,
    wakes: Wakes,
    pace: Pace<Device>,
    /// How often one user wakes another, and how often a user is woken by whomever.
    wakes_pace: Pace<(UserId, UserId)>,
    woken_pace: Pace<UserId>,
    /// Names that no guest may have.
    users: BTreeSet<PeerId>,
    peers: Peers,
    letters: Letters,
    copies: Copies,
    forks: Forks,
    watching: Watching,
    outputs: VecDeque<Output>,
}

impl Broker {
    /// A broker that knows nobody yet. `seed` makes the ids of its pushes unguessable.
    #[must_use]
    pub fn new(config: Config, seed: Seed) -> Self {
        Self {
            config,
            dice: Dice::new(seed),
            presence: Presence::default(),
            receipts: Receipts::default(),
            wakes: Wakes::default(),
            pace: Pace::default(),
            wakes_pace: Pace::default(),
            woken_pace: Pace::default(),
            users: BTreeSet::new(),
            peers: Peers::default(),
            letters: Letters::default(),
            copies: Copies::default(),
            forks: Forks::default(),
            watching: Watching::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes in what happened.
    ///
    /// # Errors
    ///
    /// When the input is refused; the broker is then as it was.
    pub fn handle(&mut self, now: Time, input: Input) -> Result<(), Error> {
        let done = self.take_in(now, input);
        self.on_news(now);
        done
    }

    fn take_in(&mut self, now: Time, input: Input) -> Result<(), Error> {
        match input {
            Input::Timeout => {
                self.presence.on_timeout(now);
                self.receipts.on_timeout(now);
                self.pace.on_timeout(now);
                self.wakes_pace.on_timeout(now);
                self.woken_pace.on_timeout(now);
                self.wake_due(now);
                self.on_overdue(now);
            }
            Input::Opened { socket, device, standing } => {
                self.on_opened(now, socket, device, &standing)?;
            }
            Input::Closed { socket } => self.presence.close(&self.config, now, socket)?,
            Input::Send { request, from, to, parcel, asleep } => {
                self.send(now, request, &from, &to, &parcel, &asleep);
            }
            Input::Woken { push, outcome } => {
                let settled = self.wakes.on_woken(&self.config, now, push, outcome);
                self.answer(settled);
            }
            Input::Shown { device, push } => self.on_shown(now, &device, push)?,
            Input::Acknowledged { socket, push } => self.on_acknowledged(now, socket, push)?,
            Input::Dismissed { who } => {
                let sockets = self.presence.dismiss(&who);
                self.dismiss(sockets, Farewell::Dismissed);
                let settled = self.wakes.dismiss(&who);
                self.answer(settled);
                self.on_dismissed(now, &who);
            }
            Input::User { user } => self.on_user(now, &user),
            Input::Stands { device, standing } => self.on_stands(now, &device, &standing),
            Input::Joined { socket, peer, proof, line, standing } => {
                self.on_joined(now, Arrival { socket, peer, proof, line, standing })?;
            }
            Input::Said { socket, signal } => {
                let seat = self.peers.at(socket).ok_or(Error::Misuse(socket))?;
                self.on_said(now, seat, signal);
            }
            Input::Posted { name, proof, signal } => {
                let seat = self.peers.proven(&name, proof).ok_or(Error::Unproven)?;
                match signal {
                    Some(signal) => self.on_said(now, seat, signal),
                    None => self.dismiss_seat(now, seat, Farewell::Left),
                }
            }
            Input::Parted { socket, ending } => self.on_parted(now, socket, ending)?,
            Input::Stalled { socket } => {
                self.peers.stall(socket, true)?;
            }
            Input::Flowing { socket } => {
                let seat = self.peers.stall(socket, false)?;
                self.hand_over_own(now, seat);
                self.catch_up(now, socket);
            }
            Input::Watch { socket, names } => self.on_watch(now, socket, names)?,
            Input::Unwatch { socket, names } => self.on_unwatch(socket, &names)?,
            Input::Kicked { name } => {
                for seat in self.peers.named(&name).to_vec() {
                    self.dismiss_seat(now, seat, Farewell::Dismissed);
                }
            }
        }
        Ok(())
    }

    fn on_opened(
        &mut self,
        now: Time,
        socket: SocketId,
        device: Device,
        standing: &Standing,
    ) -> Result<(), Error> {
        self.admit(&device, standing)?;
        let waited = self.presence.open(&self.config, now, socket, device.clone(), standing)?;
        self.watching.show(PeerId::from(&device.user), standing);
        for item in waited {
            self.write(vec![socket], &device, item);
        }
        self.ring_on(socket, &device);
        Ok(())
    }

    fn dismiss(&mut self, sockets: Vec<SocketId>, why: Farewell) {
        self.outputs.extend(sockets.into_iter().map(|socket| Output::Dismiss { socket, why }));
    }

    /// The next thing to do. Drain after each [`Broker::handle`].
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Timeout`].
    #[must_use]
    pub fn timeout(&self) -> Option<Time> {
        let deadlines = [
            self.presence.timeout(),
            self.receipts.timeout(),
            self.wakes.timeout(),
            self.pace.timeout(),
            self.wakes_pace.timeout(),
            self.woken_pace.timeout(),
            self.peers.timeout(),
            self.letters.timeout(),
            self.forks.timeout(),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// The devices that a message to `address` would go to at `now`.
    pub fn reachable(&self, now: Time, address: &Address) -> impl Iterator<Item = &Device> {
        self.presence.reachable(now, address)
    }

    /// Whether a PeerJS client that comes as `peer` with `proof` has its place already: it comes back.
    #[must_use]
    pub fn has_place(&self, peer: &Peer, proof: Proof) -> bool {
        self.peers.has_place(peer, proof)
    }

    /// Whether a device blinks: it was here a moment ago.
    #[must_use]
    pub fn blinks(&self, device: &Device) -> bool {
        self.presence.is_away(device)
    }

    /// The line of the PeerJS client of that name, if `proof` proves that it is.
    #[must_use]
    pub fn line(&self, name: &PeerId, proof: Proof) -> Option<SocketId> {
        self.peers.line(name, proof)
    }

    /// What the PeerJS client at the end of a line is called.
    #[must_use]
    pub fn name_at(&self, line: SocketId) -> Option<&PeerId> {
        self.peers.get(self.peers.at(line)?).map(|seat| &seat.name)
    }

    /// The names of those who are here by PeerJS, in order.
    pub fn peers(&self) -> impl Iterator<Item = &PeerId> {
        self.peers.names()
    }

    /// The devices that show the invite of this number that `sender` sent, for a while after they said so.
    pub fn shown(&self, sender: &Device, invite: InviteId) -> impl Iterator<Item = &Device> {
        self.receipts.shown(sender, invite)
    }

    /// How full the broker is.
    #[must_use]
    pub fn load(&self) -> Load {
        Load {
            receipts: self.receipts.len(),
            wakes: self.wakes.len(),
            lines: self.peers.lines(),
            peers: self.peers.len(),
            letters_bytes: self.letters.bytes(),
            forks: self.forks.len(),
            watched: self.watching.len(),
            ..self.presence.load()
        }
    }

    fn send(
        &mut self,
        now: Time,
        request: RequestId,
        from: &Device,
        to: &Address,
        parcel: &Parcel,
        asleep: &[Device],
    ) {
        if let Err(again_in) =
            self.pace.take(self.config.burst, self.config.pace, now, from.clone())
        {
            let outcome = Err(Unsent::TooMany { again_in });
            self.outputs.push_back(Output::Sent { request, outcome, failed: Vec::new() });
            return;
        }
        // Who was woken by an invite hears of its end, whatever came in between.
        let ends = parcel.ends.is_some_and(|invite| self.wakes.has(from, to, invite));
        let may_wake =
            asleep.is_empty() || ends || !parcel.only_ends && self.may_wake(now, from, to);
        if let Some(invite) = parcel.ends {
            let settled = self.wakes.end(from, to, invite);
            self.answer(settled);
        }
        let ttl = parcel.ttl.map_or(self.config.patience, |ttl| ttl.min(self.config.patience));
        let (targets, is_unable) = self.targets(now, to, parcel);
        if is_unable && asleep.is_empty() {
            let outcome = Err(Unsent::NotCapable);
            self.outputs.push_back(Output::Sent { request, outcome, failed: Vec::new() });
            return;
        }
        let mut count = 0;
        let mut failed = Vec::new();
        for target in &targets {
            let push = PushId(self.dice.bits());
            let item = Item::Push { push, from: from.clone(), text: parcel.text.clone() };
            if self.deliver(now, target, item, ttl) {
                count += 1;
                self.expect_receipt(now, push, from, target, parcel);
            } else {
                failed.push((target.clone(), Failure::Full));
            }
        }
        let call = Call {
            from,
            text: &parcel.text,
            about: parcel.invite.or(parcel.ends),
            is_invite: parcel.invite.is_some(),
            until: now + ttl,
        };
        for target in asleep {
            let repeats = |invite| self.wakes.rings(target, from, invite);
            let is_here = targets.contains(target);
            if parcel.invite.is_some_and(repeats) {
                count += u32::from(!is_here);
                continue;
            }
            // A page that is open shows an invite itself, unless it is frozen.
            let is_online = self.presence.is_online(target);
            if is_online && !call.is_invite {
                continue;
            }
            if !may_wake {
                if !is_here {
                    failed.push((target.clone(), Failure::TooMany));
                }
                continue;
            }
            let at = if is_online { now + self.config.wake } else { now };
            let push = PushId(self.dice.bits());
            let waits = (!is_here).then_some(request);
            match self.wakes.plan(&self.config, push, &call, target, at, waits) {
                Ok(()) => self.expect_receipt(now, push, from, target, parcel),
                Err(failure) if !is_here => failed.push((target.clone(), failure)),
                Err(_) => {}
            }
        }
        let settled = self.wakes.close(request, count, failed);
        self.answer(settled);
        self.wake_due(now);
    }

    /// The devices that are here and take a message, and whether there are others but none of them can.
    fn targets(&self, now: Time, to: &Address, parcel: &Parcel) -> (Vec<Device>, bool) {
        let here: Vec<Device> = self.presence.reachable(now, to).cloned().collect();
        // Whoever names one device knows what they do, and what follows an invite goes where that one went.
        if parcel.invite.is_none() || to.instance.is_some() {
            return (here, false);
        }
        let is_anybody_here = !here.is_empty();
        let is_able = |device: &Device| self.presence.is_able(device, &parcel.needs);
        let able: Vec<Device> = here.into_iter().filter(is_able).collect();
        let is_unable = is_anybody_here && able.is_empty();
        (able, is_unable)
    }

    /// Whether one more message of this sender may wake this user.
    fn may_wake(&mut self, now: Time, from: &Device, to: &Address) -> bool {
        let Config { wakes_burst, wakes_pace, woken_burst, woken_pace, .. } = self.config;
        let pair = (from.user.clone(), to.user.clone());
        self.wakes_pace.take(wakes_burst, wakes_pace, now, pair).is_ok()
            && self.woken_pace.take(woken_burst, woken_pace, now, to.user.clone()).is_ok()
    }

    fn expect_receipt(
        &mut self,
        now: Time,
        push: PushId,
        from: &Device,
        target: &Device,
        parcel: &Parcel,
    ) {
        if let Some(invite) = parcel.invite {
            let receipt = Receipt { sender: from.clone(), target: target.clone(), invite };
            self.receipts.expect(&self.config, now, push, receipt);
        }
    }

    /// Hands to push services what is due.
    fn wake_due(&mut self, now: Time) {
        let (due, settled) = self.wakes.due(now);
        self.answer(settled);
        for push in due {
            let Some(wake) = self.wakes.get(push) else { continue };
            self.outputs.push_back(Output::Wake {
                push,
                from: wake.from.clone(),
                to: wake.to.clone(),
                text: wake.text.clone(),
                left: wake.until - now,
                about: wake.about,
            });
        }
    }

    /// What rings on a device that slept goes to the page that was just opened there.
    fn ring_on(&mut self, socket: SocketId, device: &Device) {
        for push in self.wakes.on_opened(device) {
            let Some(wake) = self.wakes.get(push) else { continue };
            let item = Item::Push { push, from: wake.from.clone(), text: wake.text.clone() };
            self.write(vec![socket], device, item);
        }
    }

    fn answer(&mut self, settled: impl IntoIterator<Item = Settled>) {
        let sent = settled.into_iter().map(|(request, outcome, failed)| Output::Sent {
            request,
            outcome,
            failed,
        });
        self.outputs.extend(sent);
    }

    fn on_acknowledged(&mut self, now: Time, socket: SocketId, push: PushId) -> Result<(), Error> {
        let device = self.presence.device(socket).ok_or(Error::Misuse(socket))?.clone();
        self.on_shown(now, &device, push)
    }

    fn on_shown(&mut self, now: Time, device: &Device, push: PushId) -> Result<(), Error> {
        let receipt = self
            .receipts
            .settle(&self.config, now, device, push)
            .ok_or(Error::PeerMisbehaved(push))?;
        // Whatever way it came: the device shows it, and need not be woken any more.
        let settled = self.wakes.shown(device, &receipt.sender, receipt.invite);
        self.answer(settled);
        let item = Item::Receipt { invite: receipt.invite, from: receipt.target };
        // A caller that is gone, or whose queue is full, rings on without the number: no harm.
        self.deliver(now, &receipt.sender, item, self.config.patience);
        Ok(())
    }

    /// Hands `item` to `target`, now or when it returns; false when it neither is here nor has room.
    fn deliver(&mut self, now: Time, target: &Device, item: Item, ttl: Duration) -> bool {
        match self.presence.take(&self.config, target, now + ttl, item) {
            Delivery::Now { sockets, item } => {
                self.write(sockets, target, item);
                true
            }
            Delivery::Later => true,
            Delivery::Never => false,
        }
    }

    fn write(&mut self, sockets: Vec<SocketId>, to: &Device, item: Item) {
        self.outputs.push_back(match item {
            Item::Push { push, from, text } => {
                Output::Push { sockets, push, from, to: to.clone(), text }
            }
            Item::Receipt { invite, from } => Output::Receipt { sockets, invite, from },
        });
    }
}
