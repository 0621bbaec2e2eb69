//! Messages read and written again, for those who test that the two agree, and that what was left out is missed.

use wire::NodeId;

use crate::words::Say;

/// The message in `bytes` as we would write it, or `None` when there is none. As if heard from the node 0.
#[must_use]
pub fn respell(bytes: &[u8]) -> Option<Vec<u8>> {
    Say::decode(bytes, NodeId(0)).map(|say| say.encode())
}

/// What a neighbour tells, without one of the writes in it: the one at place `nth`, counted round and round. `None` when
/// it tells none.
#[must_use]
pub fn leave_out(bytes: &[u8], nth: usize) -> Option<Vec<u8>> {
    let Some(Say::Delta { last, mut parts }) = Say::decode(bytes, NodeId(0)) else { return None };
    let count: usize = parts.iter().map(|part| part.live.len()).sum();
    let mut at = nth.checked_rem(count)?;
    for part in &mut parts {
        if at < part.live.len() {
            part.live.remove(at);
            break;
        }
        at -= part.live.len();
    }
    Some(Say::Delta { last, parts }.encode())
}
