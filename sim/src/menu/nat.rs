//! Translators of addresses, by how they map and filter (RFC 4787 §4.1, §5), and which pairs behind them can meet.

use std::fmt;
use std::str::FromStr;

use crate::trial::Misfit;

/// What somebody is behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nat {
    /// Nothing, or one that maps and filters whatever the other end is.
    #[default]
    Open,
    /// Maps whatever the other end is; lets in who was sent to, by address.
    Address,
    /// Maps whatever the other end is; lets in who was sent to, by address and port.
    Port,
    /// Maps anew for each other end ("symmetric"); lets in who was sent to, by address and port.
    Symmetric,
}

impl Nat {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Address, Self::Port, Self::Symmetric];

    /// How it is typed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Address => "address",
            Self::Port => "port",
            Self::Symmetric => "symmetric",
        }
    }

    /// Whether two can link without a relay, when both try at once (RFC 8445 §7): whoever maps anew comes from a port
    /// that nobody was told, and only a filter that does not look at ports lets that in.
    #[must_use]
    pub fn meets(self, other: Self) -> bool {
        let filters_ports = |nat| matches!(nat, Self::Port | Self::Symmetric);
        !(self == Self::Symmetric && filters_ports(other)
            || other == Self::Symmetric && filters_ports(self))
    }
}

impl fmt::Display for Nat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Nat {
    type Err = Misfit;

    fn from_str(text: &str) -> Result<Self, Misfit> {
        Self::ALL.into_iter().find(|nat| nat.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Misfit::new(format!("There is no kind of NAT called {text}. Choose from {names}."))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_that_map_anew_keep_some_from_meeting() {
        let apart: Vec<(Nat, Nat)> = Nat::ALL
            .into_iter()
            .flat_map(|one| Nat::ALL.map(|other| (one, other)))
            .filter(|(one, other)| !one.meets(*other))
            .collect();

        let port = (Nat::Port, Nat::Symmetric);
        assert_eq!(apart, [port, (port.1, port.0), (Nat::Symmetric, Nat::Symmetric)]);
    }

    #[test]
    fn a_kind_is_read_by_its_name() {
        for nat in Nat::ALL {
            assert_eq!(nat.to_string().parse(), Ok(nat));
        }
        assert!("cone".parse::<Nat>().unwrap_err().to_string().contains("symmetric"));
    }
}
