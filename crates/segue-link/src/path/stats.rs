//! What a path counts, in wire packets.

/// What one direction has done. A super-segment counts as the wire packets it stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DirectionStats {
    /// Wire packets that were given to this direction, the path's own answers included.
    pub packets_in: u64,
    /// Their bytes, IP headers included.
    pub bytes_in: u64,
    /// Wire packets that came out.
    pub packets_out: u64,
    /// Their bytes, IP headers included.
    pub bytes_out: u64,
    /// Dropped by the loss model, or because their number was listed.
    pub lost: u64,
    /// Copies made.
    pub duplicated: u64,
    /// Held back so that others overtake.
    pub reordered: u64,
    /// Damaged by a flipped bit; they may still be dropped by the queue.
    pub corrupted: u64,
    /// Dropped because the queue was full, or early by RED.
    pub queue_dropped: u64,
    /// Dropped by CoDel because packets had waited too long.
    pub codel_dropped: u64,
    /// Marked with CE, by a queue or by chance; they may still be dropped.
    pub marked: u64,
    /// Dropped because they were longer than the narrowest hop and must not be fragmented.
    pub too_big: u64,
    /// How many of those were answered with ICMP. A super-segment is answered once.
    pub too_big_answered: u64,
    /// IPv4 packets that were cut into fragments.
    pub fragmented: u64,
    /// The fragments that they became.
    pub fragments: u64,
    /// Dropped because 512 MiB were under way already.
    pub overflow: u64,
    /// Inside now: queued or under way.
    pub inside: u64,
    /// Bytes that wait for the bottleneck now.
    pub queue_bytes: u64,
}

impl DirectionStats {
    /// Packets that went in, or were made inside, and will not come out.
    pub fn dropped(&self) -> u64 {
        self.lost + self.queue_dropped + self.codel_dropped + self.too_big + self.overflow
    }
}

/// What a path has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PathStats {
    /// From A to B.
    pub a_to_b: DirectionStats,
    /// From B to A.
    pub b_to_a: DirectionStats,
}
