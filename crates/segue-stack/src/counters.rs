//! What happened how often, under the names that Linux's `nstat` prints; events that Linux has no name for begin with
//! `Segue`.
//!
//! Decides names and order only. Whoever makes the event happen counts it, once, in one place.
//! Invariants: incrementing is one add to one word; values only grow (wrapping after 2⁶⁴); every name occurs once.

use segue_tcp::{DropReason, Statistic};

macro_rules! counters {
    ($($variant:ident $words:literal,)*) => {
        /// One countable event. The variant's name is the name under which it is listed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        #[non_exhaustive]
        pub enum Counter {
            $(#[doc = $words] $variant,)*
        }

        impl Counter {
            /// Every counter, in the order in which they are listed.
            pub const ALL: &'static [Counter] = &[$(Counter::$variant,)*];

            /// The name, as `nstat` prints it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Counter::$variant => stringify!($variant),)*
                }
            }

            /// What is counted.
            pub const fn words(self) -> &'static str {
                match self {
                    $(Counter::$variant => $words,)*
                }
            }
        }
    };
}

counters! {
    // RFC 4293, IPv4.
    IpInReceives "IPv4 packets received, faulty ones included.",
    IpInHdrErrors "IPv4 packets dropped for a faulty header.",
    IpInAddrErrors "IPv4 packets dropped because the destination is not this host.",
    IpInUnknownProtos "IPv4 packets dropped because nothing here speaks their protocol.",
    IpInDelivers "IPv4 packets handed to TCP, UDP or ICMP.",
    IpOutRequests "IPv4 packets that TCP, UDP or ICMP asked to send.",
    IpOutDiscards "Outgoing IPv4 packets dropped for want of room.",
    IpOutNoRoutes "Outgoing IPv4 packets dropped because no route leads to the destination.",
    IpReasmTimeout "IPv4 datagrams whose fragments did not all come in time.",
    IpReasmReqds "IPv4 fragments received.",
    IpReasmOKs "IPv4 datagrams put together.",
    IpReasmFails "IPv4 fragments and half-assembled datagrams given up, for whatever reason.",
    IpFragOKs "IPv4 datagrams cut into fragments.",
    IpFragFails "IPv4 datagrams that would have had to be cut but must not be.",
    IpFragCreates "IPv4 fragments made.",
    IpExtInTruncatedPkts "IPv4 packets shorter than their header says.",
    IpExtInCsumErrors "IPv4 packets dropped for a wrong header checksum.",
    IpExtReasmOverlaps "IPv4 fragments refused because they overlap others.",
    IpExtInNoECTPkts "IPv4 packets received that say Not-ECT.",
    IpExtInECT1Pkts "IPv4 packets received that say ECT(1).",
    IpExtInECT0Pkts "IPv4 packets received that say ECT(0).",
    IpExtInCEPkts "IPv4 packets received that met congestion (CE).",
    IpExtInOctets "Bytes of IPv4 packets received, IP headers included.",
    IpExtOutOctets "Bytes of IPv4 packets sent, IP headers included.",
    IpExtInMcastPkts "IPv4 packets received that were sent to a group.",
    IpExtOutMcastPkts "IPv4 packets sent to a group.",
    IpExtInMcastOctets "Bytes of IPv4 packets received that were sent to a group.",
    IpExtOutMcastOctets "Bytes of IPv4 packets sent to a group.",
    IpExtInBcastPkts "IPv4 packets received that were sent to everybody on the link.",
    IpExtOutBcastPkts "IPv4 packets sent to everybody on the link.",
    IpExtInBcastOctets "Bytes of IPv4 packets received that were sent to everybody on the link.",
    IpExtOutBcastOctets "Bytes of IPv4 packets sent to everybody on the link.",
    IpOutTransmits "IPv4 packets that left, fragments one by one.",
    // RFC 4293, IPv6.
    Ip6InReceives "IPv6 packets received, faulty ones included.",
    Ip6InHdrErrors "IPv6 packets dropped for a faulty header.",
    Ip6InAddrErrors "IPv6 packets dropped because the destination is not this host.",
    Ip6InUnknownProtos "IPv6 packets dropped because nothing here speaks their protocol.",
    Ip6InTruncatedPkts "IPv6 packets shorter than their header says.",
    Ip6InDelivers "IPv6 packets handed to TCP, UDP or ICMPv6.",
    Ip6OutRequests "IPv6 packets that TCP, UDP or ICMPv6 asked to send.",
    Ip6OutDiscards "Outgoing IPv6 packets dropped for want of room.",
    Ip6OutNoRoutes "Outgoing IPv6 packets dropped because no route leads to the destination.",
    Ip6ReasmTimeout "IPv6 datagrams whose fragments did not all come in time.",
    Ip6ReasmReqds "IPv6 fragments received.",
    Ip6ReasmOKs "IPv6 datagrams put together.",
    Ip6ReasmFails "IPv6 fragments and half-assembled datagrams given up, for whatever reason.",
    Ip6FragOKs "IPv6 datagrams cut into fragments.",
    Ip6FragFails "IPv6 datagrams that could not be cut.",
    Ip6FragCreates "IPv6 fragments made.",
    Ip6InNoECTPkts "IPv6 packets received that say Not-ECT.",
    Ip6InECT1Pkts "IPv6 packets received that say ECT(1).",
    Ip6InECT0Pkts "IPv6 packets received that say ECT(0).",
    Ip6InCEPkts "IPv6 packets received that met congestion (CE).",
    Ip6InOctets "Bytes of IPv6 packets received, IP headers included.",
    Ip6OutOctets "Bytes of IPv6 packets sent, IP headers included.",
    Ip6InMcastPkts "IPv6 packets received that were sent to a group.",
    Ip6OutMcastPkts "IPv6 packets sent to a group.",
    Ip6InMcastOctets "Bytes of IPv6 packets received that were sent to a group.",
    Ip6OutMcastOctets "Bytes of IPv6 packets sent to a group.",
    Ip6OutTransmits "IPv6 packets that left, fragments one by one.",
    // ICMP.
    IcmpInMsgs "ICMP messages received, faulty ones included.",
    IcmpInErrors "ICMP messages dropped as faulty.",
    IcmpInCsumErrors "ICMP messages dropped for a wrong checksum.",
    IcmpInDestUnreachs "ICMP destination unreachable received.",
    IcmpInTimeExcds "ICMP time exceeded received.",
    IcmpInParmProbs "ICMP parameter problem received.",
    IcmpInSrcQuenchs "ICMP source quench received (and ignored, RFC 6633).",
    IcmpInRedirects "ICMP redirect received.",
    IcmpInEchos "ICMP echo requests received.",
    IcmpInEchoReps "ICMP echo replies received.",
    IcmpOutMsgs "ICMP messages sent.",
    IcmpOutRateLimitGlobal "ICMP and ICMPv6 messages not sent because of `icmp_msgs_per_sec`.",
    IcmpOutRateLimitHost "ICMP messages not sent because their receiver had enough of them (`icmp_ratelimit`).",
    IcmpOutDestUnreachs "ICMP destination unreachable sent.",
    IcmpOutTimeExcds "ICMP time exceeded sent.",
    IcmpOutEchos "ICMP echo requests sent.",
    IcmpOutEchoReps "ICMP echo replies sent.",
    // ICMPv6.
    Icmp6InMsgs "ICMPv6 messages received, faulty ones included.",
    Icmp6InErrors "ICMPv6 messages dropped as faulty.",
    Icmp6InCsumErrors "ICMPv6 messages dropped for a wrong checksum.",
    Icmp6InDestUnreachs "ICMPv6 destination unreachable received.",
    Icmp6InPktTooBigs "ICMPv6 packet too big received.",
    Icmp6InTimeExcds "ICMPv6 time exceeded received.",
    Icmp6InParmProblems "ICMPv6 parameter problem received.",
    Icmp6InEchos "ICMPv6 echo requests received.",
    Icmp6InEchoReplies "ICMPv6 echo replies received.",
    Icmp6InNeighborSolicits "ICMPv6 neighbour solicitations received.",
    Icmp6InNeighborAdvertisements "ICMPv6 neighbour advertisements received.",
    Icmp6OutMsgs "ICMPv6 messages sent.",
    Icmp6OutRateLimitHost "ICMPv6 messages not sent because their receiver had enough of them (`icmp.ratelimit`).",
    Icmp6OutDestUnreachs "ICMPv6 destination unreachable sent.",
    Icmp6OutTimeExcds "ICMPv6 time exceeded sent.",
    Icmp6OutParmProblems "ICMPv6 parameter problem sent.",
    Icmp6OutEchos "ICMPv6 echo requests sent.",
    Icmp6OutEchoReplies "ICMPv6 echo replies sent.",
    // RFC 4022, TCP.
    TcpActiveOpens "Connections opened from here.",
    TcpPassiveOpens "Connections opened by peers.",
    TcpAttemptFails "Connections that ended before they were established.",
    TcpEstabResets "Established connections that ended by a reset.",
    TcpInSegs "Segments received, faulty ones included.",
    TcpOutSegs "Segments sent, without those that carry only data sent before.",
    TcpRetransSegs "Segments sent again.",
    TcpInErrs "Segments received with an error.",
    TcpOutRsts "Resets sent.",
    TcpInCsumErrors "Segments dropped for a wrong checksum.",
    // UDP.
    UdpInDatagrams "UDP datagrams handed to a socket.",
    UdpNoPorts "UDP datagrams to a port that nobody is bound to.",
    UdpInErrors "UDP datagrams dropped for other reasons.",
    UdpOutDatagrams "UDP datagrams sent.",
    UdpRcvbufErrors "UDP datagrams dropped because the socket's receive buffer was full.",
    UdpSndbufErrors "UDP datagrams not sent because the send buffer was full.",
    UdpMemErrors "UDP datagrams dropped because the stack's memory was used up.",
    UdpInCsumErrors "UDP datagrams dropped for a wrong checksum.",
    Udp6InDatagrams "UDP datagrams over IPv6 handed to a socket.",
    Udp6NoPorts "UDP datagrams over IPv6 to a port that nobody is bound to.",
    Udp6InErrors "UDP datagrams over IPv6 dropped for other reasons.",
    Udp6OutDatagrams "UDP datagrams over IPv6 sent.",
    Udp6RcvbufErrors "UDP datagrams over IPv6 dropped because the socket's receive buffer was full.",
    Udp6SndbufErrors "UDP datagrams over IPv6 not sent because the send buffer was full.",
    Udp6MemErrors "UDP datagrams over IPv6 dropped because the stack's memory was used up.",
    Udp6InCsumErrors "UDP datagrams over IPv6 dropped for a wrong checksum.",
    // Linux's extensions for TCP: opening and queues.
    TcpExtEmbryonicRsts "Resets received for a connection in SYN-RECEIVED.",
    TcpExtListenOverflows "Handshakes completed while the accept queue was full.",
    TcpExtListenDrops "SYNs and handshakes that a listener dropped, for whatever reason.",
    TcpExtTCPReqQFullDoCookies "SYNs answered with a cookie because the SYN queue was full, or because of `tcp_syncookies` 2.",
    TcpExtSyncookiesSent "SYN cookies sent.",
    TcpExtSyncookiesRecv "Good SYN cookies received.",
    TcpExtSyncookiesFailed "Acknowledgements with a SYN cookie that is not ours or too old.",
    TcpExtTCPReqQFullDrop "SYNs dropped because the SYN queue was full.",
    TcpExtTCPSynRetrans "SYNs and SYN-ACKs sent again.",
    TcpExtTCPMigrateReqSuccess "Connections that moved to another listener of a group when theirs ended.",
    TcpExtTCPMigrateReqFailure "Connections that could not move because the other listener's queue was full.",
    TcpExtTCPAbortOnOverflow "Handshakes answered with a reset because of `tcp_abort_on_overflow`.",
    // Fast Open.
    TcpExtTCPFastOpenActive "Connections from here whose data were acknowledged together with the SYN.",
    TcpExtTCPFastOpenActiveFail "Connections from here whose data in the SYN had to be sent again.",
    TcpExtTCPFastOpenPassive "Connections opened at once by a SYN with data or a cookie.",
    TcpExtTCPFastOpenPassiveFail "SYNs whose cookie was not good, or that could not be given a connection at once.",
    TcpExtTCPFastOpenListenOverflow "SYNs answered by a plain handshake because too many others had opened connections at once.",
    TcpExtTCPFastOpenCookieReqd "SYNs that asked for a cookie.",
    TcpExtTCPFastOpenBlackhole "Times that Fast Open was paused because the network seemed to swallow it.",
    TcpExtTCPFastOpenPassiveAltKey "Connections opened at once by a cookie of the backup key.",
    // Old duplicates and challenges.
    TcpExtPAWSEstab "Segments of established connections dropped for their timestamp.",
    TcpExtTCPSYNChallenge "Challenge acknowledgements sent for a SYN within a connection.",
    TcpExtTCPChallengeACK "Challenge acknowledgements sent (RFC 5961).",
    TcpExtOutOfWindowIcmps "ICMP errors ignored because they quote a sequence number that is not in flight.",
    // Signed segments.
    TcpExtTCPMD5NotFound "Segments dropped because they had no MD5 digest where a key demands one.",
    TcpExtTCPMD5Unexpected "Segments dropped because they had an MD5 digest for which there is no key.",
    TcpExtTCPMD5Failure "Segments dropped because their MD5 digest was wrong.",
    TcpExtTCPAORequired "Segments dropped because they were not signed with TCP-AO where a key demands it.",
    TcpExtTCPAOBad "Segments dropped because their TCP-AO MAC was wrong.",
    TcpExtTCPAOKeyNotFound "Segments dropped because they name a TCP-AO key that is not there.",
    TcpExtTCPAOGood "Segments whose TCP-AO MAC was right.",
    TcpExtTCPAODroppedIcmps "ICMP errors ignored because the connection that they are about is signed.",
    // Moving data.
    TcpExtTCPOFODrop "Segments out of order dropped for want of receive buffer.",
    TcpExtTCPMinTTLDrop "Segments dropped because they had come further than `IP_MINTTL` allows.",
    TcpExtTCPOrigDataSent "Segments with data that were sent for the first time.",
    TcpExtTCPZeroWindowDrop "Segments dropped because the receive window was closed.",
    // Loss.
    TcpExtTCPTimeouts "Retransmission timeouts.",
    TcpExtTcpTimeoutRehash "Retransmission timeouts that chose another way through the network (the IPv6 flow label).",
    // Closing.
    TcpExtTW "Connections that ended in TIME-WAIT.",
    TcpExtTWRecycled "TIME-WAIT entries reused for a new connection.",
    TcpExtTCPTimeWaitOverflow "Connections that skipped TIME-WAIT because of `tcp_max_tw_buckets`.",
    TcpExtTCPAbortOnClose "Connections reset because data was unread at close.",
    TcpExtTCPAbortOnMemory "Connections reset for want of memory or because there were too many orphans.",
    TcpExtTCPMemoryPressures "Times that the memory of all connections together became short.",
    TcpExtTCPMemoryPressuresChrono "Milliseconds during which it was short.",
    TcpExtTCPAbortOnTimeout "Connections given up after a timeout.",
    TcpExtTCPAbortFailed "Resets that could not be sent.",
    // Without a name in Linux.
    SegueSoftnetDropped "Packets dropped because `netdev_max_backlog` others waited to be served: the second column of softnet_stat.",
    SegueSoftnetTimeSqueeze "Rounds of work that ended at `netdev_budget` or `netdev_budget_usecs` with packets waiting: the third column of softnet_stat.",
    SegueTcpNoConnection "Segments that belong to no connection and no listener.",
    SegueTcpMalformed "Segments dropped for a header that cannot be read.",
    SegueTcpBadSignatureOption "Segments dropped for a signature of illegal length, or for two of them.",
    SegueTcpContradictoryFlags "Segments dropped for flags that exclude each other.",
    SegueTcpNotUnicast "Segments dropped because they were sent to or from a broadcast or multicast address.",
    SegueTcpHeldSyns "SYNs held for a decision about accepting.",
    SegueTcpHeldSynsFull "SYNs dropped because too many were held for a decision.",
    SegueMemorySockets "Sockets and connections refused because the memory budget was used up.",
    SegueMemorySyns "SYNs dropped because the memory budget was used up.",
    SegueMemoryTimeWait "Connections that skipped TIME-WAIT because the memory budget was used up.",
    SegueMemoryHeldSyns "SYNs not held for a decision because the memory budget was used up.",
    SegueUdpMalformed "UDP datagrams dropped for a header that cannot be read.",
    SegueFragmentMalformed "Fragments dropped for a header that cannot be read.",
    SegueFragmentTiny "Fragments dropped because only the last one may be so short.",
    SegueFragmentTooLong "Fragments dropped because the datagram would exceed 65535 bytes.",
    SegueFragmentOverlap "Fragments dropped because they contradict what came before.",
    SegueFragmentLimit "Fragments dropped for want of reassembly memory.",
}

/// All counters of one stack.
#[derive(Clone, Debug)]
pub struct Counters {
    values: [u64; Counter::ALL.len()],
    drops: [u64; DropReason::ALL.len()],
    statistics: [u64; Statistic::ALL.len()],
}

impl Default for Counters {
    fn default() -> Self {
        Counters {
            values: [0; Counter::ALL.len()],
            drops: [0; DropReason::ALL.len()],
            statistics: [0; Statistic::ALL.len()],
        }
    }
}

impl Counters {
    /// Adds one.
    #[inline]
    pub fn inc(&mut self, counter: Counter) {
        self.add(counter, 1);
    }

    /// Adds `n`.
    #[inline]
    pub fn add(&mut self, counter: Counter, n: u64) {
        let value = &mut self.values[counter as usize];
        *value = value.wrapping_add(n);
    }

    /// Counts a segment that TCP dropped, under the reason's own name ([`DropReason::counter`]).
    #[inline]
    pub fn dropped(&mut self, reason: DropReason) {
        if let Some(value) = self.drops.get_mut(reason as usize) {
            *value = value.wrapping_add(1);
        }
    }

    /// Counts what a connection has noted, under its own name ([`Statistic::counter`]).
    #[inline]
    pub fn noted(&mut self, statistic: Statistic, n: u32) {
        if let Some(value) = self.statistics.get_mut(statistic as usize) {
            *value = value.wrapping_add(n.into());
        }
    }

    /// The value of one counter.
    #[inline]
    pub fn get(&self, counter: Counter) -> u64 {
        let name = counter.name();
        self.drops()
            .filter(|(reason, _)| *reason == name)
            .fold(self.values[counter as usize], |sum, (_, n)| sum.wrapping_add(n))
    }

    /// The value of the counter with this name; `None` if there is no such counter.
    pub fn by_name(&self, name: &str) -> Option<u64> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Every counter with its name, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        // A drop reason that shares its name with a counter is listed there.
        let own = |(name, _): &(&'static str, u64)| Counter::ALL.iter().all(|counter| counter.name() != *name);
        let counters = Counter::ALL.iter().map(|counter| (counter.name(), self.get(*counter)));
        counters.chain(self.statistics()).chain(self.drops().filter(own))
    }

    /// Every counter that is not zero, with its name, in the same order.
    pub fn nonzero(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.iter().filter(|(_, value)| *value != 0)
    }

    /// What connections have noted.
    pub fn statistics(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        Statistic::ALL.iter().zip(self.statistics).map(|(statistic, n)| (statistic.counter(), n))
    }

    /// The segments that TCP dropped, by reason.
    pub fn drops(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        DropReason::ALL.iter().zip(self.drops).map(|(reason, n)| (reason.counter(), n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn counting_one_event_changes_that_counter_alone() {
        let mut counters = Counters::default();
        counters.inc(Counter::TcpInSegs);
        counters.add(Counter::TcpInSegs, 41);
        counters.inc(Counter::SegueUdpMalformed);
        assert_eq!(counters.get(Counter::TcpInSegs), 42);
        assert_eq!(counters.by_name("TcpInSegs"), Some(42));
        assert_eq!(counters.by_name("TcpInSegments"), None);
        assert_eq!(counters.nonzero().collect::<Vec<_>>(), [("TcpInSegs", 42), ("SegueUdpMalformed", 1)]);
    }

    #[test]
    fn every_counter_is_listed_once_under_a_name_of_its_own_with_a_known_prefix() {
        let names: Vec<&str> = Counters::default().iter().map(|(name, _)| name).collect();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
        for name in &names {
            let known = ["Ip", "Icmp", "Tcp", "Udp", "Segue"].iter().any(|prefix| name.starts_with(prefix));
            assert!(known, "{name}");
        }
        for (at, counter) in Counter::ALL.iter().enumerate() {
            assert_eq!(*counter as usize, at);
            assert!(counter.words().ends_with('.'));
        }
    }

    #[test]
    fn segments_that_tcp_drops_are_listed_by_reason_each_in_its_own_place() {
        for (at, reason) in DropReason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, at, "the list has the order of the enum");
            let mut counters = Counters::default();
            counters.dropped(*reason);
            assert_eq!(counters.nonzero().collect::<Vec<_>>(), [(reason.counter(), 1)]);
        }
        let mut counters = Counters::default();
        counters.dropped(DropReason::Paws);
        counters.inc(Counter::TcpExtPAWSEstab);
        assert_eq!(counters.get(Counter::TcpExtPAWSEstab), 2);
    }

    #[test]
    fn what_connections_note_is_listed_each_in_its_own_place() {
        for (at, statistic) in Statistic::ALL.iter().enumerate() {
            assert_eq!(*statistic as usize, at, "the list has the order of the enum");
            assert!(statistic.words().ends_with('.'));
            let mut counters = Counters::default();
            counters.noted(*statistic, 3);
            assert_eq!(counters.nonzero().collect::<Vec<_>>(), [(statistic.counter(), 3)]);
        }
    }

    #[test]
    fn a_counter_wraps_instead_of_stopping_the_stack() {
        let mut counters = Counters::default();
        counters.add(Counter::IpInReceives, u64::MAX);
        counters.add(Counter::IpInReceives, 3);
        assert_eq!(counters.get(Counter::IpInReceives), 2);
    }
}
