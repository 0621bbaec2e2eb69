//! Who wants to know whether somebody is reachable, and who may know it.
//!
//! One who may not know is told the same as if nobody were there, so that nobody learns whom others hide from. The blink
//! of a device or peer does not show: it counts as reachable until its grace is over.

use std::collections::{BTreeMap, BTreeSet};

use wire::peerjs::PeerId;
use wire::{Address, Time, UserId};

use crate::{Audience, Broker, Config, Error, Output, Refusal, Showing, SocketId, Standing};

/// What has changed in one of the tables, for those who watch.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// Names whose holder may have come or gone.
    pub(crate) names: Vec<PeerId>,
    /// Sockets that are known no longer.
    pub(crate) gone: Vec<SocketId>,
}

/// **Invariant:** `by_name` and `by_socket` hold the same pairs, and `count` is their number.
#[derive(Debug, Default)]
pub(crate) struct Watching {
    /// What each socket was told last about a name.
    by_name: BTreeMap<PeerId, BTreeMap<SocketId, bool>>,
    by_socket: BTreeMap<SocketId, Watcher>,
    count: usize,
    /// Whom those who are here show themselves to, if they have said so, and whom not.
    audiences: BTreeMap<PeerId, (Option<Audience>, Audience)>,
}

#[derive(Debug)]
struct Watcher {
    /// Whose socket it is; nobody's for a guest.
    user: Option<UserId>,
    names: BTreeSet<PeerId>,
}

impl Watching {
    /// Notes whom somebody who has come shows themselves to.
    pub(crate) fn show(&mut self, name: PeerId, standing: &Standing) {
        let Standing { audience, hidden_from, .. } = standing;
        if audience.is_none() && hidden_from.is_empty() {
            self.audiences.remove(&name);
        } else {
            self.audiences.insert(name, (audience.clone(), hidden_from.clone()));
        }
    }

    /// Whether the user of that name, if here, has blocked `user`.
    pub(crate) fn is_blocked(&self, user: &UserId, name: &PeerId) -> bool {
        self.audiences.get(name).is_some_and(|(_, hidden_from)| hidden_from.has(user))
    }

    /// How many names are watched, each once for each socket.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    fn may_see(&self, config: &Config, user: Option<&UserId>, name: &PeerId) -> bool {
        let wishes = self.audiences.get(name);
        let audience = wishes.and_then(|(audience, _)| audience.as_ref());
        if user.is_some_and(|user| self.is_blocked(user, name)) {
            return false;
        }
        let is_self = user.is_some_and(|user| user.as_str() == name.as_str());
        let is_listed = || is_self || user.zip(audience).is_some_and(|(user, of)| of.has(user));
        match config.showing {
            Showing::Nobody => false,
            Showing::Listed => is_listed(),
            Showing::Everybody => audience.is_none() || is_listed(),
        }
    }

    fn remove(&mut self, socket: SocketId, name: &PeerId) {
        let Some(watchers) = self.by_name.get_mut(name) else { return };
        if watchers.remove(&socket).is_some() {
            self.count -= 1;
        }
        if watchers.is_empty() {
            self.by_name.remove(name);
        }
    }

    fn forget(&mut self, socket: SocketId) {
        let Some(watcher) = self.by_socket.remove(&socket) else { return };
        for name in watcher.names {
            self.remove(socket, &name);
        }
    }
}

impl Broker {
    /// Whether `name` is reachable at `now`, as far as `user` may know; a guest is no user.
    #[must_use]
    pub fn sees(&self, now: Time, user: Option<&UserId>, name: &PeerId) -> bool {
        self.watching.may_see(&self.config, user, name) && self.is_reachable(now, name)
    }

    /// A socket wants to know about these names from now on; what is known is told at once.
    pub(crate) fn on_watch(
        &mut self,
        now: Time,
        socket: SocketId,
        names: Vec<PeerId>,
    ) -> Result<(), Error> {
        let user = self.user_at(socket).ok_or(Error::Misuse(socket))?;
        if self.config.showing == Showing::Nobody {
            return Err(Refusal::NotShown.into());
        }
        let names: BTreeSet<PeerId> = names.into_iter().collect();
        let known = self.watching.by_socket.get(&socket).map(|watcher| &watcher.names);
        let more = names.iter().filter(|name| known.is_none_or(|known| !known.contains(name)));
        let more = more.count();
        if known.map_or(0, BTreeSet::len) + more > self.config.watched_max_per_socket {
            return Err(Error::Limit("names watched by one connection"));
        }
        if self.watching.count + more > self.config.watched_max {
            return Err(Error::Limit("names watched"));
        }
        let states: Vec<_> = names
            .into_iter()
            .map(|name| {
                let is = self.sees(now, user.as_ref(), &name);
                (name, is)
            })
            .collect();
        let watching = &mut self.watching;
        watching.count += more;
        let watcher = Watcher { user, names: BTreeSet::new() };
        let watcher = watching.by_socket.entry(socket).or_insert(watcher);
        for (name, is) in &states {
            watcher.names.insert(name.clone());
            watching.by_name.entry(name.clone()).or_default().insert(socket, *is);
        }
        self.outputs.push_back(Output::Presence { socket, states });
        Ok(())
    }

    /// A socket does not want to know about these names any more.
    pub(crate) fn on_unwatch(&mut self, socket: SocketId, names: &[PeerId]) -> Result<(), Error> {
        self.user_at(socket).ok_or(Error::Misuse(socket))?;
        let Some(watcher) = self.watching.by_socket.get_mut(&socket) else { return Ok(()) };
        for name in names {
            watcher.names.remove(name);
        }
        let is_done = watcher.names.is_empty();
        for name in names {
            self.watching.remove(socket, name);
        }
        if is_done {
            self.watching.by_socket.remove(&socket);
        }
        Ok(())
    }

    /// Tells those who watch what an input has changed.
    pub(crate) fn on_news(&mut self, now: Time) {
        for news in [self.presence.take_news(), self.peers.take_news()] {
            for socket in news.gone {
                self.watching.forget(socket);
            }
            for name in news.names {
                self.announce(now, &name);
            }
        }
    }

    /// Tells a socket that reads again what it has missed.
    pub(crate) fn catch_up(&mut self, now: Time, socket: SocketId) {
        let Some(watcher) = self.watching.by_socket.get(&socket) else { return };
        for name in watcher.names.clone() {
            self.announce(now, &name);
        }
    }

    /// Tells whoever watches a name how it is now, if that is news to them.
    pub(crate) fn announce(&mut self, now: Time, name: &PeerId) {
        let is_reachable = self.is_reachable(now, name);
        if !is_reachable {
            self.watching.audiences.remove(name);
        }
        let Some(watchers) = self.watching.by_name.get(name) else { return };
        let mut told = Vec::new();
        for (socket, was) in watchers {
            let user =
                self.watching.by_socket.get(socket).and_then(|watcher| watcher.user.as_ref());
            let is = is_reachable && self.watching.may_see(&self.config, user, name);
            // One who does not read now hears how it stands when it does.
            if is != *was && !self.peers.is_stalled(*socket) {
                told.push((*socket, is));
            }
        }
        for (socket, is) in told {
            if let Some(watchers) = self.watching.by_name.get_mut(name) {
                watchers.insert(socket, is);
            }
            let states = vec![(name.clone(), is)];
            self.outputs.push_back(Output::Presence { socket, states });
        }
    }

    fn is_reachable(&self, now: Time, name: &PeerId) -> bool {
        let user = name.as_str().parse().ok().map(Address::of);
        let has_device =
            user.is_some_and(|user| self.presence.reachable(now, &user).next().is_some());
        has_device || !self.peers.named(name).is_empty()
    }

    /// Whose socket this is: nobody's for a guest; `None` when there is none.
    #[expect(clippy::option_option, reason = "a guest has a socket and no user")]
    fn user_at(&self, socket: SocketId) -> Option<Option<UserId>> {
        if let Some(device) = self.presence.device(socket) {
            return Some(Some(device.user.clone()));
        }
        let seat = self.peers.get(self.peers.at(socket)?)?;
        Some(seat.device().map(|device| device.user.clone()))
    }
}
