//! The server as its clients see it: a real one on a free port, spoken to over HTTP and WebSocket.

mod contacts;
mod files;
mod harness;
mod live;
mod operations;
mod session;
mod sessions;
