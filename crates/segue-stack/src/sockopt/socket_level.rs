//! Options of `SOL_SOCKET`.
//!
//! Decides which there are for which kind of socket. How their values look and where they are kept is in `socket_values`,
//! `times` and `device`.
use segue_tcp::Instant;

use super::numbers::sol;
use super::socket_values::{buffers, linger_value, memory_info, pacing_value, timeval, timeval_value};
use super::times::{timestamp_name, timestamping_value};
use super::{OptionValue, int};
use crate::socket::Socket;
use crate::socket::common::{Common, Flags};
use crate::socket::datagram::DatagramKind;
use crate::socket::rare::{RareFlags, RareOptions};
use crate::stack::{Result, Stack};
use crate::{Domain, Errno, SocketId};

/// Most packets that busy polling may take at once (Linux's `USHRT_MAX`).
const MAX_POLL_BUDGET: i32 = 65_535;
/// `SKF_AD_MAX`: what BPF programs may ask of a packet.
const BPF_EXTENSIONS: i32 = 64;

/// Options that are a yes or no and nothing else.
enum Switch {
    Common(Flags),
    Rare(RareFlags),
}

fn switch(name: i32) -> Option<Switch> {
    Some(match name {
        sol::BROADCAST => Switch::Common(Flags::BROADCAST),
        sol::DONTROUTE => Switch::Common(Flags::DONT_ROUTE),
        sol::NO_CHECK => Switch::Common(Flags::NO_CHECK),
        sol::DEBUG => Switch::Common(Flags::DEBUG),
        sol::RXQ_OVFL => Switch::Common(Flags::DROP_COUNT),
        sol::SELECT_ERR_QUEUE => Switch::Common(Flags::ERROR_QUEUE_IS_PRIORITY),
        sol::RCVMARK => Switch::Common(Flags::RECV_MARK),
        sol::RCVPRIORITY => Switch::Common(Flags::RECV_PRIORITY),
        sol::WIFI_STATUS => Switch::Rare(RareFlags::WIFI_STATUS),
        sol::NOFCS => Switch::Rare(RareFlags::NO_FCS),
        sol::PREFER_BUSY_POLL => Switch::Rare(RareFlags::PREFER_BUSY_POLL),
        _ => return None,
    })
}

impl Stack {
    pub(super) fn set_socket_option(&mut self, now: Instant, id: SocketId, name: i32, value: &[u8]) -> Result<()> {
        if name == sol::BINDTODEVICE {
            return self.bind_to_device(id, value);
        }
        // As Linux: before the option is even looked at.
        let number = int(value)?;
        let on = number != 0;
        if let Some(switch) = switch(name) {
            return match switch {
                Switch::Common(flag) => self.set_flag(id, flag, on),
                Switch::Rare(flag) => self.change_rare(id, |rare| rare.flags.set(flag, on)),
            };
        }
        match name {
            sol::REUSEADDR => self.set_claim_flag(id, Flags::REUSE_ADDRESS, on),
            sol::REUSEPORT => self.set_claim_flag(id, Flags::REUSE_PORT, on),
            sol::KEEPALIVE => self.set_keep_alive(now, id, on),
            sol::OOBINLINE => self.set_urgent_inline(now, id, on),
            sol::LINGER => self.set_linger(now, id, value),
            sol::RCVBUF | sol::RCVBUFFORCE | sol::SNDBUF | sol::SNDBUFFORCE => self.set_buffer(now, id, name, number),
            sol::BUF_LOCK => self.set_buffer_lock(now, id, number),
            sol::RCVLOWAT => self.set_rcvlowat(now, id, number),
            sol::MAX_PACING_RATE => self.set_max_pacing_rate(now, id, value),
            sol::TIMESTAMP | sol::TIMESTAMPNS | sol::TIMESTAMP_NEW | sol::TIMESTAMPNS_NEW => {
                self.set_timestamp(id, name, on)
            }
            sol::TIMESTAMPING | sol::TIMESTAMPING_NEW => self.set_timestamping(id, name, value),
            sol::ZEROCOPY => self.set_zerocopy(id, number),
            sol::TXTIME => self.set_tx_time(id, value),
            sol::BINDTOIFINDEX => self.bind_to_interface(id, number),
            sol::RCVTIMEO | sol::RCVTIMEO_NEW => {
                let time = timeval(value)?;
                self.change_rare(id, |rare| rare.receive_timeout = time)
            }
            sol::SNDTIMEO | sol::SNDTIMEO_NEW => {
                let time = timeval(value)?;
                self.change_rare(id, |rare| rare.send_timeout = time)
            }
            _ => self.set_rare_number(id, name, number),
        }
    }

    /// Options whose value is a number that few ever set.
    fn set_rare_number(&mut self, id: SocketId, name: i32, number: i32) -> Result<()> {
        let is_stream = matches!(self.live(id)?, Socket::Stream(_));
        match name {
            sol::PRIORITY => self.change_rare(id, |rare| rare.priority = number),
            sol::MARK => self.change_rare(id, |rare| rare.mark = number as u32),
            sol::INCOMING_CPU => self.change_rare(id, |rare| rare.incoming_cpu = number),
            sol::BUSY_POLL if number < 0 => Err(Errno::EINVAL),
            sol::BUSY_POLL => self.change_rare(id, |rare| rare.busy_poll = number),
            sol::PEEK_OFF if self.is_ping(id) => Err(Errno::EOPNOTSUPP),
            sol::PEEK_OFF => self.change_rare(id, |rare| rare.peek_offset = number),
            sol::TXREHASH if !is_stream => Err(Errno::EOPNOTSUPP),
            sol::TXREHASH => match number {
                -1..=1 => self.change_rare(id, |rare| rare.flags.set(RareFlags::TX_REHASH_OFF, number == 0)),
                _ => Err(Errno::EINVAL),
            },
            sol::LOCK_FILTER => {
                let is_locked = self.live(id)?.common().rare().flags.contains(RareFlags::FILTER_LOCKED);
                if is_locked && number == 0 {
                    return Err(Errno::EPERM);
                }
                self.change_rare(id, |rare| rare.flags.set(RareFlags::FILTER_LOCKED, number != 0))
            }
            // What follows is taken as Linux takes it, which does nothing either: there is no route cache to be distrusted,
            // no queue of a device to be polled, no memory to be set aside.
            sol::BSDCOMPAT | sol::CNX_ADVICE => Ok(()),
            sol::BUSY_POLL_BUDGET if (0..=MAX_POLL_BUDGET).contains(&number) => Ok(()),
            sol::BUSY_POLL_BUDGET => Err(Errno::EINVAL),
            sol::RESERVE_MEM if number < 0 => Err(Errno::EINVAL),
            sol::RESERVE_MEM => Err(Errno::EOPNOTSUPP),
            // Credentials and security labels travel on local sockets only.
            sol::PASSCRED | sol::PASSSEC | sol::PASSPIDFD | sol::PASSRIGHTS => Err(Errno::EOPNOTSUPP),
            // There are no filters: a program that asks for one must not believe that it is heard.
            sol::ATTACH_FILTER | sol::ATTACH_BPF => Err(Errno::EINVAL),
            sol::ATTACH_REUSEPORT_CBPF | sol::ATTACH_REUSEPORT_EBPF | sol::DETACH_REUSEPORT_BPF => Err(Errno::EINVAL),
            sol::DETACH_FILTER => Err(Errno::ENOENT),
            sol::DEVMEM_DONTNEED if is_stream => Err(Errno::EINVAL),
            sol::DEVMEM_DONTNEED => Err(Errno::EBADF),
            _ => Err(Errno::ENOPROTOOPT),
        }
    }

    pub(super) fn get_socket_option(
        &mut self,
        now: Instant,
        id: SocketId,
        name: i32,
        room: usize,
    ) -> Result<OptionValue> {
        if name == sol::ERROR {
            return Ok(OptionValue::Int(self.take_error(now, id)?.map_or(0, |error| error.0)));
        }
        let socket = self.live(id)?;
        let common = socket.common();
        let rare = common.rare();
        let has = |flags| OptionValue::from(common.has(flags));
        if let Some(switch) = switch(name) {
            return Ok(match switch {
                Switch::Common(flag) => has(flag),
                Switch::Rare(flag) => rare.flags.contains(flag).into(),
            });
        }
        let tcp = match socket {
            Socket::Stream(stream) => Some(stream.options()),
            Socket::Datagram(_) => None,
        };
        Ok(match name {
            sol::REUSEADDR => has(Flags::REUSE_ADDRESS),
            sol::REUSEPORT => has(Flags::REUSE_PORT),
            sol::KEEPALIVE => tcp.map_or(has(Flags::KEEP_ALIVE), |options| options.keepalive.into()),
            sol::OOBINLINE => tcp.map_or(has(Flags::OOB_INLINE), |options| options.oob_inline.into()),
            sol::LINGER => linger_value(tcp.map_or(rare.linger, |options| options.linger)),
            sol::RCVBUF => OptionValue::Int(buffers(socket).0 as i32),
            sol::SNDBUF => OptionValue::Int(buffers(socket).1 as i32),
            sol::BUF_LOCK => OptionValue::Int(self.buffer_lock(id)?),
            sol::RCVLOWAT => OptionValue::Int(tcp.map_or(rare.rcvlowat, |options| options.rcvlowat) as i32),
            sol::SNDLOWAT => OptionValue::Int(1),
            sol::RCVTIMEO | sol::RCVTIMEO_NEW => timeval_value(rare.receive_timeout),
            sol::SNDTIMEO | sol::SNDTIMEO_NEW => timeval_value(rare.send_timeout),
            sol::MAX_PACING_RATE => {
                let limit = tcp.map_or(rare.max_pacing_rate, |options| options.max_pacing_rate.unwrap_or(u64::MAX));
                pacing_value(limit, room)
            }
            sol::TIMESTAMP | sol::TIMESTAMPNS | sol::TIMESTAMP_NEW | sol::TIMESTAMPNS_NEW => {
                (timestamp_name(common) == Some(name)).into()
            }
            sol::TIMESTAMPING | sol::TIMESTAMPING_NEW => timestamping_value(common, name),
            sol::ZEROCOPY => has(Flags::ZEROCOPY),
            sol::TXTIME => {
                let (clock, flags) = rare.tx_time;
                OptionValue::Bytes([clock.to_ne_bytes(), flags.to_ne_bytes()].concat())
            }
            sol::BINDTODEVICE => self.device_name(id, room)?,
            sol::BINDTOIFINDEX => OptionValue::Int(rare.device.map_or(0, |iface| iface.number() as i32)),
            sol::MEMINFO => OptionValue::Bytes(memory_info(socket).map(u32::to_ne_bytes).concat()),
            sol::COOKIE | sol::NETNS_COOKIE if room < 8 => return Err(Errno::EINVAL),
            sol::COOKIE => OptionValue::Bytes(id.as_u64().to_ne_bytes().to_vec()),
            sol::NETNS_COOKIE if room != 8 => return Err(Errno::EINVAL),
            sol::NETNS_COOKIE => OptionValue::Bytes(1u64.to_ne_bytes().to_vec()),
            sol::PEERNAME => self.peer_name_bytes(id, room)?,
            _ => return self.get_socket_number(id, name),
        })
    }

    /// Options whose value is a number, and those that never have one here.
    fn get_socket_number(&self, id: SocketId, name: i32) -> Result<OptionValue> {
        let socket = self.live(id)?;
        let rare = socket.common().rare();
        let is_stream = matches!(socket, Socket::Stream(_));
        Ok(OptionValue::Int(match name {
            sol::TYPE => {
                if is_stream {
                    1
                } else {
                    2
                }
            }
            sol::DOMAIN if socket.common().domain == Domain::Inet => 2,
            sol::DOMAIN => 10,
            sol::PROTOCOL => protocol_number(socket),
            sol::ACCEPTCONN => matches!(socket, Socket::Stream(stream) if stream.listener().is_some()).into(),
            sol::PRIORITY => rare.priority,
            sol::MARK => rare.mark as i32,
            sol::BUSY_POLL => rare.busy_poll,
            sol::INCOMING_CPU => rare.incoming_cpu,
            sol::PEEK_OFF if self.is_ping(id) => return Err(Errno::EOPNOTSUPP),
            sol::PEEK_OFF => rare.peek_offset,
            sol::TXREHASH if !is_stream => return Err(Errno::EOPNOTSUPP),
            sol::TXREHASH => i32::from(!rare.flags.contains(RareFlags::TX_REHASH_OFF)),
            sol::LOCK_FILTER => rare.flags.contains(RareFlags::FILTER_LOCKED).into(),
            sol::BPF_EXTENSIONS => BPF_EXTENSIONS,
            sol::BSDCOMPAT | sol::INCOMING_NAPI_ID | sol::RESERVE_MEM => 0,
            sol::PASSCRED | sol::PASSSEC | sol::PASSPIDFD | sol::PASSRIGHTS => return Err(Errno::EOPNOTSUPP),
            sol::PEERGROUPS | sol::PEERPIDFD => return Err(Errno::ENODATA),
            // No process is known at the other end.
            sol::PEERCRED => return Ok(OptionValue::Bytes([0i32, -1, -1].map(i32::to_ne_bytes).concat())),
            sol::ATTACH_FILTER => return Ok(OptionValue::Bytes(Vec::new())),
            _ => return Err(Errno::ENOPROTOOPT),
        }))
    }

    pub(super) fn set_flag(&mut self, id: SocketId, flag: Flags, on: bool) -> Result<()> {
        self.live_mut(id)?.common_mut().flags.set(flag, on);
        Ok(())
    }

    /// A flag that the port tables know of.
    fn set_claim_flag(&mut self, id: SocketId, flag: Flags, on: bool) -> Result<()> {
        self.live(id)?;
        self.change_claim(id.index, |common: &mut Common| common.flags.set(flag, on));
        Ok(())
    }

    pub(super) fn change_rare(&mut self, id: SocketId, change: impl FnOnce(&mut RareOptions)) -> Result<()> {
        change(self.live_mut(id)?.common_mut().rare_mut());
        Ok(())
    }

    pub(super) fn is_ping(&self, id: SocketId) -> bool {
        matches!(self.live(id), Ok(Socket::Datagram(datagram)) if datagram.kind == DatagramKind::Ping)
    }
}

fn protocol_number(socket: &Socket) -> i32 {
    match socket {
        Socket::Stream(_) => 6,
        Socket::Datagram(datagram) => match (datagram.kind, datagram.common.domain) {
            (DatagramKind::Udp, _) => 17,
            (DatagramKind::Ping, Domain::Inet) => 1,
            (DatagramKind::Ping, Domain::Inet6) => 58,
        },
    }
}
