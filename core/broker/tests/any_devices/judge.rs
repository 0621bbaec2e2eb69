//! The judge of the town: what the broker may say to whom.

use std::collections::BTreeMap;

use broker::{Farewell, Output, Policy, SocketId, Word};
use wire::Time;
use wire::peerjs::{Kind, PeerId};

use crate::town::{Call, Here, Sent, Town, number_of};

impl Town {
    /// What holds at any time: one place for each page that is here or blinks, one device where one is allowed, and
    /// memory in bounds.
    pub(crate) fn look_around(&self, page: usize) {
        let load = self.broker.load();
        assert!(load.letters_bytes <= self.config.letters_bytes_max_total);
        assert!(load.forks <= self.config.forks_max);
        assert_eq!(load.lines, self.lines.len());
        let person = &self.people[self.pages[page].person];
        if person.policy == Policy::Nominated {
            let here = person.pages.iter().filter(|page| self.pages[**page].here.is_some());
            let here: Vec<_> = here.map(|page| self.pages[*page].device.as_ref()).collect();
            assert!(here.len() <= 1, "several devices of one user: {here:?}");
            if let (Some(nominated), [Some(device)]) = (person.nominated, here.as_slice()) {
                assert_eq!(device.instance, nominated);
            }
        }
    }

    /// Judges what the broker says.
    pub(crate) fn settle(&mut self) {
        let outputs: Vec<Output> = std::iter::from_fn(|| self.broker.poll()).collect();
        let leave = |output: &Output| {
            let Output::Tell { socket, word } = output else { return None };
            let Word::Signal { kind: Kind::Leave, from, .. } = word else { return None };
            Some((*socket, from.clone()))
        };
        let leaves: Vec<(SocketId, PeerId)> = outputs.iter().filter_map(leave).collect();
        for output in outputs {
            match output {
                Output::Tell { socket, word } => self.on_word(socket, word, &leaves),
                Output::Part { socket, why } => {
                    assert_ne!(why, Farewell::Superseded);
                    let page = self.lines.remove(&socket).expect("a line that is open");
                    let page = &mut self.pages[page];
                    (page.here, page.listens_since, page.kept) = (None, None, None);
                    page.place += 1;
                }
                Output::Push { .. }
                | Output::Wake { .. }
                | Output::Receipt { .. }
                | Output::Sent { .. }
                | Output::Dismiss { .. }
                | Output::Presence { .. } => panic!("that is not for PeerJS"),
            }
        }
    }

    fn on_word(&mut self, socket: SocketId, word: Word, leaves: &[(SocketId, PeerId)]) {
        let page = self.lines[&socket];
        let here = self.pages[page].here.expect("it is here");
        assert_eq!(here.socket, socket, "a word to a line that is gone");
        assert!(here.reads || word == Word::Open, "a word to one who does not read");
        let own = self.people[self.pages[page].person].name.clone();
        match word {
            Word::Open => {}
            Word::Expire { from, to } => {
                assert_eq!(to, own, "told to somebody else");
                self.told.entry((page, number_of(&from))).or_default().push(self.now);
            }
            Word::Signal { kind, from, to, payload } => {
                assert_eq!(to, own, "to the wrong one");
                let Some(payload) = payload else {
                    // The broker's own: that one has lost, or that the other is gone.
                    assert_eq!(kind, Kind::Leave);
                    return self.on_loss(page, number_of(&from));
                };
                let number: u64 = payload.parse().expect("a number");
                self.on_signal(page, here, number, kind, &from, leaves);
            }
        }
    }

    /// A page hears LEAVE, which makes PeerJS close all between it and that person.
    fn on_loss(&mut self, page: usize, from: usize) {
        for call in 0..self.calls.len() {
            let Call { caller, callee, ref rang, .. } = self.calls[call];
            let is_own = caller == page && callee == from;
            let is_theirs = self.pages[caller].person == from && rang.keys().eq([&page]);
            self.calls[call].is_over |= is_own || is_theirs;
        }
    }

    fn on_signal(
        &mut self,
        page: usize,
        here: Here,
        number: u64,
        kind: Kind,
        from: &PeerId,
        leaves: &[(SocketId, PeerId)],
    ) {
        let sent = self.sent.get_mut(&number).expect("somebody said it");
        sent.arrived = true;
        let (sender, call, at, to) = (sent.from, sent.call, sent.at, sent.to);
        assert_eq!((sent.kind, to), (kind, self.pages[page].person), "{number} went astray");
        assert_eq!(*from, self.people[self.pages[sender].person].name, "a forged source");
        // What a device says before its answer waits as long as that takes.
        let is_early = kind == Kind::Candidate && self.calls[call].caller != sender;
        assert!(is_early || self.now - at <= self.config.letter, "{number} is late");
        assert!(self.heard.insert((number, page)), "{number} twice");
        // What a device said before its answer follows that, when it wins: replies have an order in their call, without
        // the answers. All else has one for all calls.
        let is_reply = self.calls[call].caller != sender;
        let order = (is_reply.then_some(call), kind == Kind::Answer);
        let last = self.last.insert((sender, page, order), number);
        assert!(
            last < Some(number),
            "{number} to {page} at {:?} out of order, after {last:?}: {}\n{}",
            self.now,
            self.story(call),
            self.story(self.sent[&last.unwrap_or(number)].call),
        );
        if !here.lives {
            self.judged.swallowed += 1;
        }
        if kind == Kind::Offer {
            self.on_offer(page, call, at);
        }
        if kind == Kind::Leave {
            self.on_loss(page, self.pages[sender].person);
        }
        let of = &self.calls[call];
        if of.is_over {
            return;
        }
        if sender == of.caller {
            self.judge_way_to_callee(page, call, number, kind);
        } else {
            self.judge_way_to_caller(page, number, leaves);
        }
    }

    fn on_offer(&mut self, page: usize, call: usize, at: Time) {
        let place = self.pages[page].place;
        let Call { caller, callee, ref needs, .. } = self.calls[call];
        let person = &self.people[callee];
        // An offer belongs to the call that the same two have begun just before.
        let is_same_call = self
            .offered
            .get(&(caller, callee))
            .is_some_and(|before| at - *before <= self.config.dialog + self.config.letter);
        let calls_back = person.pages.iter().any(|page| {
            let back = self.offered.get(&(*page, self.pages[caller].person));
            back.is_some_and(|before| at - *before <= self.config.dialog + self.config.letter)
        });
        let answered = person.pages.iter().any(|page| {
            self.acquainted.contains(&(caller, *page)) || self.acquainted.contains(&(*page, caller))
        });
        if person.policy == Policy::Capable && !is_same_call && !calls_back && !answered {
            assert!(self.pages[page].able.include(needs), "it cannot take that");
            self.judged.capable += 1;
        }
        self.calls[call].rang.insert(page, place);
    }

    /// A word of the caller has come to a page of the callee.
    fn judge_way_to_callee(&mut self, page: usize, call: usize, number: u64, kind: Kind) {
        let of = &self.calls[call];
        if kind == Kind::Offer || of.place != self.pages[of.caller].place {
            return;
        }
        // Where all on whom it rang are gone for good, what follows is out of the blue.
        let is_there =
            |page: &usize| of.rang.get(page).is_some_and(|at| self.pages[*page].place == *at);
        let is_known = match &of.won {
            Some((winner, _)) => is_there(winner),
            None => of.rang.keys().any(is_there),
        };
        if !is_known {
            return;
        }
        assert!(
            of.rang.contains_key(&page) || of.called.contains_key(&page),
            "{number} went to {page}, who was not called: {}",
            self.story(call)
        );
        if let Some((winner, from)) = of.won
            && number >= from
        {
            assert_eq!(page, winner, "{number} to one who has lost: {}", self.story(call));
            self.judged.silenced += 1;
        }
    }

    /// A word of a page of the callee has come to the caller.
    fn judge_way_to_caller(&mut self, page: usize, number: u64, leaves: &[(SocketId, PeerId)]) {
        let Sent { from: sender, kind, call, .. } = self.sent[&number];
        let of = &self.calls[call];
        if of.place != self.pages[of.caller].place {
            return;
        }
        let caller = of.caller;
        // One of the two that has lost another call of the other is told LEAVE, which ends this one too; it may not have
        // read it.
        let lost = |of: &Call, who: usize| {
            let winner = of.won.map(|(winner, _)| winner);
            of.rang.contains_key(&who) && winner.is_some_and(|winner| winner != who)
        };
        let is_over = |of: &Call| {
            (of.caller == caller && lost(of, sender)) || (of.caller == sender && lost(of, caller))
        };
        if page != caller && self.calls.iter().any(is_over) {
            return;
        }
        assert_eq!(page, caller, "to another device of the caller: {}", self.story(call));
        if kind != Kind::Answer {
            return;
        }
        if let Some((winner, _)) = of.won {
            assert_eq!(winner, sender, "two have won: {}", self.story(call));
            return;
        }
        self.judged.won += 1;
        // Where an answer had to wait, the others have heard before.
        if of.first == Some(number) && self.said == Some(number) {
            self.judge_losers(call, sender, leaves);
        }
        self.calls[call].won = Some((sender, self.next + 1));
    }

    /// The others on whom a call rang hear at once that it is over, unless they talk with the caller already.
    fn judge_losers(&mut self, call: usize, winner: usize, leaves: &[(SocketId, PeerId)]) {
        let of = &self.calls[call];
        let caller = &self.people[self.pages[of.caller].person].name;
        for (loser, place) in &of.rang {
            let page = &self.pages[*loser];
            let Some(Here { socket, reads: true, .. }) = page.here else { continue };
            let knows = self.acquainted.contains(&(of.caller, *loser))
                || self.acquainted.contains(&(*loser, of.caller));
            if *loser == winner || page.place != *place || knows || of.declined.contains(loser) {
                continue;
            }
            let is_told = leaves.iter().any(|(line, from)| *line == socket && from == caller);
            assert!(is_told, "{loser} rings on: {}", self.story(call));
            self.judged.losers_told += 1;
        }
    }

    /// An offer or answer that nobody has heard in time was told about in time; a candidate then too, or it belongs to
    /// an offer that was.
    pub(crate) fn look_for_lost(&mut self) {
        let due = self.config.letter;
        let old: Vec<u64> = self.pending.iter().copied().collect();
        for number in old {
            let sent = &self.sent[&number];
            if self.now - sent.at <= due {
                // They are numbered in the order in which they were sent.
                break;
            }
            self.pending.remove(&number);
            let of = &self.calls[sent.call];
            let from = &self.pages[sent.from];
            let listened = from.listens_since.is_some_and(|since| since < sent.at);
            let is_reply = sent.from != of.caller;
            // A device that has lost, or has not answered yet, is not heard.
            let may_be_silenced = is_reply
                && (sent.kind != Kind::Answer
                    || of.won.is_none_or(|(winner, _)| winner != sent.from));
            if sent.arrived
                || !listened
                || of.is_over
                || may_be_silenced
                || sent.kind == Kind::Leave
            {
                continue;
            }
            let times = self.told.get(&(sent.from, sent.to)).map_or(&[][..], Vec::as_slice);
            let in_time = |at: &Time| *at >= sent.at && *at - sent.at <= due;
            let is_told = times.iter().any(in_time)
                || (sent.kind == Kind::Candidate && times.iter().any(|at| *at <= sent.at));
            assert!(
                is_told,
                "{:?} {number} of call {} was lost in silence: {} to {}, at {:?}, now {:?}, told {times:?}",
                sent.kind,
                sent.call,
                self.show(sent.from),
                self.people[sent.to].name,
                sent.at,
                self.now,
            );
            self.judged.lost += 1;
        }
    }

    /// What happened to a call, for whoever reads a failure.
    fn story(&self, call: usize) -> String {
        let of = &self.calls[call];
        let pages = |rang: &BTreeMap<usize, u64>| {
            rang.iter()
                .map(|(page, place)| {
                    let now = &self.pages[*page];
                    let here = now.here.is_some();
                    format!(
                        "{page} ({}, at {place} of {}, here: {here})",
                        self.show(*page),
                        now.place
                    )
                })
                .collect::<Vec<_>>()
                .join("; ")
        };
        let mut text = format!(
            "call {call} of {} ({}, at {} of {}) to {}, won by {:?}, rang on {}",
            of.caller,
            self.show(of.caller),
            of.place,
            self.pages[of.caller].place,
            self.people[of.callee].name,
            of.won,
            pages(&of.rang),
        );
        for (number, sent) in &self.sent {
            let both = [self.pages[sent.from].person, sent.to];
            let (one, other) = (self.pages[of.caller].person, of.callee);
            if both == [one, other] || both == [other, one] {
                let heard: Vec<_> = self
                    .heard
                    .range((*number, 0)..(*number + 1, 0))
                    .map(|(_, page)| page)
                    .collect();
                text.push_str(&format!(
                    "\n  {:?} {number} {:?} about {} of {} to {}: {heard:?}",
                    sent.at, sent.kind, sent.call, sent.from, self.people[sent.to].name
                ));
            }
        }
        text
    }
}
