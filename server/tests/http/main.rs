//! The server as its clients see it: a real one on a free port, spoken to over HTTP and WebSocket.

mod contacts;
mod crowd;
mod files;
mod harness;
mod limits;
mod live;
mod openapi;
mod operations;
mod origins;
mod peerjs;
mod possession;
mod postgres;
mod presence;
mod push;
mod session;
mod sessions;
mod streams;
mod tls;
