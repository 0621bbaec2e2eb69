//! Stories of one call: a caller, the devices of a callee, and a server that forks.
