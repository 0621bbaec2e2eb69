//! From what the broker says to what PeerJS clients hear, and back.

use broker::{Capabilities, Farewell, Refusal, Signal, Word};
use wire::Malformed;
use wire::peerjs::{self, FromServer, Kind};

use crate::connections;
use crate::switchboard::Refused;
use crate::websocket::Close;

/// A word of the broker as a frame.
pub(crate) fn frame(word: &Word) -> FromServer<'_> {
    match word {
        Word::Open => FromServer::Open,
        Word::Signal { kind, from, to, payload } => FromServer::Signal {
            kind: *kind,
            from: from.as_str(),
            to: to.as_str(),
            payload: payload.as_deref(),
        },
        Word::Expire { from, to } => FromServer::Expire { from: from.as_str(), to: to.as_str() },
    }
}

/// A client's message as the broker takes it.
///
/// # Errors
///
/// When nobody can have the name that it is for.
pub(crate) fn signal(said: &peerjs::Signal<'_>) -> Result<Signal, Malformed> {
    Ok(Signal {
        kind: said.kind,
        to: said.to.parse()?,
        payload: said.payload.map(Into::into),
        connection: said.connection.as_deref().map(Into::into),
        needs: said.payload.filter(|_| said.kind == Kind::Offer).map(needs).unwrap_or_default(),
    })
}

/// What a device needs to take an offer: for a media call, what its description has lines for (RFC 8866 §5.14); for a
/// data connection, that.
fn needs(payload: &str) -> Capabilities {
    if !payload.contains("\"media\"") {
        return Capabilities::new(["data"]).unwrap_or_default();
    }
    let words =
        ["audio", "video"].into_iter().filter(|word| payload.contains(&format!("m={word} ")));
    Capabilities::new(words).unwrap_or_default()
}

/// What a client hears that cannot come in. Where PeerServer has words for it, these are the words.
pub(crate) fn refused(error: &broker::Error) -> Refused {
    // After ID-TAKEN, a client may try another name.
    let taken = matches!(error, broker::Error::Refused(Refusal::IdTaken | Refusal::NameOfUser));
    let message = match error {
        broker::Error::Limit("connections") => {
            "Server has reached its concurrent user limit".to_owned()
        }
        broker::Error::Refused(_)
        | broker::Error::Limit(_)
        | broker::Error::Misuse(_)
        | broker::Error::PeerMisbehaved(_)
        | broker::Error::Unproven => capital(&error.to_string()),
    };
    let reason = Some(match error {
        broker::Error::Refused(Refusal::IdTaken) => "peerjs-id-taken",
        broker::Error::Refused(Refusal::NameOfUser) => "peerjs-name-of-user",
        broker::Error::Refused(Refusal::OneDevice) => "peerjs-one-device",
        broker::Error::Refused(Refusal::NotNominated) => "peerjs-not-nominated",
        broker::Error::Limit("connections") => "peerjs-concurrent-limit",
        broker::Error::Limit(_) => "peerjs-limit",
        broker::Error::Refused(Refusal::NotShown)
        | broker::Error::Misuse(_)
        | broker::Error::PeerMisbehaved(_)
        | broker::Error::Unproven => "peerjs-other",
    });
    Refused { taken, reason, message }
}

/// How a line is closed that the broker lets go of, and what its client is told before.
pub(crate) fn farewell(why: Farewell) -> (Close, Option<&'static str>) {
    let close = |code, reason| Close { code, reason };
    match why {
        Farewell::Superseded => (close(1000, "You came back by another connection"), None),
        Farewell::Left => (close(1000, "You left"), None),
        Farewell::NameTaken => (
            close(1008, "This id belongs to a user"),
            Some("This id now belongs to a user of this server. Choose another"),
        ),
        Farewell::Dismissed => (
            close(1008, "Logged out, or sent away"),
            Some("You were logged out, or the operator sent you away. Log in again"),
        ),
        Farewell::NotNominated => (
            close(1008, "Another device was nominated"),
            Some("Only one device per user may be registered, and you have nominated another"),
        ),
    }
}

/// The same for one whose place was taken away.
pub(crate) fn sent_away(why: connections::End) -> (Close, &'static str) {
    let close = |reason| Close { code: 1008, reason };
    match why {
        connections::End::Expired => {
            (close("Session expired"), "Your session has expired. Log in again, then connect again")
        }
        connections::End::Revoked => {
            (close("Session revoked"), "Your session was revoked. Log in again, then connect again")
        }
        connections::End::Kicked => {
            (close("Sent away"), "The operator of this server ended your connection")
        }
        connections::End::Bound => (
            close("Proof needed"),
            "Your token was bound to a key. Log in here, or connect with a proof of that key",
        ),
    }
}

fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
