//! What a wrapper shows for each state of its call: a label, a sentence, a sound, and what can be done.

use std::time::Duration;

use call::{Call, Direction, End, State};

/// After ringing for so long without any device confirming, the sentence says so. Guess: a slow push takes five
/// seconds. Draw again when it has passed.
pub const SLOW: Duration = Duration::from_secs(8);

/// What is drawn over the conference until the channel is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The name of the region, and the heading: whom this is about.
    pub label: String,
    /// The status text: where the call stands, or why it ended and what to do.
    pub status: String,
    /// What to play.
    pub sound: Sound,
    /// Whether something is going on, rather than over.
    pub is_waiting: bool,
    /// What can be pressed, the most likely first.
    pub buttons: Vec<Button>,
}

/// What is played to the person who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sound {
    /// Nothing.
    Silence,
    /// The quiet tone of a phone ringing at the other end, again and again.
    Ringback,
    /// A short tick: somebody answered.
    Tick,
    /// A falling tone, once: the answer was no.
    Declined,
    /// The busy tone, three times.
    Busy,
    /// One low tone: nothing came of it.
    Ended,
}

/// A button with the gesture it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// Its name.
    pub label: &'static str,
    /// What pressing it means.
    pub gesture: Gesture,
}

/// What the person can do here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gesture {
    /// Give up: [`call::Input::Cancel`].
    Cancel,
    /// Call the same address again, with a fresh invite.
    TryAgain,
    /// Close the window; within a running conference only this region.
    Close,
}

impl Gesture {
    fn button(self) -> Button {
        let label = match self {
            Self::Cancel => "Cancel",
            Self::TryAgain => "Try again",
            Self::Close => "Close",
        };
        Button { label, gesture: self }
    }
}

/// What to draw for `call`, which has been going on for `since`; `None` once the channel is open.
#[must_use]
pub fn view(call: &Call, since: Duration) -> Option<View> {
    let peer = call.peer();
    let name = peer.user.name();
    let label = match call.direction() {
        Direction::Outgoing => format!("Calling {peer}"),
        Direction::Incoming => format!("Call from {}", peer.user),
    };
    let waiting = |status: String, sound| View {
        label: label.clone(),
        status,
        sound,
        is_waiting: true,
        buttons: vec![Gesture::Cancel.button()],
    };
    Some(match (call.state(), call.direction()) {
        (State::Starting, Direction::Outgoing) => {
            waiting("Starting the call".to_owned(), Sound::Silence)
        }
        (State::Starting | State::Ringing { .. }, Direction::Incoming) => {
            waiting("Answering".to_owned(), Sound::Silence)
        }
        (State::Calling, _) if since >= SLOW => {
            let status = format!("Calling. {name}’s devices have not responded yet; still trying");
            waiting(status, Sound::Ringback)
        }
        (State::Calling, _) => waiting(format!("Calling {name}"), Sound::Ringback),
        (State::Ringing { devices: 1 }, Direction::Outgoing) => {
            waiting("Ringing".to_owned(), Sound::Ringback)
        }
        (State::Ringing { devices }, Direction::Outgoing) => {
            waiting(format!("Ringing on {devices} devices"), Sound::Ringback)
        }
        (State::Connecting, _) => waiting("Connecting".to_owned(), Sound::Tick),
        (State::Connected, _) => return None,
        (State::Ended(end), _) => View {
            label: label.clone(),
            status: words(&end, call),
            sound: sound(&end),
            is_waiting: false,
            buttons: buttons(&end, call.direction()),
        },
    })
}

/// Why the call ended, what it means, and what to do.
#[must_use]
pub fn words(end: &End, call: &Call) -> String {
    let peer = call.peer();
    let name = peer.user.name();
    match end {
        End::Cancelled => "You cancelled the call. Nobody is rung any more.".to_owned(),
        End::Declined => match call.direction() {
            Direction::Outgoing => format!("{name} declined the call. Try again another time."),
            Direction::Incoming => format!("You declined the call from {name}."),
        },
        End::NoAnswer => format!("No answer. {name} did not pick up in time. Try again, or later."),
        End::Busy => format!("{name} is on another call. Try again in a few minutes."),
        End::CallsBack => format!(
            "{name} is in a call and will call you back into it. Keep the call page open, it will ring."
        ),
        End::UnknownUser => {
            format!(
                "Nobody here has the address {}. Check the spelling, then call again.",
                peer.user
            )
        }
        End::NotReachable => format!(
            "{name} is not logged in anywhere right now, so nothing could ring. Try again later."
        ),
        End::Offline => "The server cannot be reached, so the call could not be made. \
                         Check your connection, then try again."
            .to_owned(),
        End::Refused => "The server refused the call: you may be logged out, or have called too \
                         often. Wait a minute, log in again if asked, then try again."
            .to_owned(),
        End::Failed => format!(
            "No connection to {name} could be made: a network on the way may block calls. \
             Try again, or use another network."
        ),
        End::AnsweredElsewhere { .. } => {
            "Answered on another device. The call goes on there; you can close this.".to_owned()
        }
        End::DeclinedElsewhere { .. } => {
            format!("Declined on another device. Call {name} back if that was a mistake.")
        }
        End::Missed => format!("Missed call from {name}. Call back when you like."),
        End::Withdrawn => {
            format!("{name} hung up before the call was connected. Call back to try again.")
        }
        End::Rejected(_) => format!("This device did not take the call from {name}."),
    }
}

fn sound(end: &End) -> Sound {
    match end {
        End::Declined => Sound::Declined,
        End::Busy => Sound::Busy,
        End::NoAnswer
        | End::UnknownUser
        | End::NotReachable
        | End::Offline
        | End::Refused
        | End::Failed
        | End::Withdrawn => Sound::Ended,
        End::Cancelled
        | End::CallsBack
        | End::AnsweredElsewhere { .. }
        | End::DeclinedElsewhere { .. }
        | End::Missed
        | End::Rejected(_) => Sound::Silence,
    }
}

fn buttons(end: &End, direction: Direction) -> Vec<Button> {
    let may_help = match (end, direction) {
        // The callee's window cannot ring by itself; the call page offers to call back.
        (_, Direction::Incoming)
        // It would end the same way.
        | (End::UnknownUser | End::CallsBack, Direction::Outgoing) => false,
        (
            End::Cancelled
            | End::Declined
            | End::NoAnswer
            | End::Busy
            | End::NotReachable
            | End::Offline
            | End::Refused
            | End::Failed
            | End::AnsweredElsewhere { .. }
            | End::DeclinedElsewhere { .. }
            | End::Missed
            | End::Withdrawn
            | End::Rejected(_),
            Direction::Outgoing,
        ) => true,
    };
    let gestures: &[Gesture] =
        if may_help { &[Gesture::TryAgain, Gesture::Close] } else { &[Gesture::Close] };
    gestures.iter().map(|gesture| gesture.button()).collect()
}

#[cfg(test)]
mod tests;
