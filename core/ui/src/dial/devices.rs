//! Where the person is logged in.

use wire::contacts::LoggedIn;

use super::{Button, Gesture};

/// The list `Where you are logged in`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceView {
    /// The key.
    pub id: String,
    /// What people call the device.
    pub name: String,
    /// Since when, and when it was last used.
    pub about: String,
    /// Ends it there; not for this device, which has a button of its own.
    pub log_out: Option<Button>,
}

/// The devices, this one first and then the latest used.
pub(super) fn view(devices: &[LoggedIn]) -> Vec<DeviceView> {
    let mut devices: Vec<_> = devices.iter().collect();
    devices.sort_by_key(|device| (!device.is_this, std::cmp::Reverse(device.last_used)));
    devices.into_iter().map(one).collect()
}

fn one(device: &LoggedIn) -> DeviceView {
    let since = device.created.date();
    let about = match (device.is_this, device.last_used) {
        (true, _) => format!("This device, since {since}"),
        (false, Some(at)) => format!("Since {since}, last used {}", at.date()),
        (false, None) => format!("Since {since}, never used"),
    };
    let about = if device.is_bound { about + ", bound to its key" } else { about };
    let gesture = Gesture::EndDevice(device.id.clone());
    DeviceView {
        id: device.id.clone(),
        name: device.device.clone(),
        about,
        log_out: (!device.is_this).then_some(Button { label: "Log out", gesture }),
    }
}
