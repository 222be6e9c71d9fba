//! When the next deadline of anything in the stack falls: a hierarchical timing wheel.
//!
//! Decides only the order in which deadlines come due. It knows no sockets: an entry carries a `Copy` token.
//! Eleven levels of 64 slots cover all 64 bits of nanoseconds, so every deadline is kept exactly, however far away;
//! far ones lie in coarse slots and move to finer ones as time comes near, at most once per level.
//! Invariants: an entry lies at the level of the highest 6-bit digit in which its time differs from `elapsed`;
//! a coarse slot whose time has begun is emptied into finer ones before anything else comes due, by as many entries at a
//! time as the caller allows; insert, cancel and reschedule touch a constant number of words, and allocate only when more
//! entries are alive than ever before.
use core::num::NonZeroU32;

use segue_wire::Instant;

use crate::chunked::Chunked;

const DIGIT_BITS: u32 = 6;
const SLOTS: usize = 1 << DIGIT_BITS;
/// Levels that cover 64 bits: ten of six bits and one of four.
const LEVELS: usize = 11;
const NONE: u32 = u32::MAX;

/// Names one entry of a [`Wheel`]. A key of an entry that fired or was cancelled is recognised as stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TimerKey {
    index: u32,
    /// Never zero, so that no key takes no more room than a key.
    generation: NonZeroU32,
}

#[derive(Clone, Copy, Debug)]
struct Entry<T> {
    deadline: u64,
    token: T,
    previous: u32,
    /// Next in the slot's list, or in the free list.
    next: u32,
    generation: NonZeroU32,
    /// Level and slot in one number; `FREE` when the entry is not in use.
    place: u16,
}

const FREE: u16 = u16::MAX;

#[derive(Clone, Copy, Debug)]
struct Slot {
    head: u32,
    tail: u32,
    /// No entry of the slot is due before this. Entries that leave do not raise it; emptying the slot does.
    earliest: u64,
}

const EMPTY_SLOT: Slot = Slot { head: NONE, tail: NONE, earliest: u64::MAX };

/// A timing wheel over nanosecond deadlines. Entries that are due come out in the order of their deadlines.
#[derive(Debug)]
pub(crate) struct Wheel<T: Copy> {
    entries: Chunked<Entry<T>>,
    free: u32,
    live: usize,
    slots: Box<[[Slot; SLOTS]; LEVELS]>,
    /// One bit per slot that holds entries.
    occupied: [u64; LEVELS],
    elapsed: u64,
    /// The coarse slot that is being emptied: everything else waits for it.
    emptying: Option<(usize, usize)>,
}

impl<T: Copy> Wheel<T> {
    /// An empty wheel whose time starts at `now`.
    pub(crate) fn new(now: Instant) -> Self {
        Wheel {
            entries: Chunked::new(),
            free: NONE,
            live: 0,
            slots: Box::new([[EMPTY_SLOT; SLOTS]; LEVELS]),
            occupied: [0; LEVELS],
            elapsed: now.as_nanos(),
            emptying: None,
        }
    }

    /// Adds an entry. A deadline that has passed already comes due at the next [`poll_expired`](Self::poll_expired).
    pub(crate) fn insert(&mut self, deadline: Instant, token: T) -> TimerKey {
        let index = self.allocate(token);
        self.link(index, deadline.as_nanos());
        TimerKey { index, generation: self.entries[index as usize].generation }
    }

    /// Removes an entry and returns its token; `None` if it fired or was cancelled before.
    pub(crate) fn cancel(&mut self, key: TimerKey) -> Option<T> {
        let index = self.live_index(key)?;
        Some(self.release(index))
    }

    /// Moves an entry to another deadline under the same key; `false` if the key is stale.
    #[must_use]
    pub(crate) fn reschedule(&mut self, key: TimerKey, deadline: Instant) -> bool {
        let Some(index) = self.live_index(key) else {
            return false;
        };
        if self.entries[index as usize].deadline != deadline.as_nanos() {
            self.unlink(index);
            self.link(index, deadline.as_nanos());
        }
        true
    }

    /// The deadline of an entry; `None` if the key is stale.
    pub(crate) fn deadline(&self, key: TimerKey) -> Option<Instant> {
        self.live_index(key).map(|index| Instant::from_nanos(self.entries[index as usize].deadline))
    }

    /// A time at which to call [`poll_expired`](Self::poll_expired): the earliest deadline, exactly, unless the entry
    /// that had it was cancelled or moved away; then it may be earlier, but no earlier than that entry's deadline was.
    /// Each such early call moves entries to finer slots, so an entry causes at most eleven of them. Never later than
    /// the earliest deadline.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        if self.emptying.is_some() {
            return Some(Instant::from_nanos(self.elapsed));
        }
        let (level, slot) = self.first_occupied()?;
        Some(Instant::from_nanos(self.slots[level][slot].earliest))
    }

    /// Removes one entry whose deadline is `now` or earlier, earliest first (those that were overdue already when they
    /// were inserted in the order of insertion). Call until `None`. A million entries may lie in one coarse slot: `moves`
    /// says how many may be moved to finer ones, and goes down with each; at 0 `None` only means that there is more to do.
    ///
    /// Time does not run backwards: a `now` before one that was given earlier counts as that one.
    pub(crate) fn poll_expired(&mut self, now: Instant, moves: &mut usize) -> Option<T> {
        let now = now.as_nanos().max(self.elapsed);
        self.empty(moves);
        while self.emptying.is_none()
            && let Some((level, slot)) = self.first_occupied()
        {
            let start = self.slot_start(level, slot);
            if start > now {
                break;
            }
            if level == 0 {
                // The slots of the finest level are one nanosecond wide: everything in it is due.
                self.elapsed = start;
                return Some(self.release(self.slots[0][slot].head));
            }
            self.enter(level, slot, now);
            self.empty(moves);
        }
        if self.emptying.is_none() {
            self.elapsed = now;
        }
        None
    }

    /// Number of entries.
    pub(crate) fn len(&self) -> usize {
        self.live
    }

    /// Bytes of places for entries that are held.
    pub(crate) fn room(&self) -> usize {
        self.entries.room()
    }

    /// Whether no entry waits.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.live == 0
    }

    fn live_index(&self, key: TimerKey) -> Option<u32> {
        let entry = self.entries.get(key.index as usize)?;
        (entry.generation == key.generation && entry.place != FREE).then_some(key.index)
    }

    /// The slot with the earliest entries: all entries of a level come before all of the coarser levels, because they
    /// share more leading digits with `elapsed`.
    fn first_occupied(&self) -> Option<(usize, usize)> {
        let level = self.occupied.iter().position(|bits| *bits != 0)?;
        Some((level, self.occupied[level].trailing_zeros() as usize))
    }

    /// The first nanosecond that a slot covers.
    fn slot_start(&self, level: usize, slot: usize) -> u64 {
        let shift = level as u32 * DIGIT_BITS;
        // Clear the digits up to this level, then put the slot in. The top level has only four bits above it to keep.
        let above = self.elapsed.checked_shr(shift + DIGIT_BITS).unwrap_or(0);
        let above = above.checked_shl(shift + DIGIT_BITS).unwrap_or(0);
        above | ((slot as u64) << shift)
    }

    /// The time of a coarse slot has begun.
    fn enter(&mut self, level: usize, slot: usize, now: u64) {
        // Nothing in the whole wheel is due before `earliest`, so time may jump there at once; this spares most of
        // the steps from level to level. It also keeps `elapsed` at the slot's start or after it.
        let earliest = self.slots[level][slot].earliest;
        self.elapsed = earliest.min(now).max(self.slot_start(level, slot));
        self.emptying = Some((level, slot));
    }

    /// Moves entries of the slot that was entered to finer ones: `elapsed` shares its digit, so none comes back to it.
    fn empty(&mut self, moves: &mut usize) {
        let Some((level, slot)) = self.emptying else { return };
        loop {
            let head = self.slots[level][slot].head;
            if head == NONE {
                break;
            }
            if *moves == 0 {
                return;
            }
            *moves -= 1;
            let deadline = self.entries[head as usize].deadline;
            self.unlink(head);
            self.link(head, deadline);
        }
        self.slots[level][slot] = EMPTY_SLOT;
        self.occupied[level] &= !(1 << slot);
        self.emptying = None;
    }

    /// Appends the entry to the slot its deadline belongs in.
    fn link(&mut self, index: u32, deadline: u64) {
        let time = deadline.max(self.elapsed);
        let difference = time ^ self.elapsed;
        let level = (63 - (difference | 1).leading_zeros()) / DIGIT_BITS;
        let slot = (time >> (level * DIGIT_BITS)) as usize % SLOTS;
        let level = level as usize;
        let list = &mut self.slots[level][slot];
        let entry = &mut self.entries[index as usize];
        entry.deadline = deadline;
        entry.place = (level * SLOTS + slot) as u16;
        entry.previous = list.tail;
        entry.next = NONE;
        list.earliest = list.earliest.min(deadline);
        let before = core::mem::replace(&mut list.tail, index);
        if before == NONE {
            list.head = index;
            self.occupied[level] |= 1 << slot;
        } else {
            self.entries[before as usize].next = index;
        }
    }

    fn unlink(&mut self, index: u32) {
        let Entry { previous, next, place, .. } = self.entries[index as usize];
        let (level, slot) = (place as usize / SLOTS, place as usize % SLOTS);
        let list = &mut self.slots[level][slot];
        if previous == NONE {
            list.head = next;
        } else {
            self.entries[previous as usize].next = next;
        }
        if next == NONE {
            list.tail = previous;
        } else {
            self.entries[next as usize].previous = previous;
        }
        if list.head == NONE {
            *list = EMPTY_SLOT;
            self.occupied[level] &= !(1 << slot);
        }
    }

    fn allocate(&mut self, token: T) -> u32 {
        self.live += 1;
        let vacant = Entry { deadline: 0, token, previous: NONE, next: NONE, generation: NonZeroU32::MIN, place: FREE };
        if self.free == NONE {
            self.entries.push(vacant);
            return (self.entries.len() - 1) as u32;
        }
        let index = self.free;
        let entry = &mut self.entries[index as usize];
        self.free = entry.next;
        *entry = Entry { generation: entry.generation, ..vacant };
        index
    }

    /// Takes the entry out of its slot and gives its place back.
    fn release(&mut self, index: u32) -> T {
        self.unlink(index);
        self.live -= 1;
        let entry = &mut self.entries[index as usize];
        entry.place = FREE;
        entry.generation = entry.generation.checked_add(1).unwrap_or(NonZeroU32::MIN);
        entry.next = core::mem::replace(&mut self.free, index);
        entry.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const DAY: u64 = 86_400_000_000_000;

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    fn drain(wheel: &mut Wheel<u32>, now: u64) -> Vec<u32> {
        core::iter::from_fn(|| wheel.poll_expired(at(now), &mut { usize::MAX })).collect()
    }

    #[test]
    fn entries_come_out_in_the_order_of_their_deadlines_and_never_early() {
        let mut wheel = Wheel::new(at(5));
        for (token, deadline) in [(1, 7_200_000_000_000), (2, 200_000_000), (3, 5), (4, 200_000_001), (5, 30 * DAY)] {
            wheel.insert(at(deadline), token);
        }
        assert_eq!(drain(&mut wheel, 5), [3]);
        assert_eq!(drain(&mut wheel, 199_999_999), []);
        assert_eq!(drain(&mut wheel, 200_000_000), [2]);
        assert_eq!(drain(&mut wheel, 29 * DAY), [4, 1]);
        assert_eq!(drain(&mut wheel, 30 * DAY), [5]);
        assert!(wheel.is_empty() && wheel.next_deadline().is_none());
    }

    #[test]
    fn the_next_deadline_is_exact_while_nothing_is_cancelled() {
        let mut wheel = Wheel::new(at(0));
        wheel.insert(at(u64::MAX), 0);
        assert_eq!(wheel.next_deadline(), Some(at(u64::MAX)));
        wheel.insert(at(40_000_017), 1);
        wheel.insert(at(40_000_003), 2);
        assert_eq!(wheel.next_deadline(), Some(at(40_000_003)));
        assert_eq!(drain(&mut wheel, 40_000_003), [2]);
        assert_eq!(wheel.next_deadline(), Some(at(40_000_017)));
        assert_eq!(drain(&mut wheel, u64::MAX), [1, 0]);
    }

    #[test]
    fn a_key_of_an_entry_that_fired_does_nothing_even_when_its_place_is_taken_again() {
        let mut wheel = Wheel::new(at(0));
        let old = wheel.insert(at(1), 7);
        assert_eq!(drain(&mut wheel, 1), [7]);
        let new = wheel.insert(at(2), 8);
        assert_eq!(wheel.cancel(old), None);
        assert!(!wheel.reschedule(old, at(99)));
        assert_eq!(wheel.deadline(old), None);
        assert_eq!(wheel.deadline(new), Some(at(2)));
        assert_eq!(wheel.cancel(new), Some(8));
        assert_eq!(wheel.cancel(new), None);
    }

    #[test]
    fn places_of_entries_that_have_gone_are_used_again() {
        let mut wheel = Wheel::new(at(0));
        for round in 0..10_000u64 {
            let key = wheel.insert(at(round * 1000 + 50), 1);
            assert!(wheel.reschedule(key, at(round * 1000 + 900)));
            if round % 2 == 0 {
                assert_eq!(wheel.cancel(key), Some(1));
            } else {
                assert_eq!(drain(&mut wheel, round * 1000 + 900), [1]);
            }
        }
        assert_eq!(wheel.entries.len(), 1);
    }

    #[test]
    fn a_timer_pushed_back_for_ever_wakes_nobody_often() {
        // A retransmission timer that every acknowledgement moves: 100 000 moves, 10 us apart, 200 ms ahead.
        let mut wheel = Wheel::new(at(0));
        let key = wheel.insert(at(200_000_000), 1);
        let mut wakes = 0;
        for step in 1..=100_000u64 {
            let now = step * 10_000;
            assert!(wheel.reschedule(key, at(now + 200_000_000)));
            if wheel.next_deadline().is_some_and(|deadline| deadline <= at(now)) {
                wakes += 1;
                assert_eq!(wheel.poll_expired(at(now), &mut { usize::MAX }), None);
            }
        }
        assert!(wakes <= 11 * 5, "{wakes} early wake-ups in one second");
    }

    #[test]
    fn a_deadline_that_has_passed_comes_due_at_once() {
        let mut wheel = Wheel::new(at(1_000));
        assert_eq!(drain(&mut wheel, 1_000_000), []);
        wheel.insert(at(3), 1);
        assert!(wheel.next_deadline().is_some_and(|deadline| deadline <= at(1_000_000)));
        assert_eq!(drain(&mut wheel, 1_000_000), [1]);
        wheel.insert(at(1_000_001), 2);
        assert_eq!(drain(&mut wheel, 500), [], "an older time neither fires nor harms");
        assert_eq!(drain(&mut wheel, 1_000_001), [2]);
    }

    #[test]
    fn a_slot_with_many_entries_is_emptied_little_by_little_and_nothing_is_late_or_out_of_order() {
        const MANY: u64 = 10_000;
        let mut wheel = Wheel::new(at(0));
        let keys: Vec<TimerKey> =
            (0..MANY).map(|n| wheel.insert(at(2_000_000_000 + (n * 7919 % MANY)), n as u32)).collect();
        let (now, mut fired, mut turns) = (2_000_000_000 + MANY, Vec::new(), 0);
        assert_eq!(wheel.next_deadline(), Some(at(2_000_000_000)));
        while !wheel.is_empty() {
            let mut moves = 100;
            while let Some(token) = wheel.poll_expired(at(now), &mut moves) {
                fired.push(u64::from(token) * 7919 % MANY);
            }
            assert!(wheel.is_empty() || (moves == 0 && wheel.next_deadline().is_some_and(|next| next <= at(now))));
            turns += 1;
            // Half way one goes and one comes, from where they lie to where they belong.
            if turns == 50 {
                assert!(wheel.cancel(keys[7]).is_some());
                wheel.insert(at(2_000_000_000 + 7 * 7919 % MANY), 7);
            }
        }
        assert!(turns >= MANY / 100, "{turns} turns");
        assert!(fired.is_sorted() && fired.len() as u64 == MANY, "{} came due", fired.len());
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert { ahead: u64 },
        Cancel { which: usize },
        Reschedule { which: usize, ahead: u64 },
        Advance { by: u64 },
        AdvanceToNext,
    }

    /// Distances of every order of magnitude, from zero to years.
    fn distance() -> impl Strategy<Value = u64> {
        (0u32..58, any::<u64>()).prop_map(|(bits, random)| random & ((1u64 << bits) - 1))
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => distance().prop_map(|ahead| Step::Insert { ahead }),
            2 => any::<usize>().prop_map(|which| Step::Cancel { which }),
            3 => (any::<usize>(), distance()).prop_map(|(which, ahead)| Step::Reschedule { which, ahead }),
            1 => distance().prop_map(|by| Step::Advance { by }),
            3 => Just(Step::AdvanceToNext),
        ]
    }

    /// What comes due, in turns of a few moves each.
    fn poll(wheel: &mut Wheel<u32>, now: u64, moves: &mut usize) -> Option<u32> {
        loop {
            let fired = wheel.poll_expired(at(now), moves);
            if fired.is_some() || *moves > 0 {
                return fired;
            }
            *moves = 3;
        }
    }

    /// The same timers, kept in the plainest way.
    #[derive(Default)]
    struct Model {
        by_token: BTreeMap<u32, (u64, TimerKey)>,
    }

    impl Model {
        fn earliest(&self) -> Option<u64> {
            self.by_token.values().map(|(deadline, _)| *deadline).min()
        }

        fn pick(&self, which: usize) -> Option<(u32, TimerKey)> {
            let n = self.by_token.len();
            (n > 0).then(|| self.by_token.iter().nth(which % n).map(|(t, (_, k))| (*t, *k)).unwrap())
        }

        fn check_expiry(&mut self, wheel: &mut Wheel<u32>, now: u64) {
            let mut last = 0;
            // A few at a time, so that slots are left half empty.
            let mut moves = 3;
            while let Some(token) = poll(wheel, now, &mut moves) {
                let (deadline, _) = self.by_token.remove(&token).expect("fired twice or after cancel");
                assert!(deadline <= now, "fired early");
                assert!(deadline >= last, "fired out of order");
                last = deadline;
            }
            assert!(self.earliest().is_none_or(|earliest| earliest > now), "a due entry did not fire");
        }
    }

    proptest! {
        #[test]
        fn the_wheel_behaves_like_a_sorted_list(steps in prop::collection::vec(step(), 1..200), start in any::<u32>()) {
            let mut now = u64::from(start);
            let mut wheel = Wheel::new(at(now));
            let mut model = Model::default();
            let mut token = 0;
            for step in steps {
                match step {
                    Step::Insert { ahead } => {
                        token += 1;
                        let key = wheel.insert(at(now + ahead), token);
                        model.by_token.insert(token, (now + ahead, key));
                    }
                    Step::Cancel { which } => {
                        if let Some((token, key)) = model.pick(which) {
                            prop_assert_eq!(wheel.cancel(key), Some(token));
                            prop_assert_eq!(wheel.cancel(key), None);
                            model.by_token.remove(&token);
                        }
                    }
                    Step::Reschedule { which, ahead } => {
                        if let Some((token, key)) = model.pick(which) {
                            prop_assert!(wheel.reschedule(key, at(now + ahead)));
                            model.by_token.insert(token, (now + ahead, key));
                        }
                    }
                    Step::Advance { by } => {
                        now += by;
                        model.check_expiry(&mut wheel, now);
                    }
                    Step::AdvanceToNext => {
                        if let Some(next) = wheel.next_deadline() {
                            now = now.max(next.as_nanos());
                            model.check_expiry(&mut wheel, now);
                        }
                    }
                }
                prop_assert_eq!(wheel.len(), model.by_token.len());
                let earliest = model.earliest();
                prop_assert_eq!(wheel.next_deadline().is_some(), earliest.is_some());
                if let (Some(next), Some(earliest)) = (wheel.next_deadline(), earliest) {
                    prop_assert!(next.as_nanos() <= earliest, "would sleep past a deadline");
                }
            }
            // Following next_deadline alone reaches every entry in boundedly many wake-ups.
            let mut wakes = 0;
            while let Some(next) = wheel.next_deadline() {
                now = now.max(next.as_nanos());
                model.check_expiry(&mut wheel, now);
                wakes += 1;
                prop_assert!(wakes <= 200 * LEVELS, "no progress");
            }
            prop_assert!(model.by_token.is_empty());
        }
    }

    #[test]
    fn the_distance_of_an_entry_does_not_change_what_it_costs() {
        // Hours and days ahead are one slot like any other.
        let mut wheel = Wheel::new(at(0));
        let keep_alive = wheel.insert(Instant::ZERO + Duration::from_secs(7200), 1);
        let far = wheel.insert(Instant::ZERO + Duration::from_secs(400 * 86_400), 2);
        assert_eq!(wheel.cancel(keep_alive), Some(1));
        assert_eq!(wheel.cancel(far), Some(2));
        assert_eq!(wheel.occupied, [0; LEVELS]);
    }
}
