//! ioctl(2) that asks about interfaces (netdevice(7)): the program's host has its own, whatever kind of socket is asked.

use std::net::{IpAddr, Ipv4Addr};

use crate::caller::{Caller, DONE, Reply};
use crate::route::{Interface, interfaces};

/// The requests about interfaces lie between these two (linux/sockios.h).
pub(crate) const FIRST: u32 = GET_NAME;
pub(crate) const LAST: u32 = GET_QUEUE_LENGTH;

const GET_NAME: u32 = 0x8910;
const GET_LIST: u32 = 0x8912;
const GET_FLAGS: u32 = 0x8913;
const GET_ADDRESS: u32 = 0x8915;
const GET_PEER_ADDRESS: u32 = 0x8917;
const GET_BROADCAST: u32 = 0x8919;
const GET_NETMASK: u32 = 0x891b;
const GET_METRIC: u32 = 0x891d;
const GET_MTU: u32 = 0x8921;
const GET_HARDWARE: u32 = 0x8927;
const GET_INDEX: u32 = 0x8933;
const GET_QUEUE_LENGTH: u32 = 0x8942;
/// SIOCSIFFLAGS … SIOCSIFMETRIC, SIOCSIFMTU, SIOCSIFNAME, SIOCSIFHWADDR: changes.
const CHANGES: [u32; 9] = [0x8914, 0x8916, 0x8918, 0x891a, 0x891c, 0x891e, 0x8922, 0x8923, 0x8924];

/// `struct ifreq`: a name, then a union.
pub(crate) const REQUEST: usize = 40;
const NAME: usize = 16;

pub(super) fn ask(caller: &mut Caller<'_>) -> Reply {
    let request = caller.call.int(1) as u32;
    if CHANGES.contains(&request) {
        return Err(libc::EPERM);
    }
    let (at, all) = (caller.call.word(2), interfaces(caller.sup));
    if request == GET_LIST {
        return list(caller, at, &all);
    }
    let (place, value) = answer(request, &caller.read(at, REQUEST)?, &all)?;
    caller.write(at.wrapping_add(place as u64), &value)?;
    DONE
}

/// What is to be written into a `struct ifreq`, and where in it.
pub(crate) fn answer(request: u32, raw: &[u8], all: &[Interface]) -> Result<(usize, Vec<u8>), i32> {
    if request == GET_NAME {
        let number = raw.get(NAME..NAME + 4).and_then(|part| part.try_into().ok()).map(u32::from_ne_bytes);
        let found = all.iter().find(|interface| Some(interface.number) == number).ok_or(libc::ENODEV)?;
        return Ok((0, name(found).to_vec()));
    }
    let wanted = raw.get(..NAME).unwrap_or_default().split(|byte| *byte == 0).next().unwrap_or_default();
    // An alias (eth0:1) is its interface.
    let wanted = wanted.split(|byte| *byte == b':').next().unwrap_or_default();
    let found = all.iter().find(|interface| interface.name.as_bytes() == wanted).ok_or(libc::ENODEV)?;
    value(request, found).map(|value| (NAME, value))
}

fn name(interface: &Interface) -> [u8; NAME] {
    let mut out = [0; NAME];
    out[..NAME - 1].iter_mut().zip(interface.name.bytes()).for_each(|(to, from)| *to = from);
    out
}

/// `struct sockaddr_in` without a port.
fn address(ip: Ipv4Addr) -> Vec<u8> {
    let mut out = (libc::AF_INET as u16).to_ne_bytes().to_vec();
    out.extend([0, 0]);
    out.extend(ip.octets());
    out.resize(16, 0);
    out
}

/// The first IPv4 address, which is the one that these requests are about.
fn first(interface: &Interface) -> Result<(Ipv4Addr, u32), i32> {
    let first = interface.addresses.iter().find_map(|(ip, prefix)| match ip {
        IpAddr::V4(ip) => Some((*ip, u32::MAX.checked_shl(32 - u32::from(*prefix)).unwrap_or(0))),
        IpAddr::V6(_) => None,
    });
    first.ok_or(libc::EADDRNOTAVAIL)
}

/// What the union says in the answer.
fn value(request: u32, interface: &Interface) -> Result<Vec<u8>, i32> {
    let int = |value: i32| Ok(value.to_ne_bytes().to_vec());
    match request {
        // The flags that fit: two bytes.
        GET_FLAGS => Ok((interface.flags() as u16).to_ne_bytes().to_vec()),
        GET_ADDRESS | GET_PEER_ADDRESS => first(interface).map(|(ip, _)| address(ip)),
        GET_NETMASK => first(interface).map(|(_, mask)| address(Ipv4Addr::from_bits(mask))),
        GET_BROADCAST if interface.is_loopback => Ok(address(Ipv4Addr::UNSPECIFIED)),
        GET_BROADCAST => first(interface).map(|(ip, mask)| address(Ipv4Addr::from_bits(ip.to_bits() | !mask))),
        GET_METRIC => int(0),
        GET_MTU => int(interface.mtu as i32),
        GET_HARDWARE => {
            let mut out = interface.hardware().to_ne_bytes().to_vec();
            out.resize(16, 0);
            Ok(out)
        }
        GET_INDEX => int(interface.number as i32),
        GET_QUEUE_LENGTH => int(1000),
        _ => Err(libc::ENOTTY),
    }
}

/// `struct ifconf`: every interface that has an IPv4 address; without a buffer, how much room that takes.
fn list(caller: &Caller<'_>, at: u64, all: &[Interface]) -> Reply {
    const BUFFER_AT: usize = 8;
    let raw = caller.read(at, 16)?;
    let room = raw.get(..4).and_then(|part| part.try_into().ok()).map_or(0, i32::from_ne_bytes);
    // As on Linux, whatever it says where there is no buffer; and none is room for none.
    let room = usize::try_from(room).unwrap_or(0);
    let buffer = raw.get(BUFFER_AT..).and_then(|part| part.try_into().ok()).map_or(0, u64::from_ne_bytes);
    let mut entries: Vec<u8> = Vec::new();
    for interface in all {
        let Ok((ip, _)) = first(interface) else { continue };
        entries.extend(name(interface));
        entries.extend(address(ip));
        entries.resize(entries.len().next_multiple_of(REQUEST), 0);
    }
    if buffer != 0 {
        entries.truncate(room / REQUEST * REQUEST);
        caller.write(buffer, &entries)?;
    }
    caller.write(at, &(entries.len() as i32).to_ne_bytes())?;
    DONE
}
