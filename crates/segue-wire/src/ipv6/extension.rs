//! IPv6 extension headers: the walk from the fixed header to the transport.
//!
//! Decides where the transport header starts, what a fragment header says, and
//! what an option nobody knows asks for (RFC 8200 sections 4.1 to 4.6). A chain is
//! limited in headers and options, so that a stranger cannot make it expensive
//! (RFC 8504 section 5.3). Not decided here: reassembly, and whether a routing
//! header is followed (it is not: only type 0 with nothing left is passed).

use crate::bytes_at::{be16, be32, byte, put, put16};
use crate::ip::Protocol;
use core::fmt;

/// Most extension headers in a chain.
pub const MAX_HEADERS: usize = 8;
/// Most options in all option headers together, padding not counted (Linux: 8 per header).
pub const MAX_OPTIONS: usize = 8;

/// Length of a fragment header, in bytes.
pub const FRAGMENT_HEADER_LEN: usize = 8;

/// A fragment header (RFC 8200 section 4.5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FragmentHeader {
    /// What the reassembled packet continues with.
    pub next_header: Protocol,
    /// Where this fragment belongs, bytes, a multiple of 8.
    pub offset: u16,
    /// More fragments follow this one.
    pub more_fragments: bool,
    /// Identifies the fragments of one packet.
    pub identification: u32,
}

impl FragmentHeader {
    /// Reads the header at the front of `bytes`; `None` when they are too few.
    pub fn parse(bytes: &[u8]) -> Option<FragmentHeader> {
        let fixed = bytes.first_chunk::<FRAGMENT_HEADER_LEN>()?;
        let word = be16(fixed, 2);
        Some(FragmentHeader {
            next_header: Protocol(fixed[0]),
            offset: word & 0xfff8,
            more_fragments: word & 1 != 0,
            identification: be32(fixed, 4),
        })
    }

    /// Writes the header; nothing when `out` is shorter than 8 bytes.
    pub fn emit(&self, out: &mut [u8]) {
        if out.len() < FRAGMENT_HEADER_LEN {
            return;
        }
        out[0] = self.next_header.0;
        out[1] = 0;
        put16(out, 2, self.offset & 0xfff8 | u16::from(self.more_fragments));
        put(out, 4, &self.identification.to_be_bytes());
    }

    /// Whether it says that this packet is whole (RFC 6946: atomic fragment).
    pub fn is_atomic(&self) -> bool {
        self.offset == 0 && !self.more_fragments
    }
}

/// Where a walk over the extension headers ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Chain {
    /// What starts at `offset`: a transport protocol, [`Protocol::NO_NEXT_HEADER`], or one nobody knows.
    ///
    /// For a fragment that is not the first, what the *packet* continues with
    /// behind its fragment header; the bytes at `offset` are then in its middle.
    pub protocol: Protocol,
    /// Offset from the start of the packet, in bytes.
    pub offset: usize,
    /// Offset of the byte that named `protocol`, for a Parameter Problem about it.
    pub next_header_at: usize,
    /// The fragment header and its offset from the start of the packet; the walk ends behind a
    /// fragment header that is not atomic.
    pub fragment: Option<(FragmentHeader, usize)>,
}

/// What the two high bits of an unknown option's type ask for (RFC 8200 section 4.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OptionAction {
    /// 00: skip it.
    Skip,
    /// 01: drop the packet.
    Discard,
    /// 10: drop it and send Parameter Problem, even for a multicast destination.
    DiscardReport,
    /// 11: drop it and send Parameter Problem unless the destination is multicast.
    DiscardReportUnicast,
}

impl OptionAction {
    /// The action that an option type asks for.
    pub fn of(option_type: u8) -> OptionAction {
        match option_type >> 6 {
            0 => OptionAction::Skip,
            1 => OptionAction::Discard,
            2 => OptionAction::DiscardReport,
            _ => OptionAction::DiscardReportUnicast,
        }
    }
}

/// Code of an ICMPv6 Parameter Problem (RFC 4443 section 3.4, RFC 7112).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum ParameterProblemCode {
    /// Erroneous header field.
    ErroneousField = 0,
    /// Unrecognised next header.
    UnrecognizedNextHeader = 1,
    /// Unrecognised option.
    UnrecognizedOption = 2,
    /// First fragment has an incomplete header chain.
    IncompleteChain = 3,
}

/// Why a chain of extension headers is not acceptable.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ExtensionError {
    /// A header ends beyond the packet.
    Truncated,
    /// More headers or options than the limits allow.
    TooMany,
    /// Hop-by-hop options elsewhere than directly behind the fixed header.
    MisplacedHopByHop {
        /// Offset of the next-header byte that named it.
        pointer: usize,
    },
    /// A routing header with segments left, of a type that is not followed.
    RoutingHeader {
        /// Offset of its routing type.
        pointer: usize,
    },
    /// A jumbogram (RFC 2675), refused.
    Jumbogram {
        /// Offset of the option.
        pointer: usize,
    },
    /// An option whose length cannot be true.
    BadOptionLength {
        /// Offset of its length.
        pointer: usize,
    },
    /// An unknown option that does not ask to be skipped.
    UnknownOption {
        /// What it asks for.
        action: OptionAction,
        /// Offset of its type.
        pointer: usize,
    },
    /// A fragment, not the last, whose length is not a multiple of 8.
    BadFragmentLength,
    /// A fragment that would end beyond 65535 bytes.
    FragmentTooLong {
        /// Offset of its offset field.
        pointer: usize,
    },
    /// A first fragment without the whole header chain (RFC 7112).
    IncompleteFirstFragment,
}

impl fmt::Display for ExtensionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ExtensionError::Truncated => "IPv6 extension header ends beyond the packet",
            ExtensionError::TooMany => "IPv6 packet has too many extension headers or options",
            ExtensionError::MisplacedHopByHop { .. } => "hop-by-hop options are not directly behind the IPv6 header",
            ExtensionError::RoutingHeader { .. } => "IPv6 routing header has segments left",
            ExtensionError::Jumbogram { .. } => "IPv6 jumbograms are not taken",
            ExtensionError::BadOptionLength { .. } => "IPv6 option ends beyond its header",
            ExtensionError::UnknownOption { .. } => "IPv6 option is unknown and must not be skipped",
            ExtensionError::BadFragmentLength => "IPv6 fragment before the last is not a multiple of 8 bytes",
            ExtensionError::FragmentTooLong { .. } => "IPv6 fragment ends beyond 65535 bytes",
            ExtensionError::IncompleteFirstFragment => "first IPv6 fragment does not have the whole header chain",
        })
    }
}

impl core::error::Error for ExtensionError {}

impl ExtensionError {
    /// The ICMPv6 Parameter Problem that answers this, with its pointer; `None` when it is dropped in silence.
    ///
    /// `multicast` says that the packet's destination is a multicast address.
    pub fn parameter_problem(&self, multicast: bool) -> Option<(ParameterProblemCode, usize)> {
        let (code, pointer, even_multicast) = match *self {
            ExtensionError::MisplacedHopByHop { pointer } => {
                (ParameterProblemCode::UnrecognizedNextHeader, pointer, false)
            }
            ExtensionError::RoutingHeader { pointer }
            | ExtensionError::Jumbogram { pointer }
            | ExtensionError::BadOptionLength { pointer }
            | ExtensionError::FragmentTooLong { pointer } => (ParameterProblemCode::ErroneousField, pointer, false),
            // RFC 8200 section 4.5: pointing to the payload length field.
            ExtensionError::BadFragmentLength => (ParameterProblemCode::ErroneousField, 4, false),
            // RFC 7112 section 5.
            ExtensionError::IncompleteFirstFragment => (ParameterProblemCode::IncompleteChain, 0, false),
            ExtensionError::UnknownOption { action, pointer } => match action {
                OptionAction::DiscardReport => (ParameterProblemCode::UnrecognizedOption, pointer, true),
                OptionAction::DiscardReportUnicast => (ParameterProblemCode::UnrecognizedOption, pointer, false),
                OptionAction::Skip | OptionAction::Discard => return None,
            },
            ExtensionError::Truncated | ExtensionError::TooMany => return None,
        };
        (even_multicast || !multicast).then_some((code, pointer))
    }
}

/// Option type Pad1 (RFC 8200 section 4.2).
const PAD1: u8 = 0;
/// Option type PadN (RFC 8200 section 4.2).
const PADN: u8 = 1;
/// Option type of the jumbo payload (RFC 2675 section 2).
const JUMBO_PAYLOAD: u8 = 0xc2;
/// Option type of the router alert (RFC 2711 section 2.1): known, of no use to a host.
const ROUTER_ALERT: u8 = 0x05;
/// Most bytes of padding in one run of Pad1 and PadN: enough to align to 8 (RFC 8504 section 5.3).
const MAX_PADDING: usize = 7;

/// Walks from the fixed header to the transport header.
///
/// `first` is what the fixed header names; `packet` starts at the fixed header
/// and must hold all headers, though not the payload; `total` is the length of the packet in
/// bytes, header included. Stops at anything that is not an extension header it
/// knows (ESP and AH among them) and behind a fragment header that is not atomic.
///
/// # Errors
/// One variant of [`ExtensionError`] per reason; how it is answered is said by
/// [`ExtensionError::parameter_problem`].
#[inline]
pub fn walk(first: Protocol, packet: &[u8], total: usize) -> Result<Chain, ExtensionError> {
    let packet = packet.get(..total).unwrap_or(packet);
    let mut walk = Walk {
        packet,
        total,
        options: 0,
        chain: Chain { protocol: first, offset: super::HEADER_LEN, next_header_at: 6, fragment: None },
    };
    // Nearly every packet has no extension header at all.
    if !is_extension(first) { Ok(walk.chain) } else { walk.run() }
}

fn is_extension(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::HOP_BY_HOP | Protocol::ROUTING | Protocol::FRAGMENT | Protocol::DESTINATION_OPTIONS)
}

struct Walk<'a> {
    packet: &'a [u8],
    total: usize,
    options: usize,
    chain: Chain,
}

impl Walk<'_> {
    fn run(&mut self) -> Result<Chain, ExtensionError> {
        for _ in 0..=MAX_HEADERS {
            let at = self.chain.offset;
            match self.chain.protocol {
                Protocol::HOP_BY_HOP => {
                    // RFC 8200 section 4.1: only directly behind the fixed header.
                    if at != super::HEADER_LEN {
                        return Err(ExtensionError::MisplacedHopByHop { pointer: self.chain.next_header_at });
                    }
                    let len = self.header_len(at)?;
                    self.options(at, len)?;
                    self.step(at, len);
                }
                Protocol::DESTINATION_OPTIONS => {
                    let len = self.header_len(at)?;
                    self.options(at, len)?;
                    self.step(at, len);
                }
                Protocol::ROUTING => {
                    let len = self.header_len(at)?;
                    // RFC 8200 section 4.4: an unknown type is skipped when nothing is left of it. Type 0 is
                    // treated as unknown (RFC 5095).
                    if byte(self.packet, at + 3) != 0 {
                        return Err(ExtensionError::RoutingHeader { pointer: at + 2 });
                    }
                    self.step(at, len);
                }
                Protocol::FRAGMENT => {
                    let last = self.fragment(at)?;
                    if last {
                        return Ok(self.chain);
                    }
                }
                _ => return Ok(self.chain),
            }
        }
        Err(ExtensionError::TooMany)
    }

    /// Length of the header at `at`, all of which is there.
    fn header_len(&self, at: usize) -> Result<usize, ExtensionError> {
        let units = self.packet.get(at + 1).ok_or_else(|| self.truncated())?;
        let len = (usize::from(*units) + 1) * 8;
        if at + len > self.packet.len() {
            return Err(self.truncated());
        }
        Ok(len)
    }

    /// RFC 7112: the first fragment carries the whole chain; otherwise it is plainly too short.
    fn truncated(&self) -> ExtensionError {
        match self.chain.fragment {
            Some(_) => ExtensionError::IncompleteFirstFragment,
            None => ExtensionError::Truncated,
        }
    }

    fn step(&mut self, at: usize, len: usize) {
        self.chain.protocol = Protocol(byte(self.packet, at));
        self.chain.next_header_at = at;
        self.chain.offset = at + len;
    }

    /// Takes the fragment header in; `true` when the walk ends behind it.
    fn fragment(&mut self, at: usize) -> Result<bool, ExtensionError> {
        let header = self.packet.get(at..).and_then(FragmentHeader::parse).ok_or_else(|| self.truncated())?;
        let length = self.total.saturating_sub(at + FRAGMENT_HEADER_LEN);
        if header.more_fragments && !length.is_multiple_of(8) {
            return Err(ExtensionError::BadFragmentLength);
        }
        // RFC 8200 section 4.5: the reassembled payload (unfragmentable part included) fits 65535 bytes.
        let before = at - super::HEADER_LEN;
        if before + usize::from(header.offset) + length > 65535 {
            return Err(ExtensionError::FragmentTooLong { pointer: at + 2 });
        }
        if self.chain.fragment.is_some() {
            // A fragment within a fragment has no meaning a host could give it.
            return Err(ExtensionError::TooMany);
        }
        self.chain.fragment = Some((header, at));
        self.step(at, FRAGMENT_HEADER_LEN);
        if header.is_atomic() {
            return Ok(false);
        }
        if header.offset == 0 {
            self.check_first_fragment()?;
        }
        Ok(true)
    }

    /// RFC 7112 section 5: the first fragment holds every header up to and with the transport's.
    fn check_first_fragment(&self) -> Result<(), ExtensionError> {
        let mut ahead = Walk { packet: self.packet, total: self.total, options: self.options, chain: self.chain };
        let end = ahead.run()?;
        let transport = match end.protocol {
            Protocol::TCP => crate::tcp::MIN_HEADER_LEN,
            Protocol::UDP | Protocol::ICMPV6 => 8,
            _ => 0,
        };
        if end.offset + transport > self.total {
            return Err(ExtensionError::IncompleteFirstFragment);
        }
        Ok(())
    }

    /// Looks at the options of the header at `at`: padding, known ones, and what unknown ones ask for.
    fn options(&mut self, at: usize, len: usize) -> Result<(), ExtensionError> {
        let end = at + len;
        let mut here = at + 2;
        let mut padding = 0;
        while here < end {
            let option = byte(self.packet, here);
            if option == PAD1 {
                here += 1;
                padding += 1;
            } else {
                if here + 1 >= end {
                    return Err(ExtensionError::BadOptionLength { pointer: here });
                }
                let size = 2 + usize::from(byte(self.packet, here + 1));
                if here + size > end {
                    return Err(ExtensionError::BadOptionLength { pointer: here + 1 });
                }
                if option == PADN {
                    padding += size;
                } else {
                    padding = 0;
                    self.option(option, here)?;
                }
                here += size;
            }
            if padding > MAX_PADDING {
                return Err(ExtensionError::TooMany);
            }
        }
        Ok(())
    }

    fn option(&mut self, option: u8, pointer: usize) -> Result<(), ExtensionError> {
        self.options += 1;
        if self.options > MAX_OPTIONS {
            return Err(ExtensionError::TooMany);
        }
        match (option, OptionAction::of(option)) {
            (JUMBO_PAYLOAD, _) => Err(ExtensionError::Jumbogram { pointer }),
            (ROUTER_ALERT, _) | (_, OptionAction::Skip) => Ok(()),
            (_, action) => Err(ExtensionError::UnknownOption { action, pointer }),
        }
    }
}
