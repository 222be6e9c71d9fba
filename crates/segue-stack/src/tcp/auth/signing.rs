//! What a segment that leaves is signed with, and the signing itself.
use core::net::IpAddr;
use std::sync::Arc;

use segue_tcp::{Chunks, Covered, OptionBytes, Signature, TcpOptions, md5_digest, put_md5_option};
use segue_wire::tcp::{MAX_OPTIONS_LEN, MIN_HEADER_LEN};

use super::LastKeys;
use crate::stack::Stack;
use crate::tuple::FourTuple;

/// Whose keys a segment is signed with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SignsAs {
    /// Nobody's: nobody has any for this flow.
    Nobody,
    /// A socket's: a connection's own, or a listener's for what has no connection yet.
    Socket(u32),
    /// An entry's in TIME-WAIT.
    TimeWait(u32),
}

/// What signs one segment.
#[derive(Clone, Debug)]
pub(crate) enum Signer {
    Md5(Arc<[u8]>),
}

impl Signer {
    fn signature(&self) -> Signature {
        match self {
            Signer::Md5(_) => Signature::Md5,
        }
    }

    /// The options with room for the signature in front; the connection that wrote them knows how much that is.
    pub(crate) fn make_room(&self, options: &OptionBytes) -> OptionBytes {
        let room = usize::from(self.signature().len());
        let mut raw = [0; MAX_OPTIONS_LEN];
        // A segment of whoever does not know of the key yet: what does not fit goes, lest it leave unsigned.
        let kept = if room + options.len() <= MAX_OPTIONS_LEN { options.len() } else { 0 };
        raw[room..room + kept].copy_from_slice(&options[..kept]);
        OptionBytes::from_slice(&raw[..room + kept]).unwrap_or(OptionBytes::EMPTY)
    }

    /// Writes the signature into a header that is otherwise final, checksum zero.
    pub(crate) fn sign(&self, source: IpAddr, destination: IpAddr, header: &mut [u8], text: &Chunks) {
        match self {
            Signer::Md5(secret) => {
                if put_md5_option(&mut header[MIN_HEADER_LEN..]).is_none() {
                    return;
                }
                let digest = md5_digest(&Covered { source, destination, header, front: &[], rest: text }, secret);
                if let Some(place) = put_md5_option(&mut header[MIN_HEADER_LEN..]) {
                    *place = digest;
                }
            }
        }
    }
}

impl Stack {
    /// What signs the next segment of a flow; `None`: it leaves unsigned.
    pub(crate) fn signer(&mut self, who: SignsAs, tuple: &FourTuple) -> Option<Signer> {
        if !self.tcp.has_keys {
            return None;
        }
        match who {
            SignsAs::Nobody => None,
            SignsAs::Socket(index) => {
                let key = self.keys_of(index)?.md5.find(tuple.peer)?;
                Some(Signer::Md5(Arc::clone(&key.secret)))
            }
            SignsAs::TimeWait(entry) => match self.tcp.last_keys.get(&entry)? {
                LastKeys::Md5(secret) => Some(Signer::Md5(Arc::clone(secret))),
            },
        }
    }

    /// As Linux: a signed segment that fits nothing here is answered if a listener on the *peer's* port has the key, as when
    /// both ends of a session use one port and this one has been restarted, and if the signature is right.
    pub(super) fn signer_for_lost(
        &self,
        tuple: &FourTuple,
        options: &TcpOptions,
        covered: &Covered<'_>,
    ) -> Option<Signer> {
        let hash = || self.secrets.flow_hash(tuple.local_addr(), tuple.peer_addr());
        let listener = self.tcp.listeners.find(tuple.peer_port, tuple.local, None, hash)?;
        let keys = self.keys_of(listener)?;
        let (key, digest) = (keys.md5.find(tuple.peer)?, options.md5?);
        segue_tcp::md5_matches(covered, &key.secret, &digest).then(|| Signer::Md5(Arc::clone(&key.secret)))
    }
}
