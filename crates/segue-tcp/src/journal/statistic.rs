//! What a connection counts, under Linux's names.

macro_rules! statistics {
    ($($variant:ident $counter:literal $words:literal,)*) => {
        /// Something that a connection counts and Linux has a counter for (`nstat`).
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[non_exhaustive]
        pub enum Statistic {
            $(#[doc = $words] $variant,)*
        }

        impl Statistic {
            /// Every one, in the order of the enum.
            pub const ALL: &'static [Statistic] = &[$(Statistic::$variant,)*];

            /// Linux's name of the counter.
            pub const fn counter(self) -> &'static str {
                match self {
                    $(Statistic::$variant => $counter,)*
                }
            }

            /// What is counted.
            pub const fn words(self) -> &'static str {
                match self {
                    $(Statistic::$variant => $words,)*
                }
            }
        }
    };
}

statistics! {
    DelayedAckLost "TcpExtDelayedACKLost" "Segments that came again whole: an acknowledgment was lost or late.",
    ChallengeSkipped "TcpExtTCPACKSkippedChallenge" "Challenge acknowledgments that `tcp_invalid_ratelimit` kept back.",
    SequenceSkipped "TcpExtTCPACKSkippedSeq" "Answers to segments outside the window that `tcp_invalid_ratelimit` kept back.",
    PawsSkipped "TcpExtTCPACKSkippedPAWS" "Answers to segments with old timestamps that `tcp_invalid_ratelimit` kept back.",
    OutOfOrderQueued "TcpExtTCPOFOQueue" "Segments queued out of order.",
    OutOfOrderMerged "TcpExtTCPOFOMerge" "Segments out of order that held nothing new.",
    DsackOldSent "TcpExtTCPDSACKOldSent" "D-SACKs sent for old duplicates.",
    DsackOfoSent "TcpExtTCPDSACKOfoSent" "D-SACKs sent for duplicates of out-of-order data.",
    DeliveredCe "TcpExtTCPDeliveredCE" "Segments of ours that arrived and had met congestion.",
    AckCompressed "TcpExtTCPAckCompressed" "Duplicate acknowledgments that were not sent because a later one told more.",
}
