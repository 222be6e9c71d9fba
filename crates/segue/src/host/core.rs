//! What one lock guards: the stack, its links, who waits for what, and the alarm clock.
//!
//! Decides what happens after every call into the stack (packets to links, events to wakers, alarm set) and how much of
//! it at once. Does not sleep: that is the driver's.
//! Invariants: the lock is not held while wakers run or are dropped; after every flush either everything is sent, or a
//! link is full, or the driver has been woken to go on.
use core::task::Waker;
use core::time::Duration;
use std::io;

use segue_stack::{IfaceId, Instant, Ready, SocketId, Stack, State, TcpDecision};
use segue_tcp::State as TcpState;

use super::iface::Iface;
use super::sleepers::Sleepers;
use super::timer::Timer;
use super::waiters::{Place, WaiterTable, WakeList};
use crate::clock;
use crate::gateway::AnyTable;

/// How much is sent at once.
#[derive(Clone, Copy)]
pub(crate) struct SendBudget {
    /// Packets or super-segments.
    pub(crate) packets: usize,
    /// Their bytes: the packet that reaches it is the last.
    pub(crate) bytes: usize,
}

/// What one call of an application sends in its own context before the driver takes over.
pub(crate) const CALLER_BUDGET: SendBudget = SendBudget { packets: 64, bytes: 4 << 20 };

/// How often timers are served while the only link is full: the stack then always has something to send and says so in
/// place of its next timer.
const FULL_LINK_TICK: Duration = Duration::from_millis(1);

/// How often at most a host that is ending looks whether its connections have had their say.
const ENDING_TICK: Duration = Duration::from_millis(2);

/// How far the life of a host has come.
pub(crate) enum Life {
    Running,
    /// Sockets are closed; what they still owe is sent, until the deadline if there is one.
    /// `looked`: when it was last looked whether they are done; `again`: something has happened since.
    Ending {
        deadline: Option<Instant>,
        looked: Option<Instant>,
        again: bool,
    },
    /// The driver is gone. `unfinished`: connections whose end had not been acknowledged.
    Ended {
        unfinished: usize,
    },
}

pub(crate) struct Core {
    pub(crate) stack: Stack,
    pub(crate) ifaces: Vec<Iface>,
    pub(crate) waiters: WaiterTable,
    pub(crate) sleepers: Sleepers,
    pub(crate) any: AnyTable,
    pub(crate) life: Life,
    pub(crate) timer: Timer,
    /// When the stack was last told what the machine's clocks say.
    clocks_told: Instant,
    /// The driver, while it sleeps.
    pub(crate) driver: Option<Waker>,
    /// Is told what connections decide.
    decisions: Option<DecisionListener>,
    /// Who waits for the end of the host.
    mourners: Vec<Waker>,
}

/// Is told what connections decide about loss and congestion.
pub(crate) type DecisionListener = Box<dyn FnMut(&TcpDecision) + Send>;

impl Core {
    pub(crate) fn new(stack: Stack, ifaces: Vec<Iface>, timer: Timer) -> Core {
        Core {
            stack,
            ifaces,
            waiters: WaiterTable::default(),
            sleepers: Sleepers::default(),
            any: AnyTable::default(),
            life: Life::Running,
            timer,
            clocks_told: Instant::ZERO,
            driver: None,
            decisions: None,
            mourners: Vec::new(),
        }
    }

    /// Keeps the stack's idea of the machine's clocks true.
    pub(crate) fn follow_clocks(&mut self, now: Instant) {
        if now.saturating_duration_since(self.clocks_told) >= clock::TOLD_EVERY {
            self.clocks_told = now;
            clock::tell(&mut self.stack);
        }
    }

    /// From now on the listener is told.
    pub(crate) fn on_decision(&mut self, listener: DecisionListener) {
        self.stack.trace_decisions();
        self.decisions = Some(listener);
    }

    /// Registers a waiter for a socket; an error when nothing will ever happen again.
    pub(crate) fn wait(&mut self, id: SocketId, place: Place, interest: Ready, waker: &Waker) -> io::Result<()> {
        self.check_alive()?;
        self.waiters.wait(id, place, interest, waker);
        Ok(())
    }

    /// `ENETDOWN` once the driver is gone: nothing moves any more.
    pub(crate) fn check_alive(&self) -> io::Result<()> {
        match self.life {
            Life::Ended { .. } => Err(crate::io_error(segue_stack::Errno::ENETDOWN)),
            Life::Running | Life::Ending { .. } => Ok(()),
        }
    }

    /// Sends what the stack has, up to the budget, tells waiters, sets the alarm. Returns whether the driver has
    /// something to do at once: the budget ended it, a link has become full, a deadline has passed.
    pub(crate) fn flush(&mut self, now: Instant, wakes: &mut WakeList, budget: SendBudget) -> bool {
        if matches!(self.life, Life::Ended { .. }) {
            return false;
        }
        let exhausted = self.transmit(now, budget);
        while let Some(event) = self.stack.poll_event() {
            self.waiters.notify(event, wakes);
            self.any.on_event(&mut self.stack, now, event, wakes);
        }
        if let Some(listener) = &mut self.decisions {
            while let Some(decision) = self.stack.poll_decision() {
                listener(&decision);
            }
        }
        let due = self.set_alarm(now);
        exhausted || due
    }

    /// Same, in the context of an application's call: what is left is the driver's.
    pub(crate) fn flush_for_caller(&mut self, now: Instant, wakes: &mut WakeList) {
        if self.flush(now, wakes, CALLER_BUDGET) {
            self.driver.take().into_iter().for_each(|driver| wakes.push(driver));
        }
    }

    fn transmit(&mut self, now: Instant, budget: SendBudget) -> bool {
        let SendBudget { mut packets, mut bytes } = budget;
        while !self.is_stopped() {
            if packets == 0 || bytes == 0 {
                break;
            }
            let Some((iface, packet)) = self.stack.poll_transmit(now) else { break };
            packets -= 1;
            bytes = bytes.saturating_sub(packet.len());
            if let Some(iface) = self.iface(iface) {
                iface.send(now, packet);
            }
        }
        let mut news = false;
        for iface in &mut self.ifaces {
            iface.flush(now);
            news |= iface.take_news();
        }
        packets == 0 || bytes == 0 || news
    }

    /// A single interface that is full stops the stack's output (see [`Iface`]).
    fn is_stopped(&self) -> bool {
        matches!(&self.ifaces[..], [only] if only.is_full())
    }

    fn iface(&mut self, id: IfaceId) -> Option<&mut Iface> {
        // A handful at most; the first is nearly always the one.
        self.ifaces.iter_mut().find(|iface| iface.id == id)
    }

    /// Sets the alarm to the earliest deadline there is. True: something is due already.
    pub(crate) fn set_alarm(&mut self, now: Instant) -> bool {
        let stack = match self.stack.next_deadline() {
            Some(at) if at <= now && self.is_stopped() => Some(now + FULL_LINK_TICK),
            other => other,
        };
        let links =
            self.ifaces.iter().filter(|iface| iface.failed.is_none()).filter_map(|iface| iface.link.next_deadline());
        let life = match self.life {
            Life::Ending { deadline, looked, again } => {
                let look = looked.map_or(now, |looked| looked + ENDING_TICK);
                deadline.into_iter().chain(again.then_some(look)).min()
            }
            Life::Running | Life::Ended { .. } => None,
        };
        let earliest = links.chain(stack).chain(self.sleepers.next()).chain(life).min();
        match earliest {
            None => false,
            Some(at) if at <= now => true,
            // A clock that cannot be set is served by the driver coming back at once: slow, but nothing stops.
            Some(at) => self.timer.arm(now, at).is_err(),
        }
    }

    /// No socket of this host is held by anyone any more, or its owner wants it to end: close all, and let the
    /// connections have their say.
    pub(crate) fn begin_end(&mut self, now: Instant, deadline: Option<Instant>, wakes: &mut WakeList) {
        match &mut self.life {
            Life::Ended { .. } => return,
            Life::Ending { deadline: current, .. } => {
                // The earlier of two wishes.
                *current = match (*current, deadline) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            }
            Life::Running => self.life = Life::Ending { deadline, looked: None, again: true },
        }
        let open: Vec<SocketId> = self.stack.sockets(now).filter_map(|socket| socket.socket).collect();
        for id in open {
            // Closed in between, perhaps: then there is nothing to close.
            let _ = self.stack.close(now, id);
            self.waiters.close(id, wakes);
        }
        self.driver.take().into_iter().for_each(|driver| wakes.push(driver));
    }

    /// Resets every connection and ends at once.
    pub(crate) fn abort(&mut self, now: Instant, wakes: &mut WakeList) {
        let open: Vec<SocketId> = self.stack.sockets(now).filter_map(|socket| socket.socket).collect();
        for id in open {
            let _ = self.stack.abort(now, id);
            let _ = self.stack.close(now, id);
            self.waiters.close(id, wakes);
        }
        // One reset is one packet; a link that is full has no room for it.
        while self.flush(now, wakes, CALLER_BUDGET) && !self.is_stopped() {}
        let unfinished = self.unfinished(now, false);
        self.end(unfinished, wakes);
    }

    /// Whether a host that is ending is done, as of now. Looks at every socket, so not at every packet.
    pub(crate) fn check_end(&mut self, now: Instant, wakes: &mut WakeList) {
        let Life::Ending { deadline, looked, .. } = self.life else { return };
        let late = deadline.is_some_and(|deadline| deadline <= now);
        if !late && looked.is_some_and(|looked| now < looked + ENDING_TICK) {
            self.life = Life::Ending { deadline, looked, again: true };
            return;
        }
        let unfinished = self.unfinished(now, deadline.is_none());
        if unfinished == 0 || late {
            self.end(unfinished, wakes);
        } else {
            self.life = Life::Ending { deadline, looked: Some(now), again: false };
        }
    }

    /// Connections whose FIN is not acknowledged yet, or that still have data for the peer. `patient`: and those whose
    /// peer has not ended its direction, so that its FIN will be answered.
    pub(crate) fn unfinished(&self, now: Instant, patient: bool) -> usize {
        let owing = |state: &State| match state {
            State::Connection(TcpState::FinWait2) => patient,
            State::Connection(state) => !matches!(state, TcpState::TimeWait | TcpState::Closed | TcpState::SynReceived),
            State::Listen => false,
        };
        self.stack.sockets(now).filter(|socket| socket.state.as_ref().is_some_and(owing)).count()
    }

    /// The driver is gone, or goes now.
    pub(crate) fn end(&mut self, unfinished: usize, wakes: &mut WakeList) {
        if matches!(self.life, Life::Ended { .. }) {
            return;
        }
        self.life = Life::Ended { unfinished };
        self.waiters.end(wakes);
        self.sleepers.end(wakes);
        self.any.end(wakes);
        self.mourners.drain(..).for_each(|waker| wakes.push(waker));
        self.driver.take().into_iter().for_each(|driver| wakes.push(driver));
    }

    /// Waits for the end of the host.
    pub(crate) fn mourn(&mut self, waker: &Waker) {
        if !self.mourners.iter().any(|other| other.will_wake(waker)) {
            self.mourners.push(waker.clone());
        }
    }
}
