//! A script as it was read: nothing is looked up, nothing is mapped.
//!
//! Times are microseconds. Every part that can be complained about later has its [`Span`].
use std::net::IpAddr;
use std::time::Duration;

use segue_wire::TcpFlags;

use crate::source::Span;

/// A whole file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    pub(crate) options: Vec<ScriptOption>,
    pub(crate) init: Option<Command>,
    pub(crate) events: Vec<Event>,
    pub(crate) cleanup: Option<Command>,
}

impl Script {
    /// How long it lasts at least, by its times.
    pub(crate) fn length(&self) -> Duration {
        let end = |from: u64, point: Point| match point {
            Point::Absolute(micros) => from.max(micros),
            Point::Relative(micros) => from.saturating_add(micros),
        };
        let last = self.events.iter().fold(0, |now, event| match event.time {
            EventTime::At(point) | EventTime::Window(point, _) | EventTime::Blocking { start: point, .. } => {
                end(now, point)
            }
            EventTime::Any => now,
        });
        Duration::from_micros(last)
    }
}

/// `--name` or `--name=value`.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct ScriptOption {
    pub(crate) name: String,
    pub(crate) value: Option<String>,
    pub(crate) span: Span,
}

/// Back-quoted shell text.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Command {
    pub(crate) text: String,
    pub(crate) span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Event {
    pub(crate) time: EventTime,
    pub(crate) action: Action,
    pub(crate) span: Span,
}

/// One end of a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Point {
    Absolute(u64),
    Relative(u64),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum EventTime {
    At(Point),
    Any,
    Window(Point, Point),
    /// A call that blocks; `end` is counted like `start`.
    Blocking {
        start: Point,
        end: u64,
    },
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Action {
    Packet(Box<PacketSpec>),
    Call(Box<SystemCall>),
    Command(String),
    Code(Command),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    /// `<`: towards the stack under test.
    Inbound,
    /// `>`: from it.
    Outbound,
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) struct PacketSpec {
    pub(crate) direction: Direction,
    pub(crate) ip: IpInfo,
    /// The outermost first.
    pub(crate) encapsulations: Vec<Encapsulation>,
    pub(crate) body: Body,
    pub(crate) span: Span,
}

/// A header around a packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Encapsulation {
    Ip {
        info: IpInfo,
        source: IpAddr,
        destination: IpAddr,
    },
    Gre(GreSpec),
    /// The top of the stack first.
    Mpls(Vec<MplsEntry>),
}

/// RFC 2784 and 2890; fields whose flag is not set are not on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct GreSpec {
    pub(crate) flags: u16,
    pub(crate) checksum: u16,
    pub(crate) offset: u16,
    pub(crate) key: u32,
    pub(crate) sequence: u32,
}

impl GreSpec {
    pub(crate) const CHECKSUM: u16 = 0x8000;
    pub(crate) const KEY: u16 = 0x2000;
    pub(crate) const SEQUENCE: u16 = 0x1000;
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct MplsEntry {
    pub(crate) label: u32,
    pub(crate) class: u8,
    pub(crate) is_bottom: bool,
    pub(crate) ttl: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum EcnSpec {
    Is(u8),
    Ect01,
}

/// What a script says about the IP header.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct IpInfo {
    pub(crate) ecn: Option<EcnSpec>,
    pub(crate) tos: Option<u8>,
    pub(crate) ttl: Option<u8>,
    pub(crate) flow_label: Option<u32>,
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Body {
    Tcp(TcpSpec),
    Udp(UdpSpec),
    Icmp(IcmpSpec),
}

/// Source and destination port as on the wire.
pub(crate) type Ports = (u16, u16);

#[derive(Clone, PartialEq, Debug)]
pub(crate) struct UdpSpec {
    pub(crate) ports: Option<Ports>,
    pub(crate) length: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SequenceRange {
    pub(crate) first: u32,
    pub(crate) length: u16,
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) struct TcpSpec {
    pub(crate) ports: Option<Ports>,
    pub(crate) flags: TcpFlags,
    pub(crate) sequence: SequenceRange,
    pub(crate) acknowledgment: Option<u32>,
    pub(crate) window: Option<u16>,
    pub(crate) urgent: u16,
    pub(crate) options: OptionsSpec,
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) enum OptionsSpec {
    /// `<...>`: not looked at.
    Any,
    List(Vec<OptionSpec>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum OptionSpec {
    Mss(u16),
    Nop,
    End,
    WindowScale(u8),
    SackPermitted,
    Sack(Vec<(u32, u32)>),
    Timestamps {
        value: u32,
        echo: u32,
    },
    FastOpen(Vec<u8>),
    FastOpenExperimental(Vec<u8>),
    /// RFC 2385.
    Md5(Digest),
    /// TCP-AO, RFC 5925.
    Ao {
        key_id: u8,
        rnext_key_id: u8,
        mac: Mac,
    },
    /// Counters in wire order; `kind` is 172 or 174.
    AccEcn {
        kind: u8,
        counters: Vec<u32>,
    },
}

/// What stands in an MD5 option.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Digest {
    Bytes(Vec<u8>),
    /// `valid`: what the key makes that the script has given the socket.
    Valid,
    /// `key "…"`: what this key makes.
    Of(Vec<u8>),
}

/// What stands behind the key numbers in an option of TCP-AO.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Mac {
    Bytes(Vec<u8>),
    /// `valid`: what the key makes that the script has given the socket, so many bytes.
    Valid(u8),
}

/// What an ICMP message quotes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Quotation {
    /// Nothing said: sequence number 0 of the connection.
    Default,
    Tcp(SequenceRange),
    Udp(u16),
    Raw(u16),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct IcmpSpec {
    pub(crate) kind: IcmpName,
    pub(crate) code: Option<IcmpName>,
    pub(crate) mtu: Option<u32>,
    pub(crate) identifier: Option<u16>,
    pub(crate) quotation: Quotation,
}

/// A type or code as written, to be looked up when the IP version is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct IcmpName {
    pub(crate) text: String,
    pub(crate) span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) struct SystemCall {
    pub(crate) name: String,
    pub(crate) name_span: Span,
    pub(crate) arguments: Vec<Expression>,
    pub(crate) result: Expression,
    pub(crate) errno: Option<String>,
    pub(crate) span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Expression {
    pub(crate) value: Value,
    pub(crate) span: Span,
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    Integer(i64),
    Word(String),
    Text(Vec<u8>),
    /// `...`
    Ellipsis,
    /// `a|b|c`
    Or(Vec<Expression>),
    /// `[a, b]`
    List(Vec<Expression>),
    /// `{a, b}`
    Group(Vec<Expression>),
    /// `{name=value, name(size)=value}`
    Structure(Vec<Field>),
    /// `htons(80)`
    Call(String, Vec<Expression>),
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) size: Option<Expression>,
    pub(crate) value: Expression,
}
