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
    DelayedAcks "TcpExtDelayedACKs" "Acknowledgments that left when their delay was over.",
    PruneCalled "TcpExtPruneCalled" "Times that more had come than the receive buffer holds.",
    ReceivePruned "TcpExtRcvPruned" "Segments refused because nothing made room for them.",
    OutOfOrderPruned "TcpExtOfoPruned" "Times that segments out of order were dropped to make room.",
    ReceiveCollapsed "TcpExtTCPRcvCollapsed" "Received packets saved by joining small ones.",
    ToZeroWindow "TcpExtTCPToZeroWindowAdv" "Times that the window was shut.",
    FromZeroWindow "TcpExtTCPFromZeroWindowAdv" "Times that the window was opened again.",
    WantZeroWindow "TcpExtTCPWantZeroWindowAdv" "Segments that would have shut the window had it not been promised.",
    DeliveredCe "TcpExtTCPDeliveredCE" "Segments of ours that arrived and had met congestion.",
    AckCompressed "TcpExtTCPAckCompressed" "Duplicate acknowledgments that were not sent because a later one told more.",
    SackDiscard "TcpExtTCPSACKDiscard" "SACK blocks that cannot be true.",
    SackReorder "TcpExtTCPSACKReorder" "Reordering seen by SACK.",
    RenoReorder "TcpExtTCPRenoReorder" "Reordering seen by duplicates that loss does not explain.",
    TimestampReorder "TcpExtTCPTSReorder" "Reordering seen by timestamps.",
    SackReneging "TcpExtTCPSACKReneging" "Timeouts with data at SND.UNA that the peer had said it held.",
    DsackReceived "TcpExtTCPDSACKRecv" "D-SACKs received for data below the acknowledgment.",
    DsackOfoReceived "TcpExtTCPDSACKOfoRecv" "D-SACKs received for data out of order.",
    DsackSegments "TcpExtTCPDSACKRecvSegs" "Segments that D-SACKs tell of.",
    DsackIgnoredOld "TcpExtTCPDSACKIgnoredOld" "D-SACKs for data from before the current recovery.",
    DsackIgnoredNoUndo "TcpExtTCPDSACKIgnoredNoUndo" "D-SACKs when there was nothing to take back.",
    DsackIgnoredDubious "TcpExtTCPDSACKIgnoredDubious" "D-SACKs that nothing of ours can have caused.",
    LossProbes "TcpExtTCPLossProbes" "Tail-loss probes sent.",
    LossProbeRecovery "TcpExtTCPLossProbeRecovery" "Losses that a tail-loss probe repaired.",
    SackRecovery "TcpExtTCPSackRecovery" "Fast recoveries with SACK.",
    RenoRecovery "TcpExtTCPRenoRecovery" "Fast recoveries without SACK.",
    SackRecoveryFail "TcpExtTCPSackRecoveryFail" "Timeouts in fast recovery with SACK.",
    RenoRecoveryFail "TcpExtTCPRenoRecoveryFail" "Timeouts in fast recovery without SACK.",
    LossFailures "TcpExtTCPLossFailures" "Timeouts in the recovery from a timeout.",
    SackFailures "TcpExtTCPSackFailures" "Timeouts with data out of order, with SACK.",
    RenoFailures "TcpExtTCPRenoFailures" "Timeouts with duplicates counted, without SACK.",
    LostRetransmit "TcpExtTCPLostRetransmit" "Retransmissions found lost.",
    FastRetransmit "TcpExtTCPFastRetrans" "Segments sent again in fast recovery.",
    SlowStartRetransmit "TcpExtTCPSlowStartRetrans" "Segments sent again in slow start after a timeout.",
    SpuriousTimeout "TcpExtTCPSpuriousRTOs" "Timeouts that F-RTO found needless.",
    FullUndo "TcpExtTCPFullUndo" "Reductions taken back at the end of fast recovery.",
    PartialUndo "TcpExtTCPPartialUndo" "Reductions taken back within fast recovery.",
    DsackUndo "TcpExtTCPDSACKUndo" "Reductions taken back because of D-SACKs.",
    KeepAliveProbes "TcpExtTCPKeepAlive" "Keep-alive probes sent.",
    WindowProbes "TcpExtTCPWinProbe" "Probes of a closed window sent.",
    MtuProbeSuccess "TcpExtTCPMTUPSuccess" "Probes of the path's MTU that arrived.",
    MtuProbeFail "TcpExtTCPMTUPFail" "Probes of the path's MTU that were lost.",
    LossUndo "TcpExtTCPLossUndo" "Reductions for a timeout taken back.",
}
