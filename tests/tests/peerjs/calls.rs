//! Picture and sound between two pages.

use tests::peerjs::Version;

use crate::harness::{call, options, pair, server};

#[test]
fn two_see_each_other_until_one_hangs_up() {
    let server = server();
    let [alice, bob] = pair(Version::New, &options(&server));

    call(&alice, &bob);
    // And whoever was called can call.
    call(&bob, &alice);
}
