//! Signatures of segments, RFC 2385 and RFC 5925: made on those that are injected, verified on those that came.
//!
//! Decides whose key and which numbers a signature is made of; its arithmetic is `segue_tcp`'s. What a script says in
//! hexadecimal is taken as it is.
use std::net::SocketAddr;

use segue_tcp::{AoContext, AoKey, Covered, Extension, find_ao_mac, md5_digest};
use segue_wire::tcp::{MIN_HEADER_LEN, kind};
use segue_wire::{Chunks, TcpFlags, TcpHeader};

use super::endpoint::Endpoint;
use super::inject::Way;
use super::keys::Keys;
use super::live::{Live, LiveBody, split_options};
use crate::ast::{Digest, Mac, OptionSpec, OptionsSpec, TcpSpec};

/// What a signature is made of beside the segment.
#[derive(Clone, Copy)]
pub(super) struct Signing<'a> {
    pub(super) endpoint: &'a Endpoint,
    /// Those of the socket under test.
    pub(super) keys: &'a Keys,
}

/// Put the signatures that the script wants into the header of an injected segment, which is final but for its checksum.
/// The error says why one cannot be made.
pub(super) fn sign(
    signing: Signing<'_>,
    way: Way,
    spec: &TcpSpec,
    head: &mut [u8],
    header: &TcpHeader,
    text: &Chunks,
) -> Result<(), String> {
    let OptionsSpec::List(options) = &spec.options else { return Ok(()) };
    let Way { source, destination } = way;
    let mut at = MIN_HEADER_LEN;
    for option in options {
        if let OptionSpec::Md5(digest) = option
            && let Some(secret) = secret(digest, signing.keys, source)?
        {
            let made = md5_digest(&Covered { source, destination, header: head, front: &[], rest: text }, secret);
            head[at + 2..at + 2 + made.len()].copy_from_slice(&made);
        }
        at += option.length();
    }
    // A MAC of TCP-AO covers the other options, so that it comes last.
    let Some(place) = options.iter().position(|option| matches!(option, OptionSpec::Ao { mac: Mac::Valid(_), .. }))
    else {
        return Ok(());
    };
    let OptionSpec::Ao { key_id, rnext_key_id, mac: Mac::Valid(length) } = options[place] else { return Ok(()) };
    let key = signing.keys.ao_receiving(source, key_id);
    let key = key.ok_or_else(|| format!("no TCP-AO key with rcvid {key_id} was set for the peer {source}"))?;
    check_length(key, length)?;
    let padding = &options[place + 1..];
    let nops = key.option_len() - options[place].length();
    if place != 0 || padding.len() < nops || padding[..nops].iter().any(|option| *option != OptionSpec::Nop) {
        return Err(format!("`mac valid` stands in the first option, with {nops} nop behind it"));
    }
    // The peer's side of the key.
    let key = AoKey { send_id: key.recv_id, recv_id: key.send_id, ..key.clone() };
    let isns = (signing.endpoint.peer_isn, signing.endpoint.own_isn.map(|(live, _)| live));
    let (traffic, extension) = traffic(&key, way, header, isns);
    let unsigned = head.to_vec();
    let covered = Covered { source, destination, header: &unsigned, front: &[], rest: text };
    key.sign(&traffic, extension, rnext_key_id, &covered, head);
    Ok(())
}

/// What is wrong with the signatures of a segment that came, as far as the script wants them verified.
pub(super) fn fault(signing: Signing<'_>, spec: &TcpSpec, live: &Live) -> Option<String> {
    let (OptionsSpec::List(options), LiveBody::Tcp { header, options: raw, .. }) = (&spec.options, &live.body) else {
        return None;
    };
    let transport = live.bytes.get(live.view.transport..live.view.length)?;
    let (head, front) = transport.split_at_checked(MIN_HEADER_LEN + raw.len())?;
    let Way { source, destination } = Way { source: live.view.source, destination: live.view.destination };
    let none = Chunks::new();
    let covered = Covered { source, destination, header: head, front, rest: &none };
    let body = |wanted: u8| split_options(raw).into_iter().find(|(kind, _)| *kind == wanted).map(|(_, body)| body);
    // An option that is not there at all is told by the comparison of the kinds.
    let wrong = |option: &OptionSpec| match option {
        OptionSpec::Md5(digest) => {
            let got = body(kind::MD5)?;
            match secret(digest, signing.keys, destination) {
                Ok(Some(secret)) if md5_digest(&covered, secret) != *got => {
                    Some("the MD5 digest is not the one that the key makes".to_owned())
                }
                Ok(_) => None,
                Err(message) => Some(message),
            }
        }
        OptionSpec::Ao { key_id, mac: Mac::Valid(length), .. } => {
            // Another key's number is told by the comparison, too.
            let at =
                find_ao_mac(head).filter(|_| body(kind::AUTHENTICATION).and_then(<[u8]>::first) == Some(key_id))?;
            let Some(key) = signing.keys.ao_sending(destination, *key_id) else {
                return Some(format!("no TCP-AO key with sndid {key_id} was set for the peer {destination}"));
            };
            if let Err(message) = check_length(key, *length) {
                return Some(message);
            }
            let isns = (signing.endpoint.own_isn.map(|(live, _)| live), signing.endpoint.peer_isn);
            let (traffic, extension) = traffic(key, Way { source, destination }, header, isns);
            let is_genuine = key.verify(&traffic, extension, &covered, at);
            (!is_genuine).then(|| format!("the MAC of TCP-AO is not the one that the key with sndid {key_id} makes"))
        }
        _ => None,
    };
    options.iter().find_map(wrong)
}

/// The secret behind a digest; `None`: the script gives the digest itself.
fn secret<'a>(digest: &'a Digest, keys: &'a Keys, peer: std::net::IpAddr) -> Result<Option<&'a [u8]>, String> {
    match digest {
        Digest::Bytes(_) => Ok(None),
        Digest::Of(secret) => Ok(Some(secret)),
        Digest::Valid => {
            let missing = || format!("no MD5 key was set for the peer {peer}: set one or name it, `md5 key \"…\"`");
            keys.md5(peer).map(Some).ok_or_else(missing)
        }
    }
}

fn check_length(key: &AoKey, length: u8) -> Result<(), String> {
    if key.mac_len == length {
        return Ok(());
    }
    Err(format!("the key's MAC has {} bytes: say `mac valid len {}`", key.mac_len, key.mac_len))
}

/// Traffic key and extension of a segment; `isns`: the initial numbers of its sender and of its receiver.
fn traffic(
    key: &AoKey,
    Way { source, destination }: Way,
    header: &TcpHeader,
    isns: (Option<u32>, Option<u32>),
) -> (segue_tcp::AoOutput, u32) {
    let has = |flag| header.flags.contains(flag);
    // RFC 5925 section 5.2: a SYN is its own beginning, and one without ACK knows nothing of the other's.
    let source_isn = if has(TcpFlags::SYN) { header.sequence } else { isns.0.unwrap_or(0) };
    let destination_isn = if has(TcpFlags::SYN) && !has(TcpFlags::ACK) { 0 } else { isns.1.unwrap_or(0) };
    let context = AoContext {
        source: SocketAddr::new(source, header.source_port),
        destination: SocketAddr::new(destination, header.destination_port),
        source_isn,
        destination_isn,
    };
    (key.traffic_key(&context), Extension::new(source_isn).of(header.sequence))
}
