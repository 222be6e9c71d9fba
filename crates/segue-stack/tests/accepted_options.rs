//! Every option that setsockopt() takes has an effect, which a test shows, or has none on Linux either.
//!
//! `docs/socket-options.md` is written from the table here.
mod common;

use common::*;
use segue_stack::{Domain, SocketId, SocketType};

/// What an option does.
#[derive(Clone, Copy)]
enum Effect {
    /// This test shows it: a file of the workspace, and a function in it; of a script the file alone, which names the option.
    Shown(&'static str, &'static str),
    /// Nothing, for this reason.
    Nothing(&'static str),
}

use Effect::{Nothing, Shown};

const EFFECTS: &str = "segue-stack/tests/option_effects.rs";
const SOCKOPT: &str = "segue-stack/tests/sockopt.rs";
const MESSAGES: &str = "segue-stack/tests/messages.rs";
const BINDING: &str = "segue-stack/tests/binding.rs";
const LIVE: &str = "segue-stack/tests/live_sysctls.rs";
const TCP: &str = "segue-stack/tests/tcp.rs";
const MD5: &str = "segue-stack/tests/signed/md5.rs";
const AO: &str = "segue-stack/tests/signed/ao.rs";

const NO_DEVICE: &str = "as on Linux where no device can do it: links here carry packets, no frames";
const NO_POLL: &str = "as on Linux where no device can be polled: links wake whoever waits";
const FILTERS: &str = "as on Linux without a filter: attaching one is refused";

/// Level, number, name, effect.
const OPTIONS: &[(i32, i32, &str, Effect)] = &[
    (1, 1, "SO_DEBUG", Nothing("Linux only remembers it, too")),
    (1, 2, "SO_REUSEADDR", Shown(BINDING, "two_sockets_share_a_port_exactly_where_linux_lets_them")),
    (1, 5, "SO_DONTROUTE", Shown(SOCKOPT, "who_does_not_want_to_be_routed_reaches_the_link_only")),
    (1, 6, "SO_BROADCAST", Shown(EFFECTS, "a_broadcast_is_sent_only_by_who_says_so")),
    (1, 7, "SO_SNDBUF", Shown("segue-stack/tests/udp.rs", "the_send_buffer_bounds_what_waits_for_the_link")),
    (
        1,
        8,
        "SO_RCVBUF",
        Shown("segue-stack/tests/udp.rs", "the_receive_buffer_bounds_what_waits_and_the_rest_is_counted"),
    ),
    (1, 9, "SO_KEEPALIVE", Shown("segue-drill/scripts/G1/peer_that_is_gone_is_noticed.pkt", "")),
    (1, 10, "SO_OOBINLINE", Shown(EFFECTS, "an_urgent_byte_stays_in_the_stream_for_who_wants_it_there")),
    (1, 11, "SO_NO_CHECK", Shown(EFFECTS, "datagrams_leave_without_a_checksum_where_that_is_asked")),
    (1, 12, "SO_PRIORITY", Nothing("as on Linux where no queueing discipline looks at it")),
    (1, 13, "SO_LINGER", Shown(TCP, "linger_zero_resets_and_the_peer_sees_it_as_a_reset")),
    (1, 14, "SO_BSDCOMPAT", Nothing("Linux takes it for old programs' sake alone")),
    (1, 15, "SO_REUSEPORT", Shown(TCP, "reuse_port_listeners_share_the_connections")),
    (
        1,
        18,
        "SO_RCVLOWAT",
        Shown(SOCKOPT, "a_stream_is_readable_when_as_much_is_there_as_was_asked_for_or_no_more_will_come"),
    ),
    (
        1,
        20,
        "SO_RCVTIMEO",
        Shown("segue-run/tests/programs.rs", "control_messages_and_the_error_queue_are_as_in_the_kernel"),
    ),
    (1, 21, "SO_SNDTIMEO", Shown("segue-run/tests/programs.rs", "connecting_blocking_and_not_is_as_in_the_kernel")),
    (
        1,
        25,
        "SO_BINDTODEVICE",
        Shown(SOCKOPT, "a_socket_that_is_confined_to_an_interface_hears_nothing_that_comes_by_another"),
    ),
    (1, 29, "SO_TIMESTAMP", Shown(MESSAGES, "the_older_time_stamps_exclude_each_other")),
    (1, 32, "SO_SNDBUFFORCE", Shown(EFFECTS, "forced_buffers_go_beyond_what_the_sysctls_allow")),
    (1, 33, "SO_RCVBUFFORCE", Shown(EFFECTS, "forced_buffers_go_beyond_what_the_sysctls_allow")),
    (1, 35, "SO_TIMESTAMPNS", Shown(MESSAGES, "a_datagram_tells_how_it_arrived_as_far_as_it_was_asked")),
    (1, 36, "SO_MARK", Nothing("as on Linux where no rule of routing or filtering looks at it")),
    (1, 37, "SO_TIMESTAMPING", Shown(MESSAGES, "a_stream_tells_when_its_bytes_left_and_when_they_were_acknowledged")),
    (1, 40, "SO_RXQ_OVFL", Shown(MESSAGES, "datagrams_that_found_no_room_are_counted_for_whoever_asks")),
    (1, 41, "SO_WIFI_STATUS", Nothing(NO_DEVICE)),
    (1, 42, "SO_PEEK_OFF", Shown(EFFECTS, "a_look_at_datagrams_goes_on_where_the_last_one_ended")),
    (1, 43, "SO_NOFCS", Nothing(NO_DEVICE)),
    (1, 44, "SO_LOCK_FILTER", Nothing(FILTERS)),
    (1, 45, "SO_SELECT_ERR_QUEUE", Shown(EFFECTS, "the_error_queue_is_urgent_for_who_says_so")),
    (1, 46, "SO_BUSY_POLL", Nothing(NO_POLL)),
    (
        1,
        47,
        "SO_MAX_PACING_RATE",
        Shown("segue-drill/scripts/E5/max_pacing_rate_spreads_segments_after_the_first_ten.pkt", ""),
    ),
    (
        1,
        49,
        "SO_INCOMING_CPU",
        Nothing("as on a machine with one processor: a stack is served by one thread at a time"),
    ),
    (1, 53, "SO_CNX_ADVICE", Nothing("there is no route cache to be distrusted")),
    (
        1,
        60,
        "SO_ZEROCOPY",
        Shown(MESSAGES, "lent_memory_is_told_to_be_free_when_it_is_acknowledged_neighbours_in_one_entry"),
    ),
    (1, 61, "SO_TXTIME", Shown(EFFECTS, "a_datagram_leaves_when_its_time_has_come")),
    (
        1,
        62,
        "SO_BINDTOIFINDEX",
        Shown(SOCKOPT, "a_socket_that_is_confined_to_an_interface_hears_nothing_that_comes_by_another"),
    ),
    (1, 63, "SO_TIMESTAMP_NEW", Shown(MESSAGES, "the_older_time_stamps_exclude_each_other")),
    (1, 64, "SO_TIMESTAMPNS_NEW", Shown(MESSAGES, "the_older_time_stamps_exclude_each_other")),
    (1, 65, "SO_TIMESTAMPING_NEW", Shown(MESSAGES, "a_stream_tells_when_the_last_byte_read_arrived")),
    (
        1,
        66,
        "SO_RCVTIMEO_NEW",
        Shown("segue-run/tests/programs.rs", "control_messages_and_the_error_queue_are_as_in_the_kernel"),
    ),
    (1, 67, "SO_SNDTIMEO_NEW", Shown("segue-run/tests/programs.rs", "connecting_blocking_and_not_is_as_in_the_kernel")),
    (1, 69, "SO_PREFER_BUSY_POLL", Nothing(NO_POLL)),
    (1, 70, "SO_BUSY_POLL_BUDGET", Nothing(NO_POLL)),
    (1, 72, "SO_BUF_LOCK", Shown(EFFECTS, "a_locked_buffer_keeps_its_size")),
    (1, 74, "SO_TXREHASH", Shown(EFFECTS, "a_timeout_takes_another_way_unless_it_is_told_not_to")),
    (1, 75, "SO_RCVMARK", Shown(EFFECTS, "marks_and_priorities_are_told_as_zero_because_packets_bring_none")),
    (1, 82, "SO_RCVPRIORITY", Shown(EFFECTS, "marks_and_priorities_are_told_as_zero_because_packets_bring_none")),
    (0, 1, "IP_TOS", Shown(SOCKOPT, "the_time_to_live_and_the_type_of_service_are_on_the_wire_and_at_the_receiver")),
    (0, 2, "IP_TTL", Shown(SOCKOPT, "the_time_to_live_and_the_type_of_service_are_on_the_wire_and_at_the_receiver")),
    (0, 4, "IP_OPTIONS", Shown("segue-stack/tests/rfc9293/source_routes.rs", "")),
    (0, 6, "IP_RECVOPTS", Shown(EFFECTS, "options_of_the_ip_header_are_told_as_they_came")),
    (0, 8, "IP_PKTINFO", Shown(MESSAGES, "a_datagram_tells_how_it_arrived_as_far_as_it_was_asked")),
    (
        0,
        10,
        "IP_MTU_DISCOVER",
        Shown("segue-stack/tests/udp.rs", "a_socket_that_forbids_cutting_is_told_that_the_datagram_is_too_long"),
    ),
    (0, 11, "IP_RECVERR", Shown(MESSAGES, "an_icmp_error_waits_in_the_queue_with_the_datagram_it_is_about")),
    (0, 12, "IP_RECVTTL", Shown(MESSAGES, "a_datagram_tells_how_it_arrived_as_far_as_it_was_asked")),
    (0, 13, "IP_RECVTOS", Shown(MESSAGES, "a_datagram_tells_how_it_arrived_as_far_as_it_was_asked")),
    (0, 15, "IP_FREEBIND", Shown(BINDING, "freebind_takes_an_address_that_is_not_there_yet")),
    (0, 18, "IP_PASSSEC", Nothing("as on Linux without a security module that labels packets")),
    (0, 19, "IP_TRANSPARENT", Shown(EFFECTS, "a_transparent_socket_speaks_for_another_host")),
    (0, 20, "IP_RECVORIGDSTADDR", Shown(MESSAGES, "a_datagram_tells_how_it_arrived_as_far_as_it_was_asked")),
    (0, 21, "IP_MINTTL", Shown(SOCKOPT, "segments_from_further_away_than_the_least_ttl_allows_are_dropped")),
    (0, 23, "IP_CHECKSUM", Shown(EFFECTS, "the_sum_over_a_datagrams_bytes_is_told")),
    (
        0,
        24,
        "IP_BIND_ADDRESS_NO_PORT",
        Shown(EFFECTS, "an_address_without_a_port_may_be_bound_until_connect_chooses_one"),
    ),
    (0, 25, "IP_RECVFRAGSIZE", Shown(EFFECTS, "the_largest_fragment_is_told_of_what_did_not_come_whole")),
    (0, 26, "IP_RECVERR_RFC4884", Shown(EFFECTS, "the_error_queue_tells_where_the_extensions_of_an_icmp_error_begin")),
    (0, 32, "IP_MULTICAST_IF", Shown(EFFECTS, "what_is_sent_to_a_group_has_hops_and_comes_back_as_the_sender_says")),
    (0, 33, "IP_MULTICAST_TTL", Shown(EFFECTS, "what_is_sent_to_a_group_has_hops_and_comes_back_as_the_sender_says")),
    (0, 34, "IP_MULTICAST_LOOP", Shown(EFFECTS, "what_is_sent_to_a_group_has_hops_and_comes_back_as_the_sender_says")),
    (0, 35, "IP_ADD_MEMBERSHIP", Shown(SOCKOPT, "a_group_is_heard_by_who_has_joined_it_and_no_longer_when_it_is_left")),
    (
        0,
        36,
        "IP_DROP_MEMBERSHIP",
        Shown(SOCKOPT, "a_group_is_heard_by_who_has_joined_it_and_no_longer_when_it_is_left"),
    ),
    (0, 37, "IP_UNBLOCK_SOURCE", Shown(SOCKOPT, "a_group_is_heard_by_who_has_joined_it_and_no_longer_when_it_is_left")),
    (0, 38, "IP_BLOCK_SOURCE", Shown(SOCKOPT, "a_group_is_heard_by_who_has_joined_it_and_no_longer_when_it_is_left")),
    (
        0,
        39,
        "IP_ADD_SOURCE_MEMBERSHIP",
        Shown(EFFECTS, "a_group_is_heard_from_the_sources_that_were_named_by_either_set_of_options"),
    ),
    (
        0,
        40,
        "IP_DROP_SOURCE_MEMBERSHIP",
        Shown(EFFECTS, "a_group_is_heard_from_the_sources_that_were_named_by_either_set_of_options"),
    ),
    (
        0,
        41,
        "IP_MSFILTER",
        Shown(EFFECTS, "a_group_is_heard_from_the_sources_that_were_named_by_either_set_of_options"),
    ),
    (
        0,
        42,
        "MCAST_JOIN_GROUP",
        Shown(EFFECTS, "a_group_is_heard_from_the_sources_that_were_named_by_either_set_of_options"),
    ),
    (
        0,
        43,
        "MCAST_BLOCK_SOURCE",
        Shown(EFFECTS, "a_group_is_heard_from_the_sources_that_were_named_by_either_set_of_options"),
    ),
    (
        0,
        44,
        "MCAST_UNBLOCK_SOURCE",
        Shown(EFFECTS, "a_group_is_heard_from_the_sources_that_were_named_by_either_set_of_options"),
    ),
    (
        0,
        45,
        "MCAST_LEAVE_GROUP",
        Shown(EFFECTS, "a_group_is_heard_from_the_sources_that_were_named_by_either_set_of_options"),
    ),
    (
        0,
        46,
        "MCAST_JOIN_SOURCE_GROUP",
        Shown(EFFECTS, "a_group_is_heard_from_the_sources_that_were_named_by_either_set_of_options"),
    ),
    (
        0,
        47,
        "MCAST_LEAVE_SOURCE_GROUP",
        Shown(EFFECTS, "a_group_is_heard_from_the_sources_that_were_named_by_either_set_of_options"),
    ),
    (0, 49, "IP_MULTICAST_ALL", Shown(EFFECTS, "a_group_that_others_have_joined_is_heard_unless_the_socket_says_no")),
    (0, 50, "IP_UNICAST_IF", Shown(EFFECTS, "datagrams_leave_by_the_interface_that_is_named_for_them")),
    (0, 51, "IP_LOCAL_PORT_RANGE", Shown(BINDING, "a_range_of_its_own_bounds_the_ports_of_a_socket")),
    (41, 2, "IPV6_2292PKTINFO", Shown(EFFECTS, "extension_headers_are_told_in_their_order_by_both_sets_of_numbers")),
    (41, 3, "IPV6_2292HOPOPTS", Shown(EFFECTS, "extension_headers_are_told_in_their_order_by_both_sets_of_numbers")),
    (41, 4, "IPV6_2292DSTOPTS", Shown(EFFECTS, "extension_headers_are_told_in_their_order_by_both_sets_of_numbers")),
    (41, 5, "IPV6_2292RTHDR", Shown(EFFECTS, "extension_headers_are_told_in_their_order_by_both_sets_of_numbers")),
    (
        41,
        6,
        "IPV6_2292PKTOPTIONS",
        Shown(EFFECTS, "sticky_options_by_their_old_numbers_are_refused_as_the_newer_ones_are"),
    ),
    (41, 8, "IPV6_2292HOPLIMIT", Shown(EFFECTS, "extension_headers_are_told_in_their_order_by_both_sets_of_numbers")),
    (41, 11, "IPV6_FLOWINFO", Shown(EFFECTS, "a_label_that_a_call_names_is_on_the_wire_and_told_to_who_asks")),
    (41, 16, "IPV6_UNICAST_HOPS", Shown(EFFECTS, "segments_from_more_hops_away_than_allowed_are_dropped")),
    (41, 17, "IPV6_MULTICAST_IF", Shown(EFFECTS, "what_is_sent_to_a_group_has_hops_and_comes_back_as_the_sender_says")),
    (
        41,
        18,
        "IPV6_MULTICAST_HOPS",
        Shown(EFFECTS, "what_is_sent_to_a_group_has_hops_and_comes_back_as_the_sender_says"),
    ),
    (
        41,
        19,
        "IPV6_MULTICAST_LOOP",
        Shown(EFFECTS, "what_is_sent_to_a_group_has_hops_and_comes_back_as_the_sender_says"),
    ),
    (41, 20, "IPV6_JOIN_GROUP", Shown(EFFECTS, "a_group_that_others_have_joined_is_heard_unless_the_socket_says_no")),
    (
        41,
        21,
        "IPV6_LEAVE_GROUP",
        Shown(EFFECTS, "a_group_is_heard_from_the_sources_that_were_named_by_either_set_of_options"),
    ),
    (41, 23, "IPV6_MTU_DISCOVER", Shown(EFFECTS, "datagrams_are_cut_at_the_size_that_is_named")),
    (41, 24, "IPV6_MTU", Shown(EFFECTS, "datagrams_are_cut_at_the_size_that_is_named")),
    (41, 25, "IPV6_RECVERR", Shown(EFFECTS, "the_error_queue_tells_where_the_extensions_of_an_icmp_error_begin")),
    (41, 26, "IPV6_V6ONLY", Shown(TCP, "a_dual_stack_listener_takes_ipv4_as_mapped_and_a_v6_only_one_does_not")),
    (
        41,
        29,
        "IPV6_MULTICAST_ALL",
        Shown(EFFECTS, "a_group_that_others_have_joined_is_heard_unless_the_socket_says_no"),
    ),
    (
        41,
        30,
        "IPV6_ROUTER_ALERT_ISOLATE",
        Nothing("as on Linux, where it is of raw sockets with IPV6_ROUTER_ALERT alone"),
    ),
    (
        41,
        31,
        "IPV6_RECVERR_RFC4884",
        Shown(EFFECTS, "the_error_queue_tells_where_the_extensions_of_an_icmp_error_begin"),
    ),
    (41, 33, "IPV6_FLOWINFO_SEND", Shown(EFFECTS, "a_label_that_a_call_names_is_on_the_wire_and_told_to_who_asks")),
    (
        41,
        42,
        "MCAST_JOIN_GROUP",
        Shown(EFFECTS, "a_group_is_heard_from_the_sources_that_were_named_by_either_set_of_options"),
    ),
    (
        41,
        43,
        "MCAST_BLOCK_SOURCE",
        Shown(EFFECTS, "a_group_is_heard_from_the_sources_that_were_named_by_either_set_of_options"),
    ),
    (
        41,
        44,
        "MCAST_UNBLOCK_SOURCE",
        Shown(EFFECTS, "a_group_is_heard_from_the_sources_that_were_named_by_either_set_of_options"),
    ),
    (
        41,
        45,
        "MCAST_LEAVE_GROUP",
        Shown(EFFECTS, "a_group_is_heard_from_the_sources_that_were_named_by_either_set_of_options"),
    ),
    (
        41,
        46,
        "MCAST_JOIN_SOURCE_GROUP",
        Shown(EFFECTS, "a_group_is_heard_from_the_sources_that_were_named_by_either_set_of_options"),
    ),
    (
        41,
        47,
        "MCAST_LEAVE_SOURCE_GROUP",
        Shown(EFFECTS, "a_group_is_heard_from_the_sources_that_were_named_by_either_set_of_options"),
    ),
    (41, 49, "IPV6_RECVPKTINFO", Shown(MESSAGES, "an_inet6_socket_tells_of_both_families")),
    (41, 50, "IPV6_PKTINFO", Shown(EFFECTS, "a_source_that_stays_is_that_of_every_datagram")),
    (41, 51, "IPV6_RECVHOPLIMIT", Shown(MESSAGES, "an_inet6_socket_tells_of_both_families")),
    (41, 53, "IPV6_RECVHOPOPTS", Shown(EFFECTS, "extension_headers_are_told_in_their_order_by_both_sets_of_numbers")),
    (41, 54, "IPV6_HOPOPTS", Nothing("only to have no such header, which none has: others are refused with EPERM")),
    (41, 55, "IPV6_RTHDRDSTOPTS", Nothing("as IPV6_HOPOPTS")),
    (41, 56, "IPV6_RECVRTHDR", Shown(EFFECTS, "extension_headers_are_told_in_their_order_by_both_sets_of_numbers")),
    (41, 57, "IPV6_RTHDR", Nothing("as IPV6_HOPOPTS, with EINVAL")),
    (41, 58, "IPV6_RECVDSTOPTS", Shown(EFFECTS, "extension_headers_are_told_in_their_order_by_both_sets_of_numbers")),
    (41, 59, "IPV6_DSTOPTS", Nothing("as IPV6_HOPOPTS")),
    (41, 60, "IPV6_RECVPATHMTU", Shown(EFFECTS, "a_datagram_that_must_not_be_cut_tells_what_its_path_carries")),
    (41, 62, "IPV6_DONTFRAG", Shown(EFFECTS, "a_datagram_that_must_not_be_cut_tells_what_its_path_carries")),
    (41, 66, "IPV6_RECVTCLASS", Shown(MESSAGES, "an_inet6_socket_tells_of_both_families")),
    (41, 67, "IPV6_TCLASS", Shown(SOCKOPT, "a_traffic_class_is_reflected_over_ipv6")),
    (41, 70, "IPV6_AUTOFLOWLABEL", Shown(EFFECTS, "a_flow_has_one_label_that_nobody_named_and_others_have_others")),
    (
        41,
        72,
        "IPV6_ADDR_PREFERENCES",
        Nothing(
            "as on Linux where no address is temporary or of a home: interfaces have the addresses they were given",
        ),
    ),
    (41, 73, "IPV6_MINHOPCOUNT", Shown(EFFECTS, "segments_from_more_hops_away_than_allowed_are_dropped")),
    (41, 74, "IPV6_RECVORIGDSTADDR", Shown(MESSAGES, "an_inet6_socket_tells_of_both_families")),
    (41, 75, "IPV6_TRANSPARENT", Shown(EFFECTS, "a_transparent_socket_speaks_for_another_host")),
    (41, 76, "IPV6_UNICAST_IF", Shown(EFFECTS, "datagrams_leave_by_the_interface_that_is_named_for_them")),
    (41, 77, "IPV6_RECVFRAGSIZE", Shown(EFFECTS, "the_largest_fragment_is_told_of_what_did_not_come_whole")),
    (41, 78, "IPV6_FREEBIND", Shown(EFFECTS, "an_address_that_is_not_there_yet_is_bound_over_ipv6")),
    (6, 1, "TCP_NODELAY", Shown("segue-drill/scripts/D5/nodelay_sends_at_once.pkt", "")),
    (6, 2, "TCP_MAXSEG", Shown("segue-drill/scripts/B7/maximum_segment_size_can_be_set.pkt", "")),
    (6, 3, "TCP_CORK", Shown("segue-drill/scripts/D5/cork_holds_until_it_is_taken_off.pkt", "")),
    (6, 4, "TCP_KEEPIDLE", Shown("segue-drill/scripts/G1/peer_that_was_rebooted_resets.pkt", "")),
    (6, 5, "TCP_KEEPINTVL", Shown("segue-drill/scripts/G1/peer_that_is_gone_is_noticed.pkt", "")),
    (6, 6, "TCP_KEEPCNT", Shown("segue-drill/scripts/G1/peer_that_is_gone_is_noticed.pkt", "")),
    (6, 7, "TCP_SYNCNT", Shown("segue-drill/scripts/B6/number_of_syns_can_be_set.pkt", "")),
    (6, 8, "TCP_LINGER2", Shown("segue-drill/scripts/F5/linger2_sets_the_time_in_fin_wait_2.pkt", "")),
    (
        6,
        9,
        "TCP_DEFER_ACCEPT",
        Shown("segue-drill/scripts/B9/bare_third_segments_are_dropped_until_the_time_is_over.pkt", ""),
    ),
    (6, 10, "TCP_WINDOW_CLAMP", Shown("segue-drill/scripts/D7/a_clamp_on_the_listener_bounds_the_window.pkt", "")),
    (
        6,
        12,
        "TCP_QUICKACK",
        Shown("segue-drill/scripts/D4/who_reads_several_small_writes_has_them_acknowledged.pkt", ""),
    ),
    (6, 13, "TCP_CONGESTION", Shown(SOCKOPT, "a_listeners_options_are_inherited")),
    (6, 14, "TCP_MD5SIG", Shown(MD5, "")),
    (6, 16, "TCP_THIN_LINEAR_TIMEOUTS", Shown(EFFECTS, "a_thin_stream_does_not_back_off_when_it_is_told_not_to")),
    (6, 17, "TCP_THIN_DUPACK", Nothing("Linux has none since 4.15: RACK does better for every stream")),
    (6, 18, "TCP_USER_TIMEOUT", Shown("segue-drill/scripts/D2/user_timeout_ends_the_connection.pkt", "")),
    (
        6,
        23,
        "TCP_FASTOPEN",
        Shown(
            "segue-drill/scripts/B8/data_with_a_good_cookie_reach_the_application_before_the_handshake_is_over.pkt",
            "",
        ),
    ),
    (6, 25, "TCP_NOTSENT_LOWAT", Shown("segue-drill/scripts/D7/notsent_lowat_holds_writability_back.pkt", "")),
    (6, 27, "TCP_SAVE_SYN", Shown(SOCKOPT, "the_headers_of_the_syn_are_saved_and_read_once")),
    (
        6,
        30,
        "TCP_FASTOPEN_CONNECT",
        Shown("segue-drill/scripts/B8/fastopen_connect_lets_the_syn_wait_for_the_first_write.pkt", ""),
    ),
    (6, 32, "TCP_MD5SIG_EXT", Shown(MD5, "")),
    (6, 33, "TCP_FASTOPEN_KEY", Shown("segue-drill/scripts/B8/listener_may_have_a_key_of_its_own.pkt", "")),
    (6, 34, "TCP_FASTOPEN_NO_COOKIE", Shown("segue-drill/scripts/B8/listener_with_no_cookie_takes_any_data.pkt", "")),
    (6, 36, "TCP_INQ", Shown(MESSAGES, "a_stream_tells_how_much_can_still_be_read_and_one_more_at_its_end")),
    (
        6,
        37,
        "TCP_TX_DELAY",
        Shown(SOCKOPT, "what_is_sent_with_a_delay_leaves_later_in_its_order_and_the_round_trip_is_longer_by_it"),
    ),
    (6, 38, "TCP_AO_ADD_KEY", Shown(AO, "")),
    (6, 39, "TCP_AO_DEL_KEY", Shown(AO, "")),
    (6, 40, "TCP_AO_INFO", Shown(AO, "")),
    (6, 44, "TCP_RTO_MAX_MS", Shown(LIVE, "a_socket_may_have_bounds_of_its_own")),
    (6, 45, "TCP_RTO_MIN_US", Shown(LIVE, "a_socket_may_have_bounds_of_its_own")),
    (6, 46, "TCP_DELACK_MAX_US", Shown(LIVE, "a_socket_may_have_bounds_of_its_own")),
    (
        6,
        24064,
        "TCP_USER_TIMEOUT_OPTION",
        Shown(
            "segue-tcp/tests/user_timeout.rs",
            "the_syn_and_the_first_segment_after_it_tell_and_no_other_until_it_changes",
        ),
    ),
    (17, 1, "UDP_CORK", Shown(MESSAGES, "corked_datagrams_are_one_and_leave_when_the_cork_is_pulled")),
    (17, 100, "UDP_ENCAP", Nothing("only 0 is taken: nothing is carried in UDP but datagrams")),
    (17, 101, "UDP_NO_CHECK6_TX", Shown(EFFECTS, "datagrams_leave_without_a_checksum_where_that_is_asked")),
    (
        17,
        102,
        "UDP_NO_CHECK6_RX",
        Shown(SOCKOPT, "a_datagram_without_a_checksum_over_ipv6_is_taken_only_by_who_says_so"),
    ),
    (17, 103, "UDP_SEGMENT", Shown(MESSAGES, "one_send_may_stand_for_many_datagrams_of_one_size")),
    (17, 104, "UDP_GRO", Shown(MESSAGES, "datagrams_of_one_batch_are_joined_for_whoever_asked_and_told_by_their_size")),
];

/// Level, number, name, why it is refused.
const REFUSED: &[(i32, i32, &str, &str)] = &[
    (1, 50, "SO_ATTACH_BPF", "there are no filters: a program that asks for one must not believe that it is heard"),
    (1, 51, "SO_ATTACH_REUSEPORT_CBPF", "as SO_ATTACH_BPF"),
    (1, 73, "SO_RESERVE_MEM", "no memory is set aside for one socket"),
    (0, 5, "IP_ROUTER_ALERT", "of raw sockets only, as on Linux"),
    (0, 7, "IP_RETOPTS", "datagrams leave without options, so there is nothing to return them by"),
    (41, 22, "IPV6_ROUTER_ALERT", "of raw sockets only, as on Linux"),
    (41, 27, "IPV6_JOIN_ANYCAST", "interfaces have the addresses they were given"),
    (41, 32, "IPV6_FLOWLABEL_MGR", "labels need not be leased: IPV6_FLOWINFO_SEND names any"),
    (6, 19, "TCP_REPAIR", "a connection cannot be taken out of the stack and put into another"),
    (6, 31, "TCP_ULP", "no protocol lies on top of TCP here"),
    (6, 35, "TCP_ZEROCOPY_RECEIVE", "there is no memory to map into"),
];

/// Options that take structures, which a number is none of.
const STRUCTURED: &[(i32, i32)] = &[
    (0, 4),
    (0, 35),
    (0, 36),
    (0, 37),
    (0, 38),
    (0, 39),
    (0, 40),
    (0, 41),
    (0, 42),
    (0, 43),
    (0, 44),
    (0, 45),
    (0, 46),
    (0, 47),
    (1, 20),
    (1, 21),
    (1, 66),
    (1, 67),
    (6, 13),
    (6, 14),
    (6, 32),
    (6, 33),
    (6, 38),
    (6, 39),
    (6, 40),
    (41, 20),
    (41, 21),
    (41, 42),
    (41, 43),
    (41, 44),
    (41, 45),
    (41, 46),
    (41, 47),
    (41, 50),
];

fn sockets(w: &mut World) -> Vec<SocketId> {
    let kinds = [SocketType::Stream, SocketType::Datagram, SocketType::Icmp];
    let both = [Domain::Inet, Domain::Inet6];
    let pairs = both.into_iter().flat_map(|domain| kinds.map(|kind| (domain, kind)));
    pairs.map(|(domain, kind)| w.stacks[A].socket(domain, kind).unwrap()).collect()
}

/// Whether some fresh socket takes some plain value for it.
fn is_taken(level: i32, name: i32) -> bool {
    let words = |numbers: &[i32]| numbers.iter().flat_map(|number| number.to_ne_bytes()).collect::<Vec<u8>>();
    let numbers = [0, 1, 2, 3, 64, 1000, 2000, 100_000, -1].map(|number| words(&[number]));
    let values = numbers.into_iter().chain([Vec::new(), words(&[1, 0]), words(&[0; 4]), words(&[0; 5])]);
    values.into_iter().any(|value| {
        let mut w = World::new(Wire::default());
        sockets(&mut w).into_iter().any(|id| w.stacks[A].setsockopt(w.now, id, level, name, &value).is_ok())
    })
}

fn row(level: i32, name: i32) -> Option<&'static (i32, i32, &'static str, Effect)> {
    OPTIONS.iter().find(|row| (row.0, row.1) == (level, name))
}

#[test]
fn an_option_that_is_taken_is_in_the_table_and_one_that_is_not_is_not() {
    for level in [0, 1, 6, 17, 41] {
        for name in (0..=255).chain([24064]) {
            match (is_taken(level, name), row(level, name)) {
                (true, None) => panic!("level {level} option {name} is taken: which test shows its effect?"),
                (false, Some(row)) if !STRUCTURED.contains(&(level, name)) => panic!("{} is never taken", row.2),
                _ => {}
            }
        }
    }
}

#[test]
fn the_tests_that_show_effects_exist() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    for (_, _, name, effect) in OPTIONS {
        let Shown(file, function) = effect else { continue };
        let text = std::fs::read_to_string(format!("{root}/{file}")).unwrap_or_else(|error| panic!("{file}: {error}"));
        let is_there = match *function {
            "" if file.ends_with(".pkt") => text.contains(name),
            "" => text.contains("#[test]"),
            function => text.contains(&format!("fn {function}()")),
        };
        assert!(is_there, "{name}: {file} has no test {function}");
    }
}

#[test]
fn what_is_said_to_be_refused_is_refused() {
    for (level, number, name, _) in REFUSED {
        assert!(!is_taken(*level, *number) && row(*level, *number).is_none(), "{name} is taken");
    }
}

fn page() -> String {
    let mut page = String::from(
        "# Socket options\n\n\
        Numbers, lengths, bounds and errnos are Linux's; `crates/segue-stack/tests/linux/sockopts.txt` is what they are compared\n\
        with. An option that is taken does what Linux does, which a test shows, or nothing where Linux does nothing either.\n\
        Written from the table in `crates/segue-stack/tests/accepted_options.rs`.\n\n\
        | option | level | number | effect |\n|---|---|---|---|\n",
    );
    let level = |level| match level {
        0 => "IPPROTO_IP",
        1 => "SOL_SOCKET",
        6 => "IPPROTO_TCP",
        17 => "IPPROTO_UDP",
        _ => "IPPROTO_IPV6",
    };
    for (of, number, name, effect) in OPTIONS {
        let effect = match effect {
            Shown(file, "") => format!("shown by `{file}`"),
            Shown(_, function) => function.replace('_', " "),
            Nothing(why) => format!("none: {why}"),
        };
        page.push_str(&format!("| `{name}` | {} | {number} | {effect} |\n", level(*of)));
    }
    page.push_str("\nRefused, where Linux would take it or a program might expect it:\n\n| option | level | why |\n|---|---|---|\n");
    for (of, _, name, why) in REFUSED {
        page.push_str(&format!("| `{name}` | {} | {why} |\n", level(*of)));
    }
    page
}

#[test]
fn the_page_about_options_is_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/socket-options.md");
    if std::env::var_os("SEGUE_WRITE_DOCS").is_some() {
        std::fs::write(path, page()).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap_or_default() == page(),
        "docs/socket-options.md is not what the table says; \
         SEGUE_WRITE_DOCS=1 cargo test -p segue-stack --test accepted_options writes it anew"
    );
}
