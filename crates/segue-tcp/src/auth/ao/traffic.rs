//! Traffic keys and MACs of TCP-AO (RFC 5925 sections 5.1 and 5.2, RFC 5926 section 3.1).

use core::net::SocketAddr;

use segue_wire::tcp::MIN_HEADER_LEN;

use super::algorithm::{AoAlgorithm, AoOutput};
use crate::auth::covered::v6;
use crate::auth::{Covered, is_same};

/// Kind, length, KeyID, RNextKeyID.
const HEAD: usize = 4;

/// One direction of a connection: what a traffic key is made for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AoContext {
    /// Who sends.
    pub source: SocketAddr,
    /// To whom.
    pub destination: SocketAddr,
    /// The sender's initial sequence number.
    pub source_isn: u32,
    /// The receiver's; 0 for a SYN without ACK, whose sender cannot know it.
    pub destination_isn: u32,
}

/// A master key tuple (RFC 5925 section 3.1) without its connection identifier.
#[derive(Clone, PartialEq, Eq)]
pub struct AoKey {
    /// Names the key in segments that are sent with it.
    pub send_id: u8,
    /// Names the key in segments that arrive.
    pub recv_id: u8,
    /// What derives and what signs.
    pub algorithm: AoAlgorithm,
    /// Bytes of the MAC on the wire, at most what the algorithm gives. RFC 5926: 12.
    pub mac_len: u8,
    /// Whether the MAC covers the other options.
    pub covers_options: bool,
    /// The master key.
    pub master: alloc::sync::Arc<[u8]>,
}

/// Keys are not for logs.
impl core::fmt::Debug for AoKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "AoKey({}:{} {})", self.send_id, self.recv_id, self.algorithm.name())
    }
}

impl AoKey {
    /// Bytes of options that the signature takes: RFC 5925 section 2.2, padded.
    pub fn option_len(&self) -> usize {
        (HEAD + usize::from(self.mac_len)).next_multiple_of(4)
    }

    /// RFC 5926 section 3.1.1: the traffic key of a direction.
    pub fn traffic_key(&self, context: &AoContext) -> AoOutput {
        let key = self.algorithm.derivation_key(&self.master);
        let bits = (self.algorithm.output_len() as u16 * 8).to_be_bytes();
        self.algorithm.output(&key, |feed| {
            // One block is as long as the key that is wanted: i is 1.
            feed(&[1]);
            feed(b"TCP-AO");
            for address in [context.source, context.destination] {
                match address.ip() {
                    core::net::IpAddr::V4(v4) => feed(&v4.octets()),
                    address => feed(&v6(address)),
                }
            }
            feed(&context.source.port().to_be_bytes());
            feed(&context.destination.port().to_be_bytes());
            feed(&context.source_isn.to_be_bytes());
            feed(&context.destination_isn.to_be_bytes());
            feed(&bits);
        })
    }

    /// RFC 5925 section 5.1: the MAC of a segment whose option's MAC stands at `at` in the header.
    fn mac(&self, traffic_key: &[u8], sne: u32, segment: &Covered<'_>, at: usize) -> AoOutput {
        let zeros = [0; 40];
        let len = usize::from(self.mac_len);
        let header = segment.header;
        self.algorithm.output(traffic_key, |feed| {
            feed(&sne.to_be_bytes());
            segment.pseudo_header(&mut *feed);
            feed(&segment.fixed_header());
            let from = if self.covers_options { MIN_HEADER_LEN } else { at.saturating_sub(HEAD) };
            feed(header.get(from..at).unwrap_or_default());
            feed(&zeros[..len.min(zeros.len())]);
            if self.covers_options {
                feed(header.get(at + len..).unwrap_or_default());
            }
            segment.text(&mut *feed);
        })
    }

    /// Whether a segment that arrived has the MAC that it must have; `at` is where that stands in the header.
    pub fn verify(&self, traffic_key: &[u8], sne: u32, segment: &Covered<'_>, at: usize) -> bool {
        let len = usize::from(self.mac_len);
        let Some(mac) = segment.header.get(at..at + len) else { return false };
        let expected = self.mac(traffic_key, sne, segment, at);
        expected.get(..len).is_some_and(|expected| is_same(expected, mac))
    }

    /// Writes option and MAC to the front of a header's options, where there is room for them: [`option_len`](Self::option_len).
    /// The rest of the header is final, its checksum zero.
    pub fn sign(&self, traffic_key: &[u8], sne: u32, rnext: u8, segment: &Covered<'_>, out: &mut [u8]) {
        let (at, len) = (MIN_HEADER_LEN + HEAD, usize::from(self.mac_len));
        let mut header = [0; segue_wire::tcp::MAX_HEADER_LEN];
        let n = segment.header.len().min(header.len());
        header[..n].copy_from_slice(&segment.header[..n]);
        let Some(option) = header.get_mut(MIN_HEADER_LEN..MIN_HEADER_LEN + self.option_len()) else { return };
        // RFC 9293 section 3.1: what is shorter than whole words is padded.
        option.fill(segue_wire::tcp::kind::NOP);
        option[..HEAD].copy_from_slice(&[
            segue_wire::tcp::kind::AUTHENTICATION,
            (HEAD + len) as u8,
            self.send_id,
            rnext,
        ]);
        option[HEAD..HEAD + len].fill(0);
        let mac = self.mac(traffic_key, sne, &Covered { header: &header[..n], ..*segment }, at);
        header[at..at + len].copy_from_slice(&mac[..len.min(mac.len())]);
        out[..n].copy_from_slice(&header[..n]);
    }
}

/// Where the MAC of TCP-AO stands in a header with its options; `None`: there is none.
pub fn find_ao_mac(header: &[u8]) -> Option<usize> {
    let mut at = MIN_HEADER_LEN;
    loop {
        match header.get(at..)? {
            [segue_wire::tcp::kind::END, ..] | [] => return None,
            [segue_wire::tcp::kind::NOP, ..] => at += 1,
            [segue_wire::tcp::kind::AUTHENTICATION, len, ..] if usize::from(*len) > HEAD => return Some(at + HEAD),
            [_, len, ..] if *len >= 2 => at += usize::from(*len),
            _ => return None,
        }
    }
}
