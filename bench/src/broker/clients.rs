//! A crowd of clients on one thread.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures_util::{SinkExt, StreamExt, TryStreamExt, stream};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// How long a server may take for anything. Guess: much longer than any does.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// How many knock at once.
const AT_ONCE: usize = 64;

/// One client.
pub(super) struct Client {
    pub(super) id: String,
    socket: WebSocketStream<TcpStream>,
}

impl Client {
    /// Enters, and waits to be let in.
    pub(super) async fn enter(at: SocketAddr, id: String, partner: &str) -> Result<Self> {
        let entering = async {
            let stream = TcpStream::connect(at).await?;
            stream.set_nodelay(true)?;
            // The bare relay goes by the last word, the others by what each message says.
            let url = format!("ws://{at}/peerjs?key=peerjs&token=t&id={id}&to={partner}");
            // Small, for there are ten thousand.
            let config = WebSocketConfig::default()
                .read_buffer_size(4096)
                .write_buffer_size(0)
                .max_write_buffer_size(1 << 24);
            let (socket, _) = client_async_with_config(url, stream, Some(config)).await?;
            let mut client = Self { id, socket };
            let first = client.hears().await?;
            ensure!(first.as_ref() == br#"{"type":"OPEN"}"#, "not let in");
            Ok(client)
        };
        timeout(PATIENCE, entering).await.context("nobody answers")?
    }

    /// Says something.
    pub(super) async fn says(&mut self, message: &Message) -> Result<()> {
        Ok(self.socket.send(message.clone()).await?)
    }

    /// The next message.
    pub(super) async fn hears(&mut self) -> Result<Bytes> {
        loop {
            match self.socket.next().await.context("cut off")?? {
                Message::Text(text) => return Ok(text.into()),
                Message::Binary(bytes) => return Ok(bytes),
                Message::Close(frame) => bail!(
                    "closed{}",
                    frame.map_or(String::new(), |frame| format!(" with {}", u16::from(frame.code)))
                ),
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }
}

/// Many enter. Even ones have the next as their partner, odd ones the one before.
pub(super) async fn crowd(at: SocketAddr, ids: std::ops::Range<u32>) -> Result<Vec<Client>> {
    stream::iter(ids)
        .map(|number| async move { Client::enter(at, name(number), &name(number ^ 1)).await })
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

/// How a client is called.
pub(super) fn name(number: u32) -> String {
    format!("peer-{number}")
}

/// An offer of about that many bytes in all.
pub(super) fn offer(to: &str, bytes: usize) -> Message {
    let head = r#"{"type":"OFFER","payload":{"sdp":{"type":"offer","sdp":""#.to_owned();
    let tail = format!(r#""}},"connectionId":"dc_1"}},"dst":"{to}"}}"#);
    let filler = "a=candidate 0123456789 ";
    let filler = filler.repeat(bytes / filler.len() + 1);
    let length = bytes.saturating_sub(head.len() + tail.len());
    Message::text(head + &filler[..length] + &tail)
}
