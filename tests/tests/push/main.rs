//! Waking devices whose pages are closed, against services that check what those of the vendors check.

mod firebase;
mod guard;
mod harness;
mod receipts;
mod rules;
mod web;
