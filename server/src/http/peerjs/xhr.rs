//! PeerJS without WebSockets, as its clients up to 0.3.14 speak it: an answer that never ends, and a request for each
//! message the other way.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use broker::{Ending, Input, SocketId};
use futures_util::Stream;
use serde::Deserialize;
use tokio::time::{Instant, Sleep};
use wire::peerjs::{self, FromPeer, FromServer, PeerId};

use super::super::App;
use super::super::body::Whole;
use super::identity::{self, Wish, admit};
use super::words;
use crate::connections::Seat;
use crate::error::ApiError;
use crate::switchboard::{OpenError, Refused, Said, Switchboard, Unposted, Words};
use crate::telemetry::MESSAGES;

/// What an answer begins with, so that browsers begin to show it to their pages: this many characters, and a new line.
const PADDING: usize = 2_048;
/// How far apart messages go out. The old client takes one for each time that its browser has news of the answer, and
/// what comes at once with another stays unread until something else comes. Chromium has news every 50 ms at most.
const PACE: Duration = Duration::from_millis(75);
/// What follows the last message, in case it came at once with the one before: a word that the client ignores, but which
/// makes it read on.
const NUDGE: &[u8] = b"{\"type\":\"HEARTBEAT\"}\n";
/// How often. Guess: twice in a row, the network is not that unlucky.
const NUDGES: u8 = 2;

/// Which of its answers this is to a client.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Index {
    #[serde(default)]
    i: u64,
}

/// `POST KEY/ID/TOKEN/id`: what is for me comes here.
pub(super) async fn stream(
    State(app): State<App>,
    Path((id, token)): Path<(String, String)>,
    Query(Index { i }): Query<Index>,
    parts: Parts,
) -> Response {
    let newcomer = match admit(&app, &parts, Wish { id: &id, token: &token }).await {
        Ok(newcomer) => newcomer,
        Err(refusal) => return refuse(&app, &refusal.into()),
    };
    let vouched = newcomer.vouched.clone();
    let (socket, seat, words) = match app.switchboard.stream(newcomer, i == 0).await {
        Ok(opened) => opened,
        Err(OpenError::Stopping) => return ApiError::Stopping.into_response(),
        Err(OpenError::Refused(error)) => {
            return refuse(&app, &words::refused(&error));
        }
    };
    let body = Downlink {
        words,
        padding: Some(padding()),
        pause: Box::pin(tokio::time::sleep(Duration::ZERO)),
        nudges: 0,
        end: End { switchboard: app.switchboard.clone(), socket, seat, ending: Ending::Lost },
    };
    app.note_vouched(vouched.as_ref()).await;
    octets(Body::from_stream(body))
}

/// `POST KEY/ID/TOKEN/offer` and its like: I say this. Which of them it is, is in the body.
pub(super) async fn say(
    State(app): State<App>,
    Path((id, token, _)): Path<(String, String, String)>,
    Whole(body): Whole,
) -> Response {
    let proof = identity::prove(&token);
    let Ok(name) = id.parse::<PeerId>() else {
        return ApiError::NotLoggedIn.into_response();
    };
    let said = std::str::from_utf8(&body).map_err(|_| "it is not UTF-8".to_owned());
    let said = said.and_then(|text| peerjs::read(text).map_err(|error| format!("the {error}")));
    let said = match said {
        Ok(FromPeer::Signal(signal)) => match words::signal(&signal) {
            Ok(signal) => Said::Signal(signal),
            Err(problem) => return ApiError::Malformed(format!("the {problem}")).into_response(),
        },
        Ok(FromPeer::Gone) => Said::Gone,
        Ok(FromPeer::Watch(ids)) => Said::Watch(ids),
        Ok(FromPeer::Unwatch(ids)) => Said::Unwatch(ids),
        Ok(FromPeer::Heartbeat | FromPeer::Ignored) => return "OK".into_response(),
        Err(problem) => return ApiError::Malformed(problem).into_response(),
    };
    match app.switchboard.post(name, proof, said).await {
        Ok(Ok(())) => "OK".into_response(),
        Ok(Err(Unposted::Unproven)) => ApiError::NotLoggedIn.into_response(),
        Ok(Err(Unposted::Hasty)) => {
            app.metrics.refused(MESSAGES);
            ApiError::TooMany { seconds: 1 }.into_response()
        }
        Err(error) => error.into_response(),
    }
}

/// An answer to one who may not come in.
fn refuse(app: &App, refused: &Refused) -> Response {
    if let Some(reason) = refused.reason {
        app.metrics.refused(reason);
    }
    if refused.taken {
        complain(true, &FromServer::HttpError)
    } else {
        complain(false, &FromServer::Error { message: &refused.message })
    }
}

/// An answer that says no in one line. The client looks at 200 only.
fn complain(padded: bool, frame: &FromServer<'_>) -> Response {
    let mut text = if padded { padding().to_vec() } else { Vec::new() };
    frame.write(&mut text);
    text.push(b'\n');
    octets(Body::from(text))
}

fn octets(body: Body) -> Response {
    let mut response = (StatusCode::OK, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    // Proxies that collect answers would keep everything.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

fn padding() -> Bytes {
    let mut padding = vec![b'0'; PADDING];
    padding.push(b'\n');
    padding.into()
}

/// The answer that never ends.
struct Downlink {
    words: Words,
    padding: Option<Bytes>,
    pause: Pin<Box<Sleep>>,
    /// How many nudges the last message still gets.
    nudges: u8,
    end: End,
}

/// Tells the switchboard when the client has gone.
struct End {
    switchboard: Switchboard,
    socket: SocketId,
    seat: Seat,
    ending: Ending,
}

impl Drop for End {
    fn drop(&mut self) {
        let (socket, ending) = (self.socket, self.ending);
        self.switchboard.tell_of_stream(Input::Parted { socket, ending });
    }
}

impl Stream for Downlink {
    type Item = Result<Bytes, std::convert::Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.end.seat.poll_ended(cx).is_ready() {
            // Its session is over, or the operator ended it: it does not blink, it is gone.
            self.end.ending = Ending::Left;
            return Poll::Ready(None);
        }
        ready!(self.pause.as_mut().poll(cx));
        if let Some(padding) = self.padding.take() {
            return Poll::Ready(Some(Ok(padding)));
        }
        let bytes = match self.words.poll(cx) {
            Poll::Ready(Some(word)) => {
                self.nudges = NUDGES;
                if self.words.pass(word.len()) {
                    let socket = self.end.socket;
                    self.end.switchboard.tell_of_stream(Input::Flowing { socket });
                }
                word.into()
            }
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending if self.nudges > 0 => {
                self.nudges -= 1;
                Bytes::from_static(NUDGE)
            }
            Poll::Pending => return Poll::Pending,
        };
        self.pause.as_mut().reset(Instant::now() + PACE);
        Poll::Ready(Some(Ok(bytes)))
    }
}
