//! The least that a relay can do: a map of sockets, and each message goes to the one socket that was named at the start.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Who is there.
type Peers = Arc<Mutex<HashMap<String, Arc<Peer>>>>;

/// One who is there: where to write, one message after the other.
struct Peer {
    write: tokio::sync::Mutex<OwnedWriteHalf>,
}

/// Serves for good, once it has said where.
pub(crate) fn serve() -> Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let socket = TcpSocket::new_v4()?;
        socket.bind("127.0.0.1:0".parse()?)?;
        let listener = socket.listen(4096)?;
        println!("listening on http://{}", listener.local_addr()?);
        let peers = Peers::default();
        loop {
            let (stream, _) = listener.accept().await?;
            let peers = peers.clone();
            // Whoever breaks off is gone; that is all there is to it.
            tokio::spawn(async move { attend(stream, &peers).await.ok() });
        }
    })
}

async fn attend(stream: TcpStream, peers: &Peers) -> Result<()> {
    stream.set_nodelay(true)?;
    let (mut read, mut write) = stream.into_split();
    let (id, partner) = greet(&mut read, &mut write).await?;
    let peer = Arc::new(Peer { write: write.into() });
    lock(peers).insert(id.clone(), peer.clone());
    let outcome = relay(&read, &partner, peers).await;
    let mut there = lock(peers);
    if there.get(&id).is_some_and(|now| Arc::ptr_eq(now, &peer)) {
        there.remove(&id);
    }
    outcome
}

/// Upgrades, and gives who it is and to whom everything of theirs goes.
async fn greet(read: &mut OwnedReadHalf, write: &mut OwnedWriteHalf) -> Result<(String, String)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        anyhow::ensure!(read.read_buf(&mut head).await? > 0, "it broke off");
    }
    let head = String::from_utf8(head)?;
    let header = |name: &str| {
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(name))?;
        Some(line.split_once(':')?.1.trim())
    };
    let query = |name: &str| {
        let line = head.lines().next()?;
        Some(line.split_once(name)?.1.split(['&', ' ']).next()?.to_owned())
    };
    let key = header("sec-websocket-key").context("no key")?;
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {}\r\n\r\n",
        derive_accept_key(key.as_bytes())
    );
    let mut answer = answer.into_bytes();
    frame(br#"{"type":"OPEN"}"#, &mut answer);
    write.write_all(&answer).await?;
    Ok((query("&id=").context("no id")?, query("&to=").unwrap_or_default()))
}

async fn relay(read: &OwnedReadHalf, partner: &str, peers: &Peers) -> Result<()> {
    let mut rest = Vec::new();
    let mut out = Vec::new();
    loop {
        read.readable().await?;
        if !take(read, &mut rest, &mut out)? {
            return Ok(());
        }
        if !out.is_empty() {
            let peer = lock(peers).get(partner).cloned();
            if let Some(peer) = peer {
                peer.write.lock().await.write_all(&out).await?;
            }
        }
        if rest.is_empty() {
            rest = Vec::new();
        }
        out = Vec::new();
    }
}

/// Takes what has come; false at the end.
fn take(read: &OwnedReadHalf, rest: &mut Vec<u8>, out: &mut Vec<u8>) -> Result<bool> {
    // On the stack of one turn, and not of the task, so that nobody has a buffer while idle.
    let mut buffer = [0; 16 * 1024];
    let came = match read.try_read(&mut buffer) {
        Ok(came) => came,
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
        Err(error) => return Err(error.into()),
    };
    if rest.is_empty() {
        let used = unframe(&mut buffer[..came], out)?;
        rest.extend_from_slice(&buffer[used..came]);
    } else {
        rest.extend_from_slice(&buffer[..came]);
        let used = unframe(rest, out)?;
        rest.drain(..used);
    }
    Ok(came > 0)
}

/// Takes complete messages and frames them anew; gives how many bytes that took.
fn unframe(bytes: &mut [u8], out: &mut Vec<u8>) -> Result<usize> {
    let mut used = 0;
    while let Some((opcode, from, length)) = head(&bytes[used..]) {
        let (mask, payload) = (used + from - 4, used + from);
        let Some(mask) = bytes.get(mask..payload).and_then(|mask| <[u8; 4]>::try_from(mask).ok())
        else {
            break;
        };
        let Some(payload) = bytes.get_mut(payload..payload + length) else { break };
        anyhow::ensure!(opcode != 8, "it says goodbye");
        payload.iter_mut().enumerate().for_each(|(at, byte)| *byte ^= mask[at % 4]);
        if opcode == 1 {
            frame(payload, out);
        }
        used += from + length;
    }
    Ok(used)
}

/// What a frame of a client is, where its payload begins, and how long that is.
fn head(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let opcode = bytes.first()? & 0x0f;
    Some(match bytes.get(1)? & 0x7f {
        126 => (opcode, 8, usize::from(u16::from_be_bytes(*bytes.get(2..4)?.first_chunk()?))),
        127 => {
            let length = u64::from_be_bytes(*bytes.get(2..10)?.first_chunk()?);
            (opcode, 14, usize::try_from(length).ok()?)
        }
        length => (opcode, 6, usize::from(length)),
    })
}

fn frame(payload: &[u8], out: &mut Vec<u8>) {
    out.push(0x81);
    match payload.len() {
        length @ 0..126 => out.push(u8::try_from(length).unwrap_or_default()),
        length => match u16::try_from(length) {
            Ok(length) => {
                out.push(126);
                out.extend_from_slice(&length.to_be_bytes());
            }
            Err(_) => {
                out.push(127);
                out.extend_from_slice(&(length as u64).to_be_bytes());
            }
        },
    }
    out.extend_from_slice(payload);
}

fn lock(peers: &Peers) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Peer>>> {
    peers.lock().expect("no holder of the lock panics")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_taken_from_one_frame_into_another() {
        for length in [0, 1, 125, 126, 4000, 70_000] {
            let payload = vec![b'x'; length];
            let mut plain = Vec::new();
            frame(&payload, &mut plain);
            // A client's frame has a mask between its head and its payload.
            let mut masked = plain.clone();
            masked[1] |= 0x80;
            let at = plain.len() - length;
            masked.splice(at..at, [7, 7, 7, 7]);
            masked[at + 4..].iter_mut().for_each(|byte| *byte ^= 7);
            masked.push(0x81);

            let mut out = Vec::new();
            let used = unframe(&mut masked, &mut out).unwrap();

            assert_eq!(used, masked.len() - 1);
            assert!(out == plain, "{length}");
        }
    }
}
