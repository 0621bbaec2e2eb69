//! One way to sort, since each kind of thing that is sorted in place brings the whole of a sorting algorithm along. A heap
//! is a fraction of what quicksort would be.

use std::collections::BinaryHeap;

/// Where the items are in the order of their keys; among equals, as they come.
pub(crate) fn by_key<T>(
    items: &[T],
    key: impl Fn(&T) -> u64,
) -> impl DoubleEndedIterator<Item = &T> {
    let keyed = items.iter().enumerate().map(|(at, item)| (key(item), at));
    let order: BinaryHeap<(u64, usize)> = keyed.collect();
    order.into_sorted_vec().into_iter().map(|(_, at)| &items[at])
}

/// Numbers, rising.
pub(crate) fn sorted(numbers: &[u64]) -> Vec<u64> {
    by_key(numbers, |number| *number).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_stay_as_they_come() {
        let items = [(2, 'a'), (1, 'b'), (2, 'c'), (1, 'd')];

        let order: String = by_key(&items, |(key, _)| *key).map(|(_, name)| *name).collect();

        assert_eq!(order, "bdac");
    }
}
