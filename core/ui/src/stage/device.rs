//! A camera or a microphone: whether it is wanted, and whether it is there.

/// Why a device is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The person or the browser's settings said no.
    Blocked,
    /// Another program holds it.
    Busy,
    /// There is none, or it was unplugged.
    Absent,
    /// The browser gives none to this page.
    Unsupported,
}

/// A camera or a microphone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Whether the person wants to be seen or heard.
    pub is_wanted: bool,
    /// The device the person chose; `None` leaves it to the browser.
    pub picked: Option<String>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Asking,
    Open,
    Refused { trouble: Trouble, is_dismissed: bool },
}

impl Device {
    /// One that the browser is asked for.
    pub(super) fn asking() -> Self {
        Self { is_wanted: true, picked: None, state: State::Asking }
    }

    /// One that was switched off.
    pub(super) fn closed(picked: Option<String>) -> Self {
        Self { is_wanted: false, picked, state: State::Closed }
    }

    /// Whether it is there.
    pub(super) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Whether it is there and wanted: the others see or hear.
    pub(super) fn is_on(&self) -> bool {
        self.is_wanted && self.is_open()
    }

    /// What is wrong, until it was dismissed.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        match self.state {
            State::Refused { trouble, is_dismissed: false } => Some(trouble),
            State::Refused { is_dismissed: true, .. }
            | State::Closed
            | State::Asking
            | State::Open => None,
        }
    }

    /// Wants it, or no longer; true when the browser has to be asked.
    pub(super) fn toggle(&mut self) -> bool {
        match self.state {
            State::Open | State::Asking => {
                self.is_wanted = !self.is_wanted;
                false
            }
            State::Closed | State::Refused { .. } => {
                self.is_wanted = true;
                self.ask();
                true
            }
        }
    }

    /// The browser is asked.
    pub(super) fn ask(&mut self) {
        self.state = State::Asking;
    }

    /// The browser gave it.
    pub(super) fn open(&mut self) {
        self.state = State::Open;
    }

    /// The browser did not give it, or took it.
    pub(super) fn refuse(&mut self, trouble: Trouble) {
        self.state = State::Refused { trouble, is_dismissed: false };
    }

    /// Asks again if it is in trouble; true when the browser has to be asked.
    pub(super) fn try_again(&mut self) -> bool {
        let is_in_trouble = self.trouble().is_some();
        if is_in_trouble {
            self.ask();
        }
        is_in_trouble
    }

    /// Says no more about what is wrong.
    pub(super) fn dismiss(&mut self) {
        if let State::Refused { is_dismissed, .. } = &mut self.state {
            *is_dismissed = true;
        }
    }
}
