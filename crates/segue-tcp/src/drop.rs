//! Why a segment was not taken, each with the name of its counter.

/// Why an arriving segment was dropped.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum DropReason {
    /// Neither ACK, RST nor SYN.
    NoFlags,
    /// A timestamp older than the last one seen (PAWS, RFC 7323 section 5.3).
    Paws,
    /// Wholly left of the receive window: an old duplicate.
    OldSequence,
    /// Right of the receive window.
    BeyondWindow,
    /// Text for a window of zero.
    ZeroWindow,
    /// A RST whose sequence number is in the window but not exact (RFC 5961 section 3).
    ChallengedReset,
    /// A RST outside the window.
    InvalidReset,
    /// A SYN on a synchronised connection (RFC 5961 section 4).
    ChallengedSyn,
    /// Acknowledges data that were never sent.
    AckUnsent,
    /// Acknowledges data so old that it cannot be honest (RFC 5961 section 5).
    AckTooOld,
    /// The handshake's ACK does not acknowledge our SYN.
    BadHandshakeAck,
    /// The segment has no ACK where one is needed.
    NoAck,
    /// Text or a FIN behind the peer's FIN.
    BehindFin,
    /// Text for a reader that has closed; the connection is reset.
    AfterClose,
    /// Out-of-order text was refused or pruned because memory is short.
    OutOfMemory,
    /// Text in order for a reader that has left twice its buffer unread.
    QueueFull,
    /// Out-of-order text that is already there.
    Duplicate,
    /// A repeated SYN of a connection being opened.
    RepeatedSyn,
    /// The connection does not exist any more.
    Closed,
    /// An acceptable RST ended the connection.
    Reset,
    /// TIME-WAIT does not let this through.
    TimeWait,
    /// The handshake's ACK has no data, for which its listener waits (`TCP_DEFER_ACCEPT`).
    DeferAccept,
    /// A bare acknowledgment that was overtaken, by its timestamp and its number.
    PawsOldAck,
    /// The handshake's ACK echoes a timestamp that no SYN-ACK had.
    EchoRefused,
    /// The answer to a SYN echoes a timestamp that no SYN of this attempt had.
    StaleEcho,
}

impl DropReason {
    /// Every reason.
    pub const ALL: &'static [DropReason] = &[
        DropReason::NoFlags,
        DropReason::Paws,
        DropReason::OldSequence,
        DropReason::BeyondWindow,
        DropReason::ZeroWindow,
        DropReason::ChallengedReset,
        DropReason::InvalidReset,
        DropReason::ChallengedSyn,
        DropReason::AckUnsent,
        DropReason::AckTooOld,
        DropReason::BadHandshakeAck,
        DropReason::NoAck,
        DropReason::BehindFin,
        DropReason::AfterClose,
        DropReason::OutOfMemory,
        DropReason::QueueFull,
        DropReason::Duplicate,
        DropReason::RepeatedSyn,
        DropReason::Closed,
        DropReason::Reset,
        DropReason::TimeWait,
        DropReason::DeferAccept,
        DropReason::PawsOldAck,
        DropReason::EchoRefused,
        DropReason::StaleEcho,
    ];

    /// Name of the counter: Linux's (`nstat`) where it has one, `TcpSegue…` otherwise.
    pub const fn counter(self) -> &'static str {
        match self {
            DropReason::NoFlags => "TcpSegueNoFlags",
            DropReason::Paws => "TcpExtPAWSEstab",
            DropReason::OldSequence => "TcpSegueOldSequence",
            DropReason::BeyondWindow => "TcpExtBeyondWindow",
            DropReason::ZeroWindow => "TcpExtTCPZeroWindowDrop",
            DropReason::ChallengedReset => "TcpSegueChallengedReset",
            DropReason::InvalidReset => "TcpSegueInvalidReset",
            DropReason::ChallengedSyn => "TcpExtTCPSYNChallenge",
            DropReason::AckUnsent => "TcpSegueAckUnsent",
            DropReason::AckTooOld => "TcpSegueAckTooOld",
            DropReason::BadHandshakeAck => "TcpSegueBadHandshakeAck",
            DropReason::NoAck => "TcpSegueNoAck",
            DropReason::BehindFin => "TcpSegueBehindFin",
            DropReason::AfterClose => "TcpExtTCPAbortOnData",
            DropReason::OutOfMemory => "TcpExtTCPOFODrop",
            DropReason::QueueFull => "TcpExtTCPRcvQDrop",
            DropReason::Duplicate => "TcpSegueDuplicate",
            DropReason::RepeatedSyn => "TcpSegueRepeatedSyn",
            DropReason::Closed => "TcpSegueClosed",
            DropReason::Reset => "TcpEstabResets",
            DropReason::TimeWait => "TcpSegueTimeWait",
            DropReason::DeferAccept => "TcpExtTCPDeferAcceptDrop",
            DropReason::PawsOldAck => "TcpExtPAWSOldAck",
            DropReason::EchoRefused => "TcpExtTSEcrRejected",
            DropReason::StaleEcho => "TcpExtPAWSActive",
        }
    }
}
