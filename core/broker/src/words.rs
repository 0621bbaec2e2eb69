//! The broker's own identifiers.

use std::fmt;
use std::str::FromStr;

use wire::{Address, InstanceId, Malformed, UserId};

/// One live socket, numbered by the shell; never sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u64);

/// One request to send, numbered by the shell so that it finds the answer's way back; never sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// One message on its way to one device, written as sixteen hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PushId(pub u64);

impl fmt::Display for PushId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for PushId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = Malformed { word: "push id", problem: "is not sixteen hexadecimal digits" };
        if text.len() != 16 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(malformed);
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| malformed)
    }
}

/// One device of one user. An [`Address`] may mean all devices; this never does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Device {
    /// Whose it is.
    pub user: UserId,
    /// Which of them.
    pub instance: InstanceId,
}

impl From<Device> for Address {
    fn from(device: Device) -> Self {
        Self::at(device.user, device.instance)
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.user, self.instance)
    }
}
