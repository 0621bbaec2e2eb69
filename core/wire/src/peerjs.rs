//! What PeerJS clients and their server say to each other: one JSON object a frame.
//!
//! A frame is relayed without being understood: its payload is checked to be one well-formed value, and passed on as it
//! came. The check is what keeps a sender from being forged. Whoever could break out of the payload could add a second
//! `src` behind the one that the server writes.

mod scan;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::{Malformed, UserId};
use scan::Scanner;

/// Who a PeerJS client is: any text of one to 254 bytes without control characters.
///
/// PeerJS itself lets an application choose letters and digits with single blanks, hyphens and underscores between
/// them; PeerServer lets everything pass. A user's name is always a valid one, so users and guests share one space of
/// names, in which users come first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(Arc<str>);

impl PeerId {
    /// The most bytes that one may have. As for a [`UserId`].
    pub const BYTES_MAX: usize = 254;

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PeerId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let problem = |problem| Malformed { word: "peer id", problem };
        if text.is_empty() {
            return Err(problem("is empty"));
        }
        if text.len() > Self::BYTES_MAX {
            return Err(problem("is longer than 254 bytes"));
        }
        if text.chars().any(char::is_control) {
            return Err(problem("contains a control character"));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&UserId> for PeerId {
    fn from(user: &UserId) -> Self {
        Self(user.as_str().into())
    }
}

/// What one peer says to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Let us connect.
    Offer,
    /// Yes.
    Answer,
    /// A way to reach me.
    Candidate,
    /// I am gone, or I do not want to.
    Leave,
}

impl Kind {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offer => "OFFER",
            Self::Answer => "ANSWER",
            Self::Candidate => "CANDIDATE",
            Self::Leave => "LEAVE",
        }
    }
}

/// A frame of a client, as far as the server looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromPeer<'a> {
    /// For another peer.
    Signal(Signal<'a>),
    /// `WATCH`: tell me whether these are reachable, now and whenever it changes. Not a word of PeerServer.
    Watch(Vec<String>),
    /// `UNWATCH`: I do not want to know about these any more.
    Unwatch(Vec<String>),
    /// `LEAVE` for nobody in particular: the client itself is gone.
    Gone,
    /// I am alive.
    Heartbeat,
    /// For nobody, or of a type that only the server may use or nobody knows. It is ignored, as PeerServer does.
    Ignored,
}

/// A message from peer to peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal<'a> {
    /// What it is.
    pub kind: Kind,
    /// Whom it is for, as the client wrote it: not checked to be a [`PeerId`].
    pub to: Cow<'a, str>,
    /// One well-formed JSON value as it came, if there is one.
    pub payload: Option<&'a str>,
    /// The member `connectionId` of the payload: which of the connections between the two it is about.
    pub connection: Option<Cow<'a, str>>,
}

/// Reads a frame of a client.
///
/// # Errors
///
/// When it is not one JSON object, or is nested deeper than 128 levels; or when it is about being watched, and its payload
/// is no list of ids.
pub fn read(frame: &str) -> Result<FromPeer<'_>, Malformed> {
    let mut scanner = Scanner::new(frame);
    let (mut kind, mut to, mut payload, mut connection) = (None, None, None, None);
    scanner.object(|scanner, key| {
        match key {
            "type" => kind = scanner.text_or_skip()?,
            "dst" => to = scanner.text_or_skip()?,
            "payload" => {
                connection = None;
                let from = scanner.at();
                if scanner.is_object() {
                    scanner.object(|scanner, key| {
                        if key == "connectionId" {
                            connection = scanner.text_or_skip()?;
                            Ok(())
                        } else {
                            scanner.skip()
                        }
                    })?;
                } else {
                    scanner.skip()?;
                }
                payload = Some(scanner.since(from));
            }
            _ => scanner.skip()?,
        }
        Ok(())
    })?;
    scanner.end()?;

    let kind = match kind.as_deref() {
        Some("HEARTBEAT") => return Ok(FromPeer::Heartbeat),
        Some("OFFER") => Kind::Offer,
        Some("ANSWER") => Kind::Answer,
        Some("CANDIDATE") => Kind::Candidate,
        Some("LEAVE") => Kind::Leave,
        Some("WATCH") => return ids(payload).map(FromPeer::Watch),
        Some("UNWATCH") => return ids(payload).map(FromPeer::Unwatch),
        Some(_) | None => return Ok(FromPeer::Ignored),
    };
    Ok(match to {
        Some(to) if to.is_empty() => FromPeer::Ignored,
        Some(to) => FromPeer::Signal(Signal { kind, to, payload, connection }),
        None if kind == Kind::Leave => FromPeer::Gone,
        None => FromPeer::Ignored,
    })
}

/// The ids of a list.
fn ids(payload: Option<&str>) -> Result<Vec<String>, Malformed> {
    let problem = "has a payload that is no list of ids";
    serde_json::from_str(payload.unwrap_or_default())
        .map_err(|_| Malformed { word: "frame", problem })
}

/// A frame of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FromServer<'a> {
    /// You are who you wanted to be, and others reach you.
    Open,
    /// Another peer says something.
    Signal {
        /// What it is.
        kind: Kind,
        /// Who says it; the server's word.
        from: &'a str,
        /// Whom it was for.
        to: &'a str,
        /// One well-formed JSON value, if there is one.
        payload: Option<&'a str>,
    },
    /// What you sent to `from` could not be delivered.
    Expire {
        /// Who could not be reached.
        from: &'a str,
        /// You.
        to: &'a str,
    },
    /// Whether somebody who is watched is reachable. Not a word of PeerServer; clients that do not know it pass it over.
    Presence {
        /// Who.
        of: &'a str,
        /// You.
        to: &'a str,
        /// Whether they are, as far as you may know.
        reachable: bool,
    },
    /// What you wanted to watch cannot be watched.
    NotWatched {
        /// A sentence for people.
        message: &'a str,
    },
    /// You cannot be who you wanted to be: somebody else is.
    IdTaken {
        /// A sentence for people.
        message: &'a str,
    },
    /// Something else is wrong.
    Error {
        /// A sentence for people.
        message: &'a str,
    },
    /// The XHR stream cannot be had; its client gives up on it.
    HttpError,
}

impl FromServer<'_> {
    /// Appends the frame to `out`, with the members in the order in which PeerServer writes them.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Open => out.extend_from_slice(br#"{"type":"OPEN"}"#),
            Self::HttpError => out.extend_from_slice(br#"{"type":"HTTP-ERROR"}"#),
            Self::Signal { kind, from, to, payload } => {
                write_head(out, kind.as_str(), from, to);
                if let Some(payload) = payload {
                    out.extend_from_slice(br#","payload":"#);
                    out.extend_from_slice(payload.as_bytes());
                }
                out.push(b'}');
            }
            Self::Expire { from, to } => {
                write_head(out, "EXPIRE", from, to);
                out.push(b'}');
            }
            Self::Presence { of, to, reachable } => {
                write_head(out, "PRESENCE", of, to);
                let payload = format!(r#","payload":{{"reachable":{reachable}}}}}"#);
                out.extend_from_slice(payload.as_bytes());
            }
            Self::NotWatched { message } => write_complaint(out, "PRESENCE", message),
            Self::IdTaken { message } => write_complaint(out, "ID-TAKEN", message),
            Self::Error { message } => write_complaint(out, "ERROR", message),
        }
    }
}

fn write_head(out: &mut Vec<u8>, kind: &str, from: &str, to: &str) {
    out.extend_from_slice(br#"{"type":""#);
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(br#"","src":"#);
    write_text(out, from);
    out.extend_from_slice(br#","dst":"#);
    write_text(out, to);
}

fn write_complaint(out: &mut Vec<u8>, kind: &str, message: &str) {
    out.extend_from_slice(br#"{"type":""#);
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(br#"","payload":{"msg":"#);
    write_text(out, message);
    out.extend_from_slice(b"}}");
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    let plain = |b: u8| b >= b' ' && b != b'"' && b != b'\\';
    if text.bytes().all(plain) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        serde_json::to_writer(out, text).expect("a vector takes everything");
    }
}

#[cfg(test)]
mod tests;
