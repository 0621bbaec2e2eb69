//! What a section has found: bars and tables.

/// All that a section has found.
#[derive(Default)]
pub(crate) struct Findings {
    /// Crates that were measured beside us; their versions are looked up in the lock file.
    pub(crate) crates: Vec<&'static str>,
    /// Other peers, with their versions.
    pub(crate) peers: Vec<String>,
    /// What is asked, and whether it holds.
    pub(crate) bars: Vec<Bar>,
    /// Details.
    pub(crate) tables: Vec<Table>,
    /// What a reader must know to judge the numbers.
    pub(crate) notes: Vec<String>,
}

/// One number that somebody set a limit for.
pub(crate) struct Bar {
    /// What was measured.
    pub(crate) what: String,
    /// What is asked.
    pub(crate) limit: Limit,
    /// Against what: its name and its number, in the same unit.
    pub(crate) anchor: Option<(String, f64)>,
    /// What came out.
    pub(crate) measured: f64,
    /// Of what; empty for plain numbers.
    pub(crate) unit: &'static str,
}

/// What is asked of a number.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    /// It may be so much.
    AtMost(f64),
    /// It must be so much.
    AtLeast(f64),
    /// Nothing: it is told because it is of interest.
    None,
}

impl Bar {
    /// Whether what is asked holds; `None` when nothing is.
    pub(crate) fn holds(&self) -> Option<bool> {
        match self.limit {
            Limit::AtMost(most) => Some(self.measured <= most),
            Limit::AtLeast(least) => Some(self.measured >= least),
            Limit::None => None,
        }
    }
}

/// Details, as rows under a head.
pub(crate) struct Table {
    /// What it shows, as a sentence.
    pub(crate) title: String,
    /// The names of the columns.
    pub(crate) head: Vec<String>,
    /// As many cells in each as in the head.
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<S: Into<String>>(
        title: impl Into<String>,
        head: impl IntoIterator<Item = S>,
    ) -> Self {
        let head = head.into_iter().map(Into::into).collect();
        Self { title: title.into(), head, rows: Vec::new() }
    }

    pub(crate) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }
}

/// A number with as many digits as count, and thin groups of three.
pub(crate) fn number(value: f64) -> String {
    let places = match value.abs() {
        size if size >= 100.0 || size == size.trunc() => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        size if size >= 0.01 => 3,
        _ => 5,
    };
    let text = format!("{value:.places$}");
    let (sign, text) = text.strip_prefix('-').map_or(("", text.as_str()), |text| ("−", text));
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let rest = rest.trim_end_matches('0');
    if rest.is_empty() { format!("{sign}{grouped}") } else { format!("{sign}{grouped}.{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_count() {
        for (value, text) in [
            (0.0, "0"),
            (0.05, "0.05"),
            (0.000_12, "0.00012"),
            (3.0, "3"),
            (9.876, "9.88"),
            (54_321.9, "54,322"),
            (1_234_567.0, "1,234,567"),
            (-3.456, "−3.46"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn a_bar_holds_up_to_its_limit_and_not_beyond() {
        let bar =
            |limit, measured| Bar { what: String::new(), limit, anchor: None, measured, unit: "" };
        assert_eq!(bar(Limit::AtMost(2.0), 2.0).holds(), Some(true));
        assert_eq!(bar(Limit::AtMost(2.0), 2.1).holds(), Some(false));
        assert_eq!(bar(Limit::AtLeast(2.0), 1.9).holds(), Some(false));
        assert_eq!(bar(Limit::None, 1.9).holds(), None);
    }
}
