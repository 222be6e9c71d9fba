//! What a segment that leaves is signed with, and the signing itself.
use core::net::IpAddr;
use std::sync::Arc;

use segue_tcp::{Chunks, Covered, OptionBytes, Signature, TcpOptions, md5_digest, put_md5_option};
use segue_wire::tcp::{MAX_HEADER_LEN, MAX_OPTIONS_LEN, MIN_HEADER_LEN, TcpHeader};

use super::ao::AoSigner;
use super::{Agreed, LastKeys};
use crate::stack::Stack;
use crate::tuple::FourTuple;

/// Whose keys a segment is signed with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SignsAs {
    /// Nobody's: nobody has any for this flow.
    Nobody,
    /// A socket's: a connection's own, or a listener's for what has no connection yet.
    Socket(u32),
    /// A listener's, as a handshake agreed.
    Handshake(u32, Agreed),
    /// An entry's in TIME-WAIT.
    TimeWait(u32),
}

/// Whether a segment is signed.
#[derive(Clone, Debug)]
pub(crate) enum Signing {
    Unsigned,
    With(Signer),
    /// It would have to be, and nothing says how: it does not leave.
    Impossible,
}

/// What signs one segment.
#[derive(Clone, Debug)]
pub(crate) enum Signer {
    Md5(Arc<[u8]>),
    Ao(Box<AoSigner>),
}

impl Signer {
    fn signature(&self) -> Signature {
        match self {
            Signer::Md5(_) => Signature::Md5,
            Signer::Ao(ao) => Signature::Ao { option_len: ao.key.option_len() as u8 },
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
            Signer::Ao(ao) => {
                let whole: [u8; MAX_HEADER_LEN] = core::array::from_fn(|n| header.get(n).copied().unwrap_or(0));
                let covered = Covered { source, destination, header: &whole[..header.len()], front: &[], rest: text };
                ao.key.sign(&ao.traffic_key, ao.sne, ao.rnext, &covered, header);
            }
        }
    }
}

impl Stack {
    /// Whether the next segment of a flow is signed, and with what.
    pub(crate) fn signing(&mut self, who: SignsAs, tuple: &FourTuple, header: &TcpHeader) -> Signing {
        if !self.tcp.has_keys {
            return Signing::Unsigned;
        }
        match who {
            SignsAs::Nobody => Signing::Unsigned,
            SignsAs::Socket(index) => match self.ao_at(index) {
                Some(ao) if ao.session.is_some() => ao_signing(ao.signer(tuple, header)),
                // A listener's answer to what is no handshake has no traffic key.
                Some(ao) if ao.required || ao.find(tuple.peer, None, None).is_some() => Signing::Impossible,
                _ => self.md5_signing(index, tuple),
            },
            SignsAs::Handshake(listener, Agreed { ids: None, .. }) => self.md5_signing(listener, tuple),
            SignsAs::Handshake(listener, Agreed { ids: Some(ids), iss, irs }) => {
                let ao = self.keys_of(listener).and_then(|keys| keys.ao.as_deref());
                ao_signing(ao.and_then(|ao| ao.signer_for(tuple, ids, (iss, irs), header)))
            }
            SignsAs::TimeWait(entry) => match self.tcp.last_keys.get_mut(&entry) {
                None => Signing::Unsigned,
                Some(LastKeys::Md5(secret)) => Signing::With(Signer::Md5(Arc::clone(secret))),
                Some(LastKeys::Ao(ao)) => ao_signing(ao.signer(tuple, header)),
            },
        }
    }

    fn md5_signing(&self, index: u32, tuple: &FourTuple) -> Signing {
        let key = self.keys_of(index).and_then(|keys| keys.md5.find(tuple.peer));
        key.map_or(Signing::Unsigned, |key| Signing::With(Signer::Md5(Arc::clone(&key.secret))))
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

fn ao_signing(signer: Option<AoSigner>) -> Signing {
    signer.map_or(Signing::Impossible, |signer| Signing::With(Signer::Ao(Box::new(signer))))
}
