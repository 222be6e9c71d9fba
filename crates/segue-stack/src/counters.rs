//! What happened how often, under the names that Linux's `nstat` prints.

/// A counter's place in [`Counters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
#[non_exhaustive]
#[expect(missing_docs)]
pub enum Counter {
    IpInReceives,
}

/// All counters of one stack.
#[derive(Clone, Debug, Default)]
pub struct Counters {}

impl Counters {
    /// Adds one.
    #[inline]
    pub fn inc(&mut self, counter: Counter) {
        self.add(counter, 1);
    }
    /// Adds `n`.
    #[inline]
    pub fn add(&mut self, counter: Counter, n: u64) {
        let _ = (counter, n);
        todo!()
    }
    /// The value of one counter.
    pub fn get(&self, counter: Counter) -> u64 {
        let _ = counter;
        todo!()
    }
    /// Every counter with its name, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        [].into_iter()
    }
}
