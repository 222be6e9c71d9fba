//! Options of `IPPROTO_TCP`.
use core::time::Duration;

use segue_tcp::{CongestionName, DeferAccept, Instant, SocketOptions, State};

use super::numbers::tcp;
use super::tcp_info::{cc_info, tcp_info};
use super::{OptionValue, flag, int};
use crate::socket::Socket;
use crate::socket::common::Flags;
use crate::stack::{Result, Stack};
use crate::tcp::stream::Role;
use crate::{Errno, SocketId};

/// Linux's bounds: `TCP_MIN_MSS`, `MAX_TCP_WINDOW`, `MAX_TCP_KEEPIDLE`, `MAX_TCP_KEEPCNT`, `MAX_TCP_SYNCNT`,
/// `TCP_FIN_TIMEOUT_MAX`, half of `SOCK_MIN_RCVBUF`.
const MSS: core::ops::RangeInclusive<i32> = 88..=32767;
const KEEP_SECONDS: core::ops::RangeInclusive<i32> = 1..=32767;
const COUNT: core::ops::RangeInclusive<i32> = 1..=127;
const MAX_LINGER2: i32 = 120;
const MIN_CLAMP: u32 = 1152;
const RTO_MAX_MS: core::ops::RangeInclusive<i32> = 1_000..=120_000;
/// `TCP_TIMEOUT_MIN`, two ticks of a thousandth of a second, to `TCP_RTO_MIN` and `TCP_DELACK_MAX`.
const TIMER_US: core::ops::RangeInclusive<i32> = 2_000..=200_000;
/// Length of a congestion control's name, `TCP_CA_NAME_MAX`.
const NAME_MAX: usize = 16;
/// The MSS of a socket that has not met a peer (RFC 9293 3.7.1).
const DEFAULT_MSS: i32 = 536;

impl Stack {
    pub(super) fn set_tcp_option(&mut self, now: Instant, id: SocketId, name: i32, value: &[u8]) -> Result<()> {
        match name {
            tcp::CONGESTION => return self.set_congestion(now, id, value),
            tcp::AO_ADD_KEY..=tcp::AO_REPAIR => return self.set_ao_option(now, id, name, value),
            tcp::MD5SIG | tcp::MD5SIG_EXT => return self.set_md5_option(now, id, name, value),
            // No protocol lies on top of TCP here.
            tcp::ULP if value.is_empty() => return Err(Errno::EINVAL),
            tcp::ULP => return Err(Errno::ENOENT),
            _ => {}
        }
        if let Some(done) = self.set_fast_open_option(id, name, value) {
            return done;
        }
        let number = int(value)?;
        let on = flag(value)?;
        let within = |range: core::ops::RangeInclusive<i32>| {
            if range.contains(&number) { Ok(number) } else { Err(Errno::EINVAL) }
        };
        let seconds = |number: i32| Duration::from_secs(number as u64);
        let change: Box<dyn FnOnce(&mut SocketOptions)> = match name {
            tcp::INQ if (0..=1).contains(&number) => return self.set_flag(id, Flags::IN_QUEUE, on),
            tcp::INQ => return Err(Errno::EINVAL),
            tcp::NODELAY => Box::new(move |options| (options.nodelay, options.push) = (on, on)),
            tcp::CORK => Box::new(move |options| (options.cork, options.push) = (on, !on)),
            tcp::QUICKACK => Box::new(move |options| options.quickack = Some(on)),
            tcp::MAXSEG => {
                let mss = if number == 0 { None } else { Some(within(MSS)? as u16) };
                Box::new(move |options| options.max_seg = mss)
            }
            tcp::KEEPIDLE => {
                let time = seconds(within(KEEP_SECONDS)?);
                Box::new(move |options| options.keep_idle = Some(time))
            }
            tcp::KEEPINTVL => {
                let time = seconds(within(KEEP_SECONDS)?);
                Box::new(move |options| options.keep_intvl = Some(time))
            }
            tcp::KEEPCNT => {
                let count = within(COUNT)? as u8;
                Box::new(move |options| options.keep_cnt = Some(count))
            }
            tcp::SYNCNT => {
                let count = within(COUNT)? as u8;
                Box::new(move |options| options.syn_cnt = Some(count))
            }
            tcp::LINGER2 => {
                let time = if number < 0 { -1 } else { number.min(MAX_LINGER2) };
                // As Linux: zero brings the default back.
                Box::new(move |options| options.fin_timeout = if time == 0 { None } else { Some(time) })
            }
            tcp::DEFER_ACCEPT => {
                let defer = DeferAccept::from_seconds(number);
                Box::new(move |options| options.defer_accept = defer)
            }
            tcp::WINDOW_CLAMP => {
                let is_closed = matches!(self.stream_mut(id)?.role, Role::Idle(_));
                let clamp = match number {
                    0 if !is_closed => return Err(Errno::EINVAL),
                    0 => None,
                    number => Some((number.max(0) as u32).max(MIN_CLAMP)),
                };
                Box::new(move |options| options.window_clamp = clamp)
            }
            tcp::USER_TIMEOUT => {
                let millis = u64::try_from(number).map_err(|_| Errno::EINVAL)?;
                let time = (millis != 0).then(|| Duration::from_millis(millis));
                Box::new(move |options| options.user_timeout = time)
            }
            tcp::USER_TIMEOUT_OPTION => {
                let on = within(0..=1)? == 1;
                Box::new(move |options| options.user_timeout_option = Some(on))
            }
            tcp::RTO_MAX_MS => {
                let time = Duration::from_millis(within(RTO_MAX_MS)? as u64);
                Box::new(move |options| options.rto_max = Some(time))
            }
            tcp::RTO_MIN_US => {
                let time = Duration::from_micros(within(TIMER_US)? as u64);
                Box::new(move |options| options.rto_min = Some(time))
            }
            tcp::DELACK_MAX_US => {
                let time = Duration::from_micros(within(TIMER_US)? as u64);
                Box::new(move |options| options.delack_max = Some(time))
            }
            tcp::NOTSENT_LOWAT => Box::new(move |options| options.notsent_lowat = Some(number as u32)),
            tcp::THIN_LINEAR_TIMEOUTS => {
                let on = within(0..=1)? == 1;
                Box::new(move |options| options.thin_linear = on)
            }
            _ => return self.set_tcp_rarity(id, name, number),
        };
        self.change_tcp_options(now, id, change)
    }

    fn set_congestion(&mut self, now: Instant, id: SocketId, value: &[u8]) -> Result<()> {
        if value.is_empty() {
            return Err(Errno::EINVAL);
        }
        // As Linux: what is longer than a name can be is cut.
        let name = value[..value.len().min(NAME_MAX - 1)].split(|byte| *byte == 0).next().unwrap_or_default();
        let name = core::str::from_utf8(name).map_err(|_| Errno::ENOENT)?;
        let congestion: CongestionName = name.parse().map_err(|_| Errno::ENOENT)?;
        let settings = &self.settings;
        if congestion != settings.tcp.congestion && !settings.ip.allowed_congestion_control.contains(&congestion) {
            return Err(Errno::EPERM);
        }
        self.change_tcp_options(now, id, |options| options.congestion = Some(congestion))
    }

    /// Change the options of a stream socket, in whatever role it is.
    pub(crate) fn change_tcp_options(
        &mut self,
        now: Instant,
        id: SocketId,
        change: impl FnOnce(&mut SocketOptions),
    ) -> Result<()> {
        self.stream_mut(id)?;
        let Stack { sockets, tcp, .. } = self;
        let Some(Socket::Stream(stream)) = sockets.at_mut(id.index) else { return Err(Errno::EBADF) };
        let outcome = match &mut stream.role {
            Role::Idle(idle) => {
                change(&mut idle.options);
                return Ok(());
            }
            Role::Listener(listener) => {
                change(&mut listener.options);
                return Ok(());
            }
            Role::Connected(flow) => {
                let mut options = flow.connection.options().clone();
                change(&mut options);
                let kept = flow.connection.config().kept();
                let wanted = kept.with(&options);
                if wanted != kept {
                    flow.connection.set_config(tcp.config_keeping(&wanted));
                }
                flow.connection.set_options(now, options)
            }
        };
        self.settle(now, id.index, outcome);
        Ok(())
    }

    pub(super) fn get_tcp_option(&mut self, now: Instant, id: SocketId, name: i32, room: usize) -> Result<OptionValue> {
        if let Some(value) = self.get_fast_open_option(id, name) {
            return value;
        }
        let config = &self.settings.tcp;
        let Socket::Stream(stream) = self.live(id)? else { return Err(Errno::ENOPROTOOPT) };
        let options = stream.options();
        let kept = stream.config().kept().with(options);
        let seconds = |time: Duration| OptionValue::Int(time.as_secs().min(i32::MAX as u64) as i32);
        Ok(match name {
            tcp::NODELAY => options.nodelay.into(),
            tcp::CORK => options.cork.into(),
            tcp::QUICKACK => {
                let in_force = stream.flow().and_then(|flow| flow.connection.is_quick());
                in_force.or(options.quickack).unwrap_or(true).into()
            }
            tcp::MAXSEG => OptionValue::Int(match stream.flow() {
                Some(flow) if flow.connection.state() != State::SynSent => flow.connection.info(now).snd_mss as i32,
                _ => options.max_seg.map_or(DEFAULT_MSS, i32::from),
            }),
            tcp::KEEPIDLE => seconds(options.keep_idle.unwrap_or(config.keepalive_time)),
            tcp::KEEPINTVL => seconds(options.keep_intvl.unwrap_or(config.keepalive_intvl)),
            tcp::KEEPCNT => OptionValue::Int(options.keep_cnt.unwrap_or(config.keepalive_probes).into()),
            tcp::SYNCNT => OptionValue::Int(options.syn_cnt.unwrap_or(config.syn_retries).into()),
            tcp::LINGER2 => match options.fin_timeout {
                Some(time) => OptionValue::Int(time),
                None => seconds(config.fin_timeout),
            },
            tcp::DEFER_ACCEPT => OptionValue::Int(options.defer_accept.seconds() as i32),
            tcp::WINDOW_CLAMP => {
                let in_force = stream.flow().and_then(|flow| flow.connection.window_clamp());
                OptionValue::Int(options.window_clamp.or(in_force).unwrap_or(0) as i32)
            }
            tcp::USER_TIMEOUT => OptionValue::Int(options.user_timeout().map_or(0, |time| time.as_millis() as i32)),
            tcp::USER_TIMEOUT_OPTION => options.user_timeout_option.unwrap_or(config.user_timeout_option).into(),
            tcp::RTO_MAX_MS => OptionValue::Int(kept.rto_max.as_millis() as i32),
            tcp::RTO_MIN_US => OptionValue::Int(kept.rto_min.as_micros() as i32),
            tcp::DELACK_MAX_US => OptionValue::Int(kept.delack_max.as_micros() as i32),
            tcp::NOTSENT_LOWAT => OptionValue::Int(options.notsent_lowat.unwrap_or(0) as i32),
            tcp::CONGESTION => {
                let mut name = options.congestion.unwrap_or(config.congestion).as_str().as_bytes().to_vec();
                name.resize(NAME_MAX, 0);
                OptionValue::Bytes(name)
            }
            tcp::THIN_LINEAR_TIMEOUTS => options.thin_linear.into(),
            tcp::INQ => stream.common.has(Flags::IN_QUEUE).into(),
            tcp::INFO => OptionValue::Bytes(tcp_info(stream, now)),
            tcp::CC_INFO => OptionValue::Bytes(cc_info(stream, options.congestion.unwrap_or(config.congestion))),
            _ => return self.get_tcp_rarity(now, id, name, room),
        })
    }
}
