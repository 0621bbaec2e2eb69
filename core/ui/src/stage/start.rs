//! What a conference page is started with.

use wire::{ConferenceId, NodeId};

/// The parameters of the page, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// Which conference.
    pub conference: ConferenceId,
    /// Who we are in it.
    pub me: NodeId,
    /// What we are called.
    pub name: String,
    /// What the call is about.
    pub topic: Option<String>,
}

/// The parameters as they stand in the address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// `data.path`, which must be `sessions/<conference>`.
    pub path: Option<String>,
    /// `data.self`, or else `id`: our node.
    pub me: Option<String>,
    /// `data.displayname`.
    pub name: Option<String>,
    /// `topic`.
    pub topic: Option<String>,
}

impl Start {
    /// What the person is told when the browser does not know the keys that go with the parameters.
    #[must_use]
    pub fn lost() -> String {
        "This tab does not hold your place in the call: it was opened by hand, or your browser keeps nothing for this \
         site. Start the call again from the start page."
            .to_owned()
    }

    /// Checks the parameters.
    ///
    /// # Errors
    ///
    /// A sentence for the person when the page cannot work with them.
    pub fn read(parameters: Parameters) -> Result<Self, String> {
        let why = |what: &str| {
            format!(
                "This address does not open a call: {what}. Start the call again from the start page."
            )
        };
        let path = parameters.path.ok_or_else(|| why("it names no conference"))?;
        let conference = path
            .strip_prefix("sessions/")
            .and_then(|name| name.parse().ok())
            .ok_or_else(|| why("the name of the conference is malformed"))?;
        let me = parameters.me.ok_or_else(|| why("it does not say which participant you are"))?;
        let me = me.parse().map_err(|_| why("your place in the conference is malformed"))?;
        let name = parameters.name.filter(|name| !name.trim().is_empty());
        let topic = parameters.topic.filter(|topic| !topic.trim().is_empty());
        Ok(Self { conference, me, name: name.unwrap_or_else(|| "Guest".to_owned()), topic })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_address_starts_a_call() {
        let start = Start::read(whole()).unwrap();

        assert_eq!(start.conference.as_str(), "abc-1");
        assert_eq!(start.me, NodeId(7));
        assert_eq!(start.name, "alice@example.com");
        assert_eq!(start.topic, None);
    }

    #[test]
    fn a_broken_address_says_what_is_wrong() {
        for (parameters, what) in [
            (Parameters { path: None, ..whole() }, "names no conference"),
            (Parameters { path: Some("sessions/../x".to_owned()), ..whole() }, "malformed"),
            (Parameters { path: Some("rooms/abc".to_owned()), ..whole() }, "malformed"),
            (Parameters { me: None, ..whole() }, "which participant"),
            (Parameters { me: Some("x".to_owned()), ..whole() }, "your place"),
        ] {
            let why = Start::read(parameters).unwrap_err();

            assert!(why.contains(what), "{why}");
        }
    }

    fn whole() -> Parameters {
        Parameters {
            path: Some("sessions/abc-1".to_owned()),
            me: Some("0000000000000007".to_owned()),
            name: Some("alice@example.com".to_owned()),
            topic: Some(" ".to_owned()),
        }
    }
}
