//! Who waits for which socket, and who is to be woken.
//!
//! A table indexed by the socket's slot: one place each for the task that polls the read half and the write half, and a
//! list for futures that wait on their own (accept, readable, …), each with a key so that it can leave when it is dropped.
//! Waking takes the waiter out; it looks again under the lock and comes back if there was nothing for it. As looking and
//! registering happen under the same lock as every change of the stack, no wake-up is lost.
//! Wakers are neither woken nor dropped under the lock: dropping one may drop a task, and with it a socket.
use core::task::Waker;

use segue_stack::{Ready, SocketEvent, SocketId};

/// Wakers collected under the lock, to be woken after it.
pub(crate) struct WakeList {
    few: [Option<Waker>; 6],
    used: usize,
    many: Vec<Waker>,
}

impl WakeList {
    pub(crate) const fn new() -> WakeList {
        WakeList { few: [const { None }; 6], used: 0, many: Vec::new() }
    }

    pub(crate) fn push(&mut self, waker: Waker) {
        match self.few.get_mut(self.used) {
            Some(place) => {
                *place = Some(waker);
                self.used += 1;
            }
            None => self.many.push(waker),
        }
    }

    /// Call without holding the lock.
    pub(crate) fn wake(self) {
        for waker in self.few.into_iter().flatten().chain(self.many) {
            waker.wake();
        }
    }
}

/// Which of a socket's places a waiter takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// The one task that polls for reading; a newer one takes its place.
    Reader,
    /// The one task that polls for writing; a newer one takes its place.
    Writer,
    /// A future of its own, with the key that [`WaiterTable::key`] gave it.
    Own(u64),
}

struct Waiting {
    key: u64,
    interest: Ready,
    waker: Waker,
}

#[derive(Default)]
struct Waiters {
    /// The whole name of the socket these wait for; a slot is reused by sockets with other names.
    socket: u64,
    reader: Option<Waker>,
    writer: Option<Waker>,
    others: Vec<Waiting>,
}

#[derive(Default)]
pub(crate) struct WaiterTable {
    slots: Vec<Waiters>,
    last_key: u64,
    /// Wakers that were replaced or removed, to be dropped after the lock.
    displaced: Vec<Waker>,
}

/// poll(2): errors and hang-ups are reported whether asked for or not.
fn always() -> Ready {
    Ready::ERR | Ready::HUP
}

fn reading() -> Ready {
    Ready::IN | Ready::PRI | Ready::RDHUP
}

impl WaiterTable {
    /// A key for a future that waits on its own.
    pub(crate) fn key(&mut self) -> u64 {
        self.last_key += 1;
        self.last_key
    }

    /// Registers `waker` until the next event that concerns it.
    pub(crate) fn wait(&mut self, socket: SocketId, place: Place, interest: Ready, waker: &Waker) {
        let index = socket.index();
        if index >= self.slots.len() {
            self.slots.resize_with(index + 1, Waiters::default);
        }
        let Some(slot) = self.slots.get_mut(index) else { return };
        if slot.socket != socket.as_u64() {
            drain(slot, &mut self.displaced);
            slot.socket = socket.as_u64();
        }
        let place = match place {
            Place::Reader => &mut slot.reader,
            Place::Writer => &mut slot.writer,
            Place::Own(key) => {
                match slot.others.iter_mut().find(|waiting| waiting.key == key) {
                    Some(waiting) => {
                        waiting.interest = interest;
                        if !waiting.waker.will_wake(waker) {
                            self.displaced.push(std::mem::replace(&mut waiting.waker, waker.clone()));
                        }
                    }
                    None => slot.others.push(Waiting { key, interest, waker: waker.clone() }),
                }
                return;
            }
        };
        if !place.as_ref().is_some_and(|old| old.will_wake(waker)) {
            self.displaced.extend(place.replace(waker.clone()));
        }
    }

    /// A future that waited on its own is gone.
    pub(crate) fn leave(&mut self, socket: SocketId, key: u64) {
        if let Some(slot) = self.slots.get_mut(socket.index())
            && slot.socket == socket.as_u64()
            && let Some(position) = slot.others.iter().position(|waiting| waiting.key == key)
        {
            self.displaced.push(slot.others.swap_remove(position).waker);
        }
    }

    /// The socket is closed: whoever still waits for it is woken and finds that out.
    pub(crate) fn close(&mut self, socket: SocketId, wakes: &mut WakeList) {
        if let Some(slot) = self.slots.get_mut(socket.index())
            && slot.socket == socket.as_u64()
        {
            wake_all(slot, wakes);
            // A burst of waiters must not leave its capacity behind in every slot.
            slot.others = Vec::new();
        }
    }

    /// Collects everyone whom an event concerns.
    pub(crate) fn notify(&mut self, event: SocketEvent, wakes: &mut WakeList) {
        let Some(slot) = self.slots.get_mut(event.socket.index()) else { return };
        if slot.socket != event.socket.as_u64() {
            return;
        }
        if event.ready.intersects(reading() | always())
            && let Some(waker) = slot.reader.take()
        {
            wakes.push(waker);
        }
        if event.ready.intersects(Ready::OUT | always())
            && let Some(waker) = slot.writer.take()
        {
            wakes.push(waker);
        }
        for waiting in slot.others.extract_if(.., |waiting| event.ready.intersects(waiting.interest | always())) {
            wakes.push(waiting.waker);
        }
    }

    /// The host has ended: everyone is woken.
    pub(crate) fn end(&mut self, wakes: &mut WakeList) {
        for slot in &mut self.slots {
            wake_all(slot, wakes);
        }
    }

    /// Wakers to drop after the lock. Usually none, which costs nothing.
    pub(crate) fn take_displaced(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.displaced)
    }
}

fn wake_all(slot: &mut Waiters, wakes: &mut WakeList) {
    slot.reader.take().into_iter().for_each(|waker| wakes.push(waker));
    slot.writer.take().into_iter().for_each(|waker| wakes.push(waker));
    slot.others.drain(..).for_each(|waiting| wakes.push(waiting.waker));
}

fn drain(slot: &mut Waiters, into: &mut Vec<Waker>) {
    into.extend(slot.reader.take());
    into.extend(slot.writer.take());
    into.extend(slot.others.drain(..).map(|waiting| waiting.waker));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use segue_stack::{Domain, SocketType, Stack, StackConfig};

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A waker and a look at how often it was woken.
    fn counted() -> (Waker, impl Fn() -> usize) {
        let count = Arc::new(Count::default());
        (Waker::from(count.clone()), move || count.0.load(Ordering::Relaxed))
    }

    fn socket() -> (Stack, SocketId) {
        let mut stack = Stack::new(StackConfig::new([1; 32]), crate::now());
        let id = stack.socket(Domain::Inet, SocketType::Stream).unwrap();
        (stack, id)
    }

    fn notify(table: &mut WaiterTable, socket: SocketId, ready: Ready) {
        let mut wakes = WakeList::new();
        table.notify(SocketEvent { socket, ready }, &mut wakes);
        wakes.wake();
    }

    #[test]
    fn an_event_wakes_whom_it_concerns_once() {
        let (_stack, id) = socket();
        let mut table = WaiterTable::default();
        let ((reader, reads), (writer, writes), (own, owns)) = (counted(), counted(), counted());
        table.wait(id, Place::Reader, Ready::IN, &reader);
        table.wait(id, Place::Writer, Ready::OUT, &writer);
        let key = table.key();
        table.wait(id, Place::Own(key), Ready::PRI, &own);
        notify(&mut table, id, Ready::IN);
        assert_eq!((reads(), writes(), owns()), (1, 0, 0));
        notify(&mut table, id, Ready::IN | Ready::OUT);
        assert_eq!((reads(), writes(), owns()), (1, 1, 0));
        notify(&mut table, id, Ready::HUP);
        assert_eq!((reads(), writes(), owns()), (1, 1, 1));
    }

    #[test]
    fn a_newer_task_takes_the_place_of_the_one_before() {
        let (_stack, id) = socket();
        let mut table = WaiterTable::default();
        let ((old, olds), (new, news)) = (counted(), counted());
        table.wait(id, Place::Reader, Ready::IN, &old);
        table.wait(id, Place::Reader, Ready::IN, &old);
        assert!(table.take_displaced().is_empty(), "the same task again displaces nobody");
        table.wait(id, Place::Reader, Ready::IN, &new);
        assert_eq!(table.take_displaced().len(), 1);
        notify(&mut table, id, Ready::IN);
        assert_eq!((olds(), news()), (0, 1));
    }

    #[test]
    fn a_future_that_left_is_not_woken_and_others_are() {
        let (_stack, id) = socket();
        let mut table = WaiterTable::default();
        let ((gone, gones), (stays, stay)) = (counted(), counted());
        let keys = [table.key(), table.key()];
        table.wait(id, Place::Own(keys[0]), Ready::IN, &gone);
        table.wait(id, Place::Own(keys[1]), Ready::IN, &stays);
        table.leave(id, keys[0]);
        assert_eq!(table.take_displaced().len(), 1);
        notify(&mut table, id, Ready::IN);
        assert_eq!((gones(), stay()), (0, 1));
    }

    #[test]
    fn a_slot_that_is_used_again_wakes_nobody_of_the_socket_before() {
        let (mut stack, first) = socket();
        let mut table = WaiterTable::default();
        let ((old, olds), (new, news)) = (counted(), counted());
        table.wait(first, Place::Reader, Ready::IN, &old);
        stack.close(crate::now(), first).unwrap();
        let second = stack.socket(Domain::Inet, SocketType::Stream).unwrap();
        assert_eq!(first.index(), second.index());
        notify(&mut table, second, Ready::IN);
        table.wait(second, Place::Reader, Ready::IN, &new);
        notify(&mut table, first, Ready::IN);
        assert_eq!((olds(), news()), (0, 0));
        notify(&mut table, second, Ready::IN);
        assert_eq!((olds(), news()), (0, 1));
    }

    #[test]
    fn closing_wakes_everyone_who_waited() {
        let (_stack, id) = socket();
        let mut table = WaiterTable::default();
        let counts: Vec<_> = (0..10)
            .map(|_| {
                let (waker, count) = counted();
                let key = table.key();
                table.wait(id, Place::Own(key), Ready::IN, &waker);
                count
            })
            .collect();
        let mut wakes = WakeList::new();
        table.close(id, &mut wakes);
        wakes.wake();
        assert!(counts.iter().all(|count| count() == 1));
    }
}
