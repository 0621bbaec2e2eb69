//! `/live`: one task for each socket; the broker decides, this reads and writes.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use broker::{Device, Farewell, Input, Showing, SocketId};
use futures_util::{FutureExt as _, SinkExt as _};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};
use wire::UserId;
use wire::live::{FromPage, FromServer, OTHER_DEVICE, PROOF_NEEDED};
use wire::peerjs::PeerId;

use super::auth::Session;
use super::{App, contacts, json, presence};
use crate::connections::{End, Kind, Seat, Who};
use crate::error::ApiError;
use crate::listener::Remote;
use crate::session::Origin;
use crate::switchboard::{Expected, Frame, OpenError, text};
use crate::telemetry::MESSAGES;

/// The read buffer. The library's default of 128 KiB costs 17 times the memory of this (measured).
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// How long one write may take. Guess: a phone in a lift.
const WRITE: Duration = Duration::from_secs(10);

/// The longest reason of a close: a control frame has 125 bytes, of which the code takes two.
const REASON_BYTES_MAX: usize = 123;

/// How the server finds out that nobody is at the other end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rhythm {
    /// How often it pings. Browsers answer by themselves, also for pages whose timers are throttled.
    pub(crate) ping: Duration,
    /// How long a socket may be silent. Two pings lost, and some.
    pub(crate) silence: Duration,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self { ping: Duration::from_secs(15), silence: Duration::from_secs(40) }
    }
}

/// `GET /live`: the app's own socket.
pub(crate) async fn live(
    State(app): State<App>,
    session: Session,
    remote: Remote,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade = upgrade.map_err(|_| ApiError::NotWebSocket)?;
    let returns = app.switchboard.expects(Expected::Device(device(&session)));
    let seat = app.connections.enter(who(&session, remote), returns).await?;
    Ok(upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(app.message_bytes_max)
        .max_frame_size(app.message_bytes_max)
        .on_upgrade(|socket| serve(app, session, seat, socket)))
}

fn device(session: &Session) -> Device {
    Device { user: session.user.clone(), instance: session.live_instance() }
}

fn who(session: &Session, remote: Remote) -> Who {
    Who {
        kind: Kind::Live,
        name: device(session).to_string(),
        user: Some(session.user.clone()),
        token: Some(session.token.clone()),
        is_proven: session.is_proven(),
        is_asked_about: matches!(session.origin, Origin::Session { .. }),
        until: session.until,
        from: remote.0,
    }
}

/// Connects a socket and sees it to its end, whatever happens in between.
async fn serve(app: App, session: Session, mut seat: Seat, mut socket: WebSocket) {
    let device = device(&session);
    let Ok(standing) = app.store.standing(&device, app.peerjs.policy).await else {
        return close(&mut socket, close_code::ERROR, "The accounts cannot be read").await;
    };
    let (id, frames) = match app.switchboard.open(device, standing).await {
        Ok(opened) => opened,
        Err(OpenError::Refused(broker::Error::Refused(_))) => {
            return say_goodbye(&mut socket, Farewell::NotNominated).await;
        }
        Err(OpenError::Refused(error)) => {
            tracing::warn!(%error, "A socket was refused");
            return close(&mut socket, close_code::AGAIN, "Too many sockets are open").await;
        }
        Err(OpenError::Stopping) => {
            return close(&mut socket, close_code::AWAY, "The server is stopping").await;
        }
    };
    let is_vouched_for = matches!(session.origin, Origin::Session { .. });
    app.note_vouched(is_vouched_for.then_some(&session.user)).await;
    let talk = AssertUnwindSafe(converse(&app, &session, id, &mut seat, &mut socket, frames));
    if talk.catch_unwind().await.is_err() {
        tracing::error!("A live socket's task panicked");
    }
    app.switchboard.close(id).await;
}

async fn converse(
    app: &App,
    session: &Session,
    id: SocketId,
    seat: &mut Seat,
    socket: &mut WebSocket,
    mut frames: mpsc::Receiver<Frame>,
) {
    // After the socket is connected: a token that was revoked since the upgrade is seen either here or by the watch.
    match contacts::register_live(app, session).await {
        Ok(Some(registered)) => {
            let (email, instance) = (session.user.clone(), registered.instance);
            let presence = app.showing != Showing::Nobody;
            let welcome = FromServer::Welcome { email, instance, presence };
            if !write(socket, Message::Text(text(&welcome))).await {
                return;
            }
        }
        Ok(None) => return say_goodbye(socket, Farewell::Dismissed).await,
        Err(_) => return close(socket, close_code::ERROR, "The accounts cannot be read").await,
    }

    let mut stop = app.stop.clone();
    let mut ping = tokio::time::interval_at(Instant::now() + app.rhythm.ping, app.rhythm.ping);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard_at = Instant::now();
    let mut bucket = app.rate.bucket(heard_at);
    loop {
        tokio::select! {
            frame = frames.recv() => match frame {
                Some(Frame::Text(frame)) => {
                    if !write(socket, Message::Text(frame)).await {
                        return;
                    }
                }
                Some(Frame::Goodbye(why)) => return say_goodbye(socket, why).await,
                None => return close(socket, close_code::AGAIN, "This reader is too slow").await,
            },
            heard = socket.recv() => {
                heard_at = Instant::now();
                if !bucket.take(heard_at) {
                    app.metrics.refused(MESSAGES);
                    return close(socket, close_code::POLICY, "Too many messages").await;
                }
                if !on_heard(app, id, socket, heard).await {
                    return;
                }
            }
            _ = ping.tick() => {
                if heard_at.elapsed() > app.rhythm.silence || !write(socket, Message::Ping("".into())).await {
                    return;
                }
            }
            ended = over(seat, &mut stop) => return match ended {
                Some(End::Bound) => say_bound(socket).await,
                Some(End::Expired | End::Revoked | End::Kicked) => {
                    say_goodbye(socket, Farewell::Dismissed).await;
                }
                None => close(socket, close_code::AWAY, "The server is stopping").await,
            },
        }
    }
}

/// Why this socket has to end; `None` when the whole server stops.
async fn over(seat: &mut Seat, stop: &mut watch::Receiver<bool>) -> Option<End> {
    tokio::select! {
        why = seat.ended() => Some(why),
        // An error means that the server is gone altogether.
        _ = stop.wait_for(|stop| *stop) => None,
    }
}

/// False when the conversation is over.
async fn on_heard(
    app: &App,
    id: SocketId,
    socket: &mut WebSocket,
    heard: Option<Result<Message, axum::Error>>,
) -> bool {
    let frame = match heard {
        Some(Ok(Message::Text(frame))) => frame,
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => return true,
        Some(Ok(Message::Binary(_))) => {
            close(socket, close_code::UNSUPPORTED, "Frames here are text").await;
            return false;
        }
        Some(Ok(Message::Close(_))) => {
            // The library has prepared the answer; it only has to go out.
            tokio::time::timeout(WRITE, socket.flush()).await.ok();
            return false;
        }
        None => return false,
        Some(Err(error)) => {
            tracing::debug!(%error, "A live socket broke");
            return false;
        }
    };
    match json::object(frame.as_bytes()) {
        Ok(FromPage::Ping) => write(socket, Message::Text(text(&FromServer::Pong))).await,
        Ok(FromPage::Watch { users }) => watch(app, id, socket, &users).await,
        Ok(FromPage::Unwatch { users }) => {
            let names = users.iter().map(PeerId::from).collect();
            app.switchboard.tell(Input::Unwatch { socket: id, names }).await;
            true
        }
        Ok(FromPage::Ack { id: push }) => {
            match push.parse() {
                Ok(push) => app.switchboard.acknowledge(id, push).await,
                Err(_) => tracing::debug!("A page acknowledged nothing"),
            }
            true
        }
        Err(problem) => {
            // What it sent is its own affair, and in no log.
            tracing::debug!("A page sent what is no frame");
            close(socket, close_code::POLICY, no_frame(&problem)).await;
            false
        }
    }
}

/// Why a frame is none, as long as the reason of a close may be (RFC 6455 §5.5).
fn no_frame(problem: &str) -> String {
    let mut reason = format!("That is no frame of the live socket: {problem}");
    while reason.len() > REASON_BYTES_MAX {
        reason.pop();
    }
    reason
}

/// A page wants to know whether these are reachable. False when the conversation is over.
async fn watch(app: &App, id: SocketId, socket: &mut WebSocket, users: &[UserId]) -> bool {
    let names = users.iter().map(PeerId::from).collect();
    let refused = match app.switchboard.watch(id, names).await {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => presence::refusal(&error),
        Err(error) => error,
    };
    let (error, message) = (refused.word().to_owned(), refused.message());
    write(socket, Message::Text(text(&FromServer::Error { error, message }))).await
}

async fn say_goodbye(socket: &mut WebSocket, why: Farewell) {
    let (reason, code, sentence) = match why {
        Farewell::NotNominated => (
            Some(OTHER_DEVICE.to_owned()),
            close_code::POLICY,
            "Only one device per user may be registered, and another one is",
        ),
        Farewell::Dismissed | Farewell::Left | Farewell::NameTaken | Farewell::Superseded => {
            (None, close_code::NORMAL, "Logged out")
        }
    };
    part(socket, reason, code, sentence).await;
}

/// Another request bound the token to a key, which nobody proved here.
async fn say_bound(socket: &mut WebSocket) {
    let sentence = "The token was bound to a key. Connect with a proof of it";
    part(socket, Some(PROOF_NEEDED.to_owned()), close_code::POLICY, sentence).await;
}

async fn part(socket: &mut WebSocket, reason: Option<String>, code: u16, sentence: &'static str) {
    if write(socket, Message::Text(text(&FromServer::Goodbye { reason }))).await {
        close(socket, code, sentence).await;
    }
}

async fn close(socket: &mut WebSocket, code: u16, reason: impl Into<Utf8Bytes>) {
    let frame = CloseFrame { code, reason: reason.into() };
    write(socket, Message::Close(Some(frame))).await;
}

/// False when it could not be written in time.
async fn write(socket: &mut WebSocket, message: Message) -> bool {
    matches!(tokio::time::timeout(WRITE, socket.send(message)).await, Ok(Ok(())))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::AsyncReadExt as _;
    use tokio::net::{TcpListener, TcpStream};
    use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

    use super::*;
    use crate::connections::{self, Connections};
    use crate::http::peerjs;
    use crate::login::Ways;
    use crate::rate::Rate;
    use crate::session::{SessionFlags, SessionSettings, Verifier};
    use crate::store::{Database, Store};
    use crate::switchboard::{Limits, Switchboard, Tally};
    use crate::telemetry::Metrics;

    #[tokio::test]
    async fn a_socket_that_answers_no_ping_is_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Database::Folder(folder.path().to_owned())).await.unwrap();
        let user = "bob@example.com".parse().unwrap();
        store.add_user(&user).await.unwrap();
        let token = store.add_token(&user, "Test", false).await.unwrap();
        let (host, _stop) = serve_impatiently(store).await;

        let mut request = format!("ws://{host}/live").into_client_request().unwrap();
        let bearer = format!("Bearer {}", token.reveal()).parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        let stream = TcpStream::connect(&host).await.unwrap();
        let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();

        // Past the library, which would answer the pings: only raw bytes are read, until the server ends it.
        let mut bytes = Vec::new();
        let read = socket.get_mut().read_to_end(&mut bytes);
        tokio::time::timeout(Duration::from_secs(20), read).await.expect("it ends").unwrap();
        assert!(bytes.contains(&0x89), "it was pinged");
    }

    /// A server that pings at once; it serves until the sender is dropped.
    async fn serve_impatiently(store: Store) -> (String, watch::Sender<bool>) {
        let (wakes, _) = mpsc::channel(1);
        let (switchboard, _) = Switchboard::start(
            broker::Config::default(),
            Limits::default(),
            Tally::default(),
            wakes,
            wire::Seed::story(1),
        )
        .expect("a thread can be started");
        let peerjs = peerjs::Manner {
            key: "peerjs".into(),
            open: false,
            discovery: false,
            policy: broker::Policy::All,
            guest_prefix: "".into(),
        };
        let rhythm = Rhythm { ping: Duration::from_millis(10), silence: Duration::from_millis(50) };
        let (stop, stopping) = watch::channel(false);
        let metrics = Metrics::new();
        let room = connections::Limits { all: 9, per_user: 9, per_address: 9 };
        let settings = SessionSettings::settle(&SessionFlags::default()).expect("no wishes");
        let push = crate::push::PushSettings::settle(&Default::default()).expect("no wishes");
        let app = App::from(crate::http::Shared {
            verifier: Verifier::new(&settings, store.clone(), metrics.clone()).expect("no client"),
            carriers: crate::push::start(&push, &store).await.expect("a fresh key"),
            store,
            switchboard,
            files: &[],
            base_path: "/".into(),
            session_cookie: None,
            connections: Connections::new(room, metrics.clone()),
            metrics,
            metrics_token: None,
            ways: Ways::default(),
            proxies: Arc::default(),
            origins: Arc::default(),
            rhythm,
            patience: Duration::from_secs(5),
            rate: Rate::default(),
            message_bytes_max: 1_024,
            showing: Showing::Nobody,
            requests: 0.into(),
            proofs: crate::proof::Seen::default(),
            peerjs,
            stop: stopping,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let host = listener.local_addr().expect("it is bound").to_string();
        tokio::spawn(axum::serve(listener, crate::http::router(app)).into_future());
        (host, stop)
    }
}
