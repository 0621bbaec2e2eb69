//! Who is connected right now: to count them, to list them, and to end what may not go on.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};

use tokio::sync::oneshot;
use wire::{Timestamp, UserId};

use crate::listener::Network;
use crate::secret::Secret;
use crate::store;
use crate::telemetry::Metrics;

/// One connection that lasts: a live socket, or a PeerJS client.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    /// How it is connected.
    pub(crate) kind: Kind,
    /// What others call it: an address, or the id of a PeerJS client.
    pub(crate) name: String,
    /// Whose it is; nobody's where anonymous ids are allowed.
    pub(crate) user: Option<UserId>,
    /// What it was let in by.
    pub(crate) token: Option<Secret>,
    /// Whether it proved the key that its token is bound to.
    pub(crate) is_proven: bool,
    /// Whether its token has to be asked about again and again.
    pub(crate) is_asked_about: bool,
    /// When its session ends by itself.
    pub(crate) until: Option<Timestamp>,
    /// Where it comes from.
    pub(crate) from: IpAddr,
}

/// How somebody is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The live socket of the app.
    Live,
    /// A PeerJS client, over WebSocket or XHR.
    PeerJs,
}

impl Kind {
    /// The word in lists and metrics.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::PeerJs => "peerjs",
        }
    }
}

/// Why a connection has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Its session is over.
    Expired,
    /// Its session was taken back.
    Revoked,
    /// The operator ended it.
    Kicked,
    /// Its token was bound to a key that it did not prove.
    Bound,
}

impl End {
    /// The word in metrics.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Kicked => "kicked",
            Self::Bound => "bound",
        }
    }
}

/// A connection as the operator sees it.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) user: Option<UserId>,
    pub(crate) from: IpAddr,
    pub(crate) since: Timestamp,
}

/// How many connections there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// In all.
    pub(crate) all: usize,
    /// Of one user.
    pub(crate) per_user: usize,
    /// From one address.
    pub(crate) per_address: usize,
}

/// The limit that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    All,
    User,
    Address,
}

impl Full {
    /// The word in metrics.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::All => "connections",
            Self::User => "connections-per-user",
            Self::Address => "connections-per-address",
        }
    }
}

/// All of them. Cheap to clone, and small, for each of them has one.
#[derive(Clone)]
pub(crate) struct Connections(Arc<Shared>);

struct Shared {
    limits: Limits,
    metrics: Metrics,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    next: u64,
    /// Boxed, for the tree is half empty where numbers only grow.
    open: BTreeMap<u64, Box<Open>>,
    by_user: BTreeMap<UserId, usize>,
    by_network: BTreeMap<Network, usize>,
}

struct Open {
    who: Who,
    since: Timestamp,
    /// Gone once it was used.
    end: Option<oneshot::Sender<End>>,
}

/// The place of one connection, which is free again when this is dropped.
pub(crate) struct Seat {
    id: u64,
    end: Option<oneshot::Receiver<End>>,
    all: Connections,
}

impl Connections {
    pub(crate) fn new(limits: Limits, metrics: Metrics) -> Self {
        Self(Arc::new(Shared { limits, metrics, table: Mutex::default() }))
    }

    /// Takes a place, if there is one, or if `returns` says that it is theirs already: one who comes back after their
    /// connection broke must not find it taken by a newcomer. There are never more of those than blink at a time.
    pub(crate) async fn enter(
        &self,
        who: Who,
        returns: impl Future<Output = bool>,
    ) -> Result<Seat, Full> {
        let (full, who) = match self.try_enter(who, Some(&self.0.limits)) {
            Ok(seat) => return Ok(seat),
            Err(refused) => *refused,
        };
        if returns.await
            && let Ok(seat) = self.try_enter(who, None)
        {
            return Ok(seat);
        }
        self.0.metrics.refused(full.word());
        Err(full)
    }

    /// Takes a place within `limits`, if there are any; gives back who could not.
    fn try_enter(&self, who: Who, limits: Option<&Limits>) -> Result<Seat, Box<(Full, Who)>> {
        let (end, ended) = oneshot::channel();
        let since = Timestamp(u64::try_from(store::now()).unwrap_or(0));
        let mut table = self.lock();
        if let Some(full) = limits.and_then(|limits| table.full(limits, &who)) {
            return Err(Box::new((full, who)));
        }
        self.0.metrics.connections(who.kind, 1);
        let id = table.insert(Open { who, since, end: Some(end) });
        Ok(Seat { id, end: Some(ended), all: self.clone() })
    }

    /// Ends all whose time is up.
    pub(crate) fn end_expired(&self) {
        let now = u64::try_from(store::now()).unwrap_or(0);
        self.end_where(End::Expired, |who| who.until.is_some_and(|until| until.0 <= now));
    }

    /// Ends all that one token let in.
    pub(crate) fn end_token(&self, hash: &str, why: End) -> usize {
        self.end_where(why, |who| who.token.as_ref().is_some_and(|token| token.hash() == hash))
    }

    /// Ends all that one token let in without a proof, for it takes one from now on.
    pub(crate) fn end_unproven(&self, hash: &str) -> usize {
        self.end_where(End::Bound, |who| {
            !who.is_proven && who.token.as_ref().is_some_and(|token| token.hash() == hash)
        })
    }

    /// Ends all of a user, or the one that others call so.
    pub(crate) fn kick(&self, name: &str) -> usize {
        self.end_where(End::Kicked, |who| {
            who.name == name || who.user.as_ref().is_some_and(|user| user.as_str() == name)
        })
    }

    /// The session of a token goes on until `until`.
    pub(crate) fn prolong(&self, hash: &str, until: Option<Timestamp>) {
        for open in self.lock().open.values_mut() {
            if open.who.token.as_ref().is_some_and(|token| token.hash() == hash) {
                open.who.until = until;
            }
        }
    }

    /// Each token that has to be asked about, once, with the user that it let in as.
    pub(crate) fn asked_about(&self) -> Vec<(Secret, UserId)> {
        let mut tokens = BTreeMap::new();
        for open in self.lock().open.values().filter(|open| open.who.is_asked_about) {
            let Open { who, .. } = &**open;
            if let (Some(token), Some(user)) = (&who.token, &who.user) {
                tokens.entry(token.hash()).or_insert_with(|| (token.clone(), user.clone()));
            }
        }
        tokens.into_values().collect()
    }

    /// All, the oldest first.
    pub(crate) fn list(&self) -> Vec<Shown> {
        let shown = |open: &Open| Shown {
            kind: open.who.kind,
            name: open.who.name.clone(),
            user: open.who.user.clone(),
            from: open.who.from,
            since: open.since,
        };
        self.lock().open.values().map(|open| shown(open)).collect()
    }

    fn end_where(&self, why: End, is_meant: impl Fn(&Who) -> bool) -> usize {
        let mut ended = 0;
        for open in self.lock().open.values_mut().filter(|open| is_meant(&open.who)) {
            // One that is ending already takes no second reason.
            if open.end.take().is_some_and(|end| end.send(why).is_ok()) {
                self.0.metrics.ended(why);
                ended += 1;
            }
        }
        ended
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().expect("nobody panics while it is locked")
    }
}

impl Table {
    /// The limit that keeps somebody out.
    fn full(&self, limits: &Limits, who: &Who) -> Option<Full> {
        let of_user = who.user.as_ref().and_then(|user| self.by_user.get(user)).copied();
        let of_network = self.by_network.get(&Network::of(who.from)).copied();
        if self.open.len() >= limits.all {
            Some(Full::All)
        } else if of_user.unwrap_or(0) >= limits.per_user {
            Some(Full::User)
        } else if of_network.unwrap_or(0) >= limits.per_address {
            Some(Full::Address)
        } else {
            None
        }
    }

    fn insert(&mut self, open: Open) -> u64 {
        if let Some(user) = &open.who.user {
            *self.by_user.entry(user.clone()).or_default() += 1;
        }
        *self.by_network.entry(Network::of(open.who.from)).or_default() += 1;
        let id = self.next;
        self.next += 1;
        self.open.insert(id, Box::new(open));
        id
    }

    fn leave(&mut self, id: u64) -> Option<Kind> {
        let Open { who, .. } = *self.open.remove(&id)?;
        if let Some(user) = &who.user {
            count_down(&mut self.by_user, user);
        }
        count_down(&mut self.by_network, &Network::of(who.from));
        Some(who.kind)
    }
}

fn count_down<K: Ord>(counts: &mut BTreeMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

impl Seat {
    /// Resolves when the connection has to end; never again after that.
    pub(crate) async fn ended(&mut self) -> End {
        poll_fn(|cx| self.poll_ended(cx)).await
    }

    /// The same for those who poll.
    pub(crate) fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let Some(end) = &mut self.end else { return Poll::Pending };
        let why = ready!(Pin::new(end).poll(cx));
        self.end = None;
        // Nobody can end it any more, which ends nothing.
        why.map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let left = self.all.lock().leave(self.id);
        if let Some(kind) = left {
            self.all.0.metrics.connections(kind, -1);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn whoever_is_kicked_hears_why_and_others_hear_nothing() {
        let all = room([9, 9, 9]);
        let mut alice = enter(&all, who("alice@x/00000001", "token-of-alice")).unwrap();
        let bob = enter(&all, who("bob@x/00000002", "token-of-bob")).unwrap();

        assert_eq!(all.kick("alice@x"), 1);

        assert_eq!(alice.ended().await, End::Kicked);
        drop(alice);
        assert_eq!(all.kick("alice@x"), 0);
        assert_eq!(all.list().len(), 1);
        drop(bob);
        assert!(all.list().is_empty());
    }

    #[tokio::test]
    async fn a_session_that_is_over_ends_unless_it_was_prolonged() {
        let all = room([9, 9, 9]);
        let over = Some(Timestamp(1));
        let mut alice =
            enter(&all, Who { until: over, ..who("alice@x/00000001", "token-of-alice") }).unwrap();
        let _bob =
            enter(&all, Who { until: over, ..who("bob@x/00000002", "token-of-bob") }).unwrap();
        all.prolong(&Secret::presented("token-of-bob").hash(), None);

        all.end_expired();

        assert_eq!(alice.ended().await, End::Expired);
        assert_eq!(all.kick("bob@x"), 1, "bob was still there");
    }

    #[tokio::test]
    async fn of_a_token_that_was_bound_only_who_proved_the_key_stays() {
        let all = room([9, 9, 9]);
        let mut thief = enter(&all, who("alice@x/00000001", "token-of-alice")).unwrap();
        let proven = Who { is_proven: true, ..who("alice@x/00000001", "token-of-alice") };
        let _alice = enter(&all, proven).unwrap();
        let _bob = enter(&all, who("bob@x/00000002", "token-of-bob")).unwrap();

        let hash = Secret::presented("token-of-alice").hash();
        assert_eq!(all.end_unproven(&hash), 1);

        assert_eq!(thief.ended().await, End::Bound);
        assert_eq!((all.kick("alice@x"), all.kick("bob@x")), (1, 1), "these two were still there");
    }

    #[test]
    fn a_token_of_two_connections_is_asked_about_once() {
        let all = room([9, 9, 9]);
        let asked = || Who { is_asked_about: true, ..who("alice@x/00000001", "token-of-alice") };
        let _seats =
            [enter(&all, asked()), enter(&all, asked()), enter(&all, who("bob@x/2", "token"))];

        assert_eq!(all.asked_about().len(), 1);
    }

    #[test]
    fn each_limit_refuses_by_its_name_and_a_place_that_is_left_is_free() {
        let enter = |all: &Connections, name: &str| enter(all, who(name, "token"));

        let all = room([1, 9, 9]);
        let first = enter(&all, "alice@x/1").unwrap();
        assert_eq!(enter(&all, "bob@x/2").err(), Some(Full::All));
        drop(first);
        assert!(enter(&all, "bob@x/2").is_ok());

        let all = room([9, 1, 9]);
        let first = enter(&all, "alice@x/1").unwrap();
        assert_eq!(enter(&all, "alice@x/2").err(), Some(Full::User));
        assert!(enter(&all, "bob@x/2").is_ok());
        drop(first);
        assert!(enter(&all, "alice@x/2").is_ok());

        let all = room([9, 9, 1]);
        let _first = enter(&all, "alice@x/1").unwrap();
        assert_eq!(enter(&all, "bob@x/2").err(), Some(Full::Address));
    }

    #[tokio::test]
    async fn one_who_returns_has_a_place_in_a_full_room() {
        let all = room([1, 1, 1]);
        let _ghost = enter(&all, who("alice@x/1", "token")).unwrap();

        let newcomer = all.enter(who("alice@x/1", "token"), async { false }).await;
        let back = all.enter(who("alice@x/1", "token"), async { true }).await;

        assert_eq!(newcomer.err(), Some(Full::All));
        assert!(back.is_ok());
        assert_eq!(all.list().len(), 2);
    }

    /// Somebody who was not here before.
    fn enter(all: &Connections, who: Who) -> Result<Seat, Full> {
        all.enter(who, std::future::ready(false)).now_or_never().expect("nothing to wait for")
    }

    fn room([all, per_user, per_address]: [usize; 3]) -> Connections {
        Connections::new(Limits { all, per_user, per_address }, Metrics::new())
    }

    fn who(name: &str, token: &str) -> Who {
        let user = name.split_once('/').expect("an address").0;
        Who {
            kind: Kind::Live,
            name: name.to_owned(),
            user: Some(user.parse().expect("a user")),
            token: Some(Secret::presented(token)),
            is_proven: false,
            is_asked_about: false,
            until: None,
            from: IpAddr::from([127, 0, 0, 1]),
        }
    }
}
