//! The queue in front of a bottleneck.

/// Which packets a full (or filling) queue refuses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum QueueDiscipline {
    /// First in, first out; a packet that does not fit is dropped.
    TailDrop {
        /// Bytes of waiting packets, IP headers included; the packet that is being sent has left the queue. At least one packet.
        limit: u64,
    },
}

impl QueueDiscipline {
    /// The most bytes that may wait.
    pub fn limit(&self) -> u64 {
        match self {
            QueueDiscipline::TailDrop { limit } => *limit,
        }
    }
}
