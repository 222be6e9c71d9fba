//! A queue whose first element needs no memory of its own.
//!
//! Decides nothing. Requests and answers fit one segment each: what accounts for them is one element long, and among many
//! connections an allocation for each of those is what a segment waits for. Invariant: behind no first element there is no
//! other.
use alloc::collections::VecDeque;

#[derive(Debug)]
pub(crate) struct Few<T> {
    first: Option<T>,
    rest: VecDeque<T>,
}

impl<T> Default for Few<T> {
    fn default() -> Few<T> {
        Few { first: None, rest: VecDeque::new() }
    }
}

impl<T> Few<T> {
    pub(crate) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Bytes that it has allocated.
    pub(crate) fn memory(&self) -> usize {
        self.rest.capacity() * size_of::<T>()
    }

    pub(crate) fn front(&self) -> Option<&T> {
        self.first.as_ref()
    }

    pub(crate) fn front_mut(&mut self) -> Option<&mut T> {
        self.first.as_mut()
    }

    pub(crate) fn back(&self) -> Option<&T> {
        self.rest.back().or(self.first.as_ref())
    }

    pub(crate) fn back_mut(&mut self) -> Option<&mut T> {
        self.rest.back_mut().or(self.first.as_mut())
    }

    pub(crate) fn push_back(&mut self, item: T) {
        match self.first {
            None => self.first = Some(item),
            Some(_) => self.rest.push_back(item),
        }
    }

    pub(crate) fn push_front(&mut self, item: T) {
        if let Some(second) = self.first.replace(item) {
            self.rest.push_front(second);
        }
    }

    pub(crate) fn pop_front(&mut self) -> Option<T> {
        core::mem::replace(&mut self.first, self.rest.pop_front())
    }

    pub(crate) fn pop_back(&mut self) -> Option<T> {
        self.rest.pop_back().or_else(|| self.first.take())
    }

    pub(crate) fn clear(&mut self) {
        self.first = None;
        self.rest.clear();
    }

    /// Appends `other`; the cost is that of the shorter one.
    pub(crate) fn append(&mut self, mut other: Few<T>) {
        if self.len() >= other.len() {
            while let Some(item) = other.pop_front() {
                self.push_back(item);
            }
            return;
        }
        while let Some(item) = self.pop_back() {
            other.push_front(item);
        }
        *self = other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One step of a few kinds on both, drawn by `number`.
    fn step(few: &mut Few<u64>, deque: &mut VecDeque<u64>, number: u64) {
        match number % 8 {
            0 | 1 => {
                few.push_back(number);
                deque.push_back(number);
            }
            2 => {
                few.push_front(number);
                deque.push_front(number);
            }
            3 => assert_eq!(few.pop_front(), deque.pop_front()),
            4 => assert_eq!(few.pop_back(), deque.pop_back()),
            5 => {
                let mut other = Few::default();
                (0..number / 8 % 5).for_each(|item| other.push_back(item));
                few.append(other);
                deque.extend(0..number / 8 % 5);
            }
            6 => {
                few.front_mut().into_iter().for_each(|front| *front ^= number);
                deque.front_mut().into_iter().for_each(|front| *front ^= number);
            }
            _ => {
                few.back_mut().into_iter().for_each(|back| *back ^= number);
                deque.back_mut().into_iter().for_each(|back| *back ^= number);
            }
        }
    }

    #[test]
    fn it_does_what_a_deque_does() {
        let (mut few, mut deque) = (Few::default(), VecDeque::new());
        let mut random = 1u64;
        for n in 0..20_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            step(&mut few, &mut deque, random >> 33);
            assert_eq!([few.front(), few.back()], [deque.front(), deque.back()], "step {n}");
            assert_eq!((few.len(), few.is_empty()), (deque.len(), deque.is_empty()), "step {n}");
            // Short queues are the interesting ones.
            if few.len() > 6 {
                few.clear();
                deque.clear();
            }
        }
    }

    #[test]
    fn one_element_at_a_time_needs_no_memory() {
        let mut few = Few::default();
        for n in 0..1000 {
            few.push_back(n);
            assert_eq!(few.pop_front(), Some(n));
        }
        assert_eq!(few.memory(), 0);
        few.push_back(1);
        few.push_back(2);
        assert!(few.memory() > 0);
    }
}
