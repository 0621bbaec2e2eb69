//! Where everybody stands in the picture of the network.

use super::Emulator;
use super::api::{Lens, SeatId};

/// The side of the picture. Coordinates are whole numbers from its left upper corner.
pub const SIDE: i32 = 1_000;

/// How far from the middle of its circle everybody stands.
const RADIUS: f64 = 395.0;

/// The same while there are two circles.
const RADIUS_SPLIT: f64 = 190.0;

/// How far outside a name stands beside a participant, and how far above or below one.
const NAME_BESIDE: f64 = 60.0;
const NAME_ABOVE: f64 = 74.0;

/// A place in the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dot {
    /// Where a participant stands.
    pub at: (i32, i32),
    /// Where its name stands.
    pub name_at: (i32, i32),
    /// Whether the name begins there, ends there, or has its middle there: `start`, `end`, `middle`.
    pub anchor: &'static str,
}

impl Dot {
    /// Between two circles there is no room for names.
    fn with_name_below(self) -> Self {
        let (x, y) = self.at;
        #[expect(clippy::cast_possible_truncation, reason = "a gap is small")]
        let name_at = (x, y + NAME_ABOVE as i32 - 4);
        Self { name_at, anchor: "middle", ..self }
    }
}

/// A line between two participants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stroke {
    /// The two.
    pub ends: (SeatId, SeatId),
    /// Where it runs, as SVG writes it.
    pub path: String,
    /// Whether only one of the two knows of it.
    pub is_half: bool,
    /// Whether something went over it a moment ago.
    pub is_busy: bool,
    /// What pressing it does: the accessible name.
    pub label: String,
}

impl Emulator {
    /// Where everybody stands: on a circle, or on two while the network is split.
    pub(super) fn dots(&self) -> Vec<Dot> {
        let on_side = |side| self.seats.iter().filter(move |seat| seat.side == side).count();
        let counts = [on_side(0), on_side(1)];
        let mut next = [0, 0];
        self.seats
            .iter()
            .map(|seat| {
                let side = seat.side.min(1);
                let at = next[side];
                next[side] += 1;
                let middle = SIDE as f64 / 2.0;
                let (x, radius) = match (self.is_split, side) {
                    (false, _) => (middle, RADIUS),
                    (true, 0) => (middle / 2.0, RADIUS_SPLIT),
                    (true, _) => (middle * 1.5, RADIUS_SPLIT),
                };
                let dot = dot((x, middle), radius, at, counts[side]);
                if self.is_split { dot.with_name_below() } else { dot }
            })
            .collect()
    }

    /// All links that are open at one end at least, each once.
    pub(super) fn links(&self) -> Vec<(SeatId, SeatId)> {
        let mut links: Vec<(SeatId, SeatId)> = self
            .seats
            .iter()
            .flat_map(|seat| {
                let open = seat.wires.values().filter(|wire| wire.is_open);
                open.map(|wire| (seat.id.min(wire.peer), seat.id.max(wire.peer)))
            })
            .filter(|(one, other)| self.seat(*one).is_some() && self.seat(*other).is_some())
            .collect();
        links.sort_unstable();
        links.dedup();
        links
    }

    /// The lines of the picture.
    pub(super) fn strokes(&self, now: wire::Time, dots: &[Dot]) -> Vec<Stroke> {
        let links = match (self.lens, self.chosen.and_then(|seat| self.seat(seat))) {
            (Lens::Map, Some(seat)) => {
                let of =
                    |node| self.seats.iter().find(|seat| seat.node() == node).map(|seat| seat.id);
                let known = seat.room.node().links();
                known.filter_map(|(one, other)| Some((of(one)?, of(other)?))).collect()
            }
            (Lens::Map, None) | (Lens::Links, _) => self.links(),
        };
        let place = |seat: SeatId| self.seats.iter().position(|other| other.id == seat);
        links
            .into_iter()
            .filter_map(|(one, other)| {
                let (from, to) = (dots.get(place(one)?)?.at, dots.get(place(other)?)?.at);
                let knows =
                    |a: SeatId, b| self.seat(a).is_some_and(|seat| seat.has_open_link_to(b));
                let is_busy = |a: SeatId, b| {
                    self.seat(a).is_some_and(|seat| {
                        seat.wires_to(b).any(|(_, wire)| {
                            wire.busy.is_some_and(|at| now - at < super::view::BUSY)
                        })
                    })
                };
                Some(Stroke {
                    ends: (one, other),
                    path: format!("M{} {}L{} {}", from.0, from.1, to.0, to.1),
                    is_half: !(knows(one, other) && knows(other, one)),
                    is_busy: is_busy(one, other) || is_busy(other, one),
                    label: format!("Cut {} – {}", self.name(one), self.name(other)),
                })
            })
            .collect()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "places lie within the picture")]
fn dot(middle: (f64, f64), radius: f64, at: usize, count: usize) -> Dot {
    let radius = if count == 1 { 0.0 } else { radius };
    let turn = std::f64::consts::TAU * at as f64 / count.max(1) as f64;
    let (sin, cos) = turn.sin_cos();
    let place =
        |far: f64| ((middle.0 + sin * far).round() as i32, (middle.1 - cos * far).round() as i32);
    let (anchor, gap) = match sin {
        sin if count > 1 && sin > 0.3 => ("start", NAME_BESIDE),
        sin if count > 1 && sin < -0.3 => ("end", NAME_BESIDE),
        _ => ("middle", NAME_ABOVE),
    };
    Dot { at: place(radius), name_at: place(radius + gap), anchor }
}
