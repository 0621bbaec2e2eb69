//! What comes of things before they happen: worked out for many people side by side, since each thinks for itself.
//!
//! Nobody feels what others do sooner than a message takes. So of what is due until then, the first thing at each person
//! can be thought about at once, on as many cores as there are; what follows from it is carried out in its turn, and the
//! story is the same to the last bit.

use node::{Input, Node, Output};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use wire::Time;

use super::{Conference, Person, State, What};

/// For fewer, to share them out takes longer than to think about them.
const WORTH_SHARING: usize = 8;

/// What a node makes of an input.
#[derive(Debug)]
pub(crate) struct Thought {
    pub(crate) result: Result<(), node::Error>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) timeout: Option<Time>,
}

impl Thought {
    pub(crate) fn of(node: &mut Node, now: Time, input: Input) -> Self {
        let result = node.handle(now, input);
        let outputs = std::iter::from_fn(|| node.poll()).collect();
        Self { result, outputs, timeout: node.timeout() }
    }
}

impl Conference {
    /// Who alone has to think about it, if it is about one who is awake and plays fair.
    pub(super) fn thinker(&self, what: &What) -> Option<usize> {
        let who = if let What::Arrives { wire, end, .. } = what {
            let hears = !self.links.is_deaf(*wire, *end);
            self.links.arrive(*wire, *end).filter(|_| hears)?.0
        } else if let What::Wakes(who) = what {
            *who
        } else {
            return None;
        };
        let person = &self.people[who];
        (person.state == State::Awake && !person.is_false()).then_some(who)
    }

    /// Lets people think about what is due, each about one thing.
    pub(super) fn think_ahead(&mut self, due: &[(Time, &What)]) {
        if due.len() < WORTH_SHARING {
            return;
        }
        let inputs = due.iter().filter_map(|(now, what)| {
            let who = self.thinker(what)?;
            let input = if let What::Arrives { wire, end, frame } = what {
                let (_, link) = self.links.arrive(*wire, *end)?;
                Input::Received { link, frame: frame.clone() }
            } else {
                self.people[who].wants_waking(*now).then_some(Input::Timeout)?
            };
            Some((who, *now, input))
        });
        let mut inputs: Vec<(usize, Time, Input)> = inputs.collect();
        inputs.sort_unstable_by_key(|(who, ..)| *who);
        let mut thinking: Vec<(&mut Person, Time, Input)> = Vec::with_capacity(inputs.len());
        let (mut others, mut first) = (self.people.as_mut_slice(), 0);
        for (who, now, input) in inputs {
            let Some((person, after)) = others[who - first..].split_first_mut() else { break };
            thinking.push((person, now, input));
            (others, first) = (after, who + 1);
        }
        thinking.into_par_iter().for_each(|(person, now, input)| {
            let shown = person.watch.shows(now);
            person.thought = Some((now, Thought::of(&mut person.node, shown, input)));
        });
    }
}
