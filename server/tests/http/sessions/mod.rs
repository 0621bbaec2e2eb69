//! Sessions that others judge: a service, an introspection endpoint, an issuer of signed tokens.

mod introspection;
mod issuer;
mod peerjs;
mod service;
mod signed;
mod stand_in;
