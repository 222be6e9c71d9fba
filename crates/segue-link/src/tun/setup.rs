//! How a device comes to be, and what to tell a user when it does not.
//!
//! Decides the order (driver, device, offloads, addresses, up, routes) and the words of
//! every failure. A device that is only half set up disappears with its descriptor.

use std::ffi::c_int;
use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use super::config::{Prefix, TunConfig, check_name};
use super::netlink::Netlink;
use super::offload::Offload;
use super::sys::{self, InterfaceRequest};

/// A device that is ready for packets.
pub(super) struct Device {
    pub(super) file: File,
    pub(super) name: String,
    pub(super) mtu: usize,
    pub(super) offload: Offload,
}

/// Creates and configures a new device.
pub(super) fn create(config: &TunConfig) -> io::Result<Device> {
    config.check()?;
    for prefix in &config.addresses {
        check_free(*prefix)?;
    }
    let file = sys::open_tun().map_err(explain_open)?;
    let mut request = InterfaceRequest::new(&config.name);
    // The name must be new: somebody else's device is not to be reconfigured by accident.
    let exclusive = libc::IFF_TUN_EXCL;
    let offload = attach_with(&file, &mut request, exclusive, config.offload)
        .map_err(|error| explain_create(error, &config.name))?;
    let name = request.name();
    if !config.addresses.is_empty() && !config.addresses.iter().chain(&config.routes).any(|p| p.address.is_ipv6()) {
        keep_ipv6_quiet(&name);
    }
    configure(&name, config)?;
    Ok(Device { file, name, mtu: config.mtu, offload })
}

/// Attaches to a device that is there already.
pub(super) fn attach(name: &str, offload: bool) -> io::Result<Device> {
    check_name(name)?;
    let control = sys::control_socket()?;
    let mut request = InterfaceRequest::new(name);
    let mtu = request.mtu(&control).map_err(|error| explain_missing(error, name))?;
    if !InterfaceRequest::new(name).is_up(&control)? {
        return Err(io::Error::new(
            io::ErrorKind::NetworkDown,
            format!("device {name} is down; bring it up: ip link set {name} up"),
        ));
    }
    let file = sys::open_tun().map_err(explain_open)?;
    let mut request = InterfaceRequest::new(name);
    let offload = attach_with(&file, &mut request, 0, offload).map_err(|error| explain_attach(error, name))?;
    Ok(Device { file, name: name.to_owned(), mtu, offload })
}

/// Makes the descriptor a device, with the virtio header when it is wanted and can be had.
fn attach_with(file: &File, request: &mut InterfaceRequest, flags: c_int, wanted: bool) -> io::Result<Offload> {
    let flags = flags | libc::IFF_TUN | libc::IFF_NO_PI;
    if !wanted {
        request.attach(file, flags)?;
        // A persistent device remembers what its last user could do.
        sys::set_offload(file, 0)?;
        return Ok(Offload::None);
    }
    request.attach(file, flags | libc::IFF_VNET_HDR)?;
    let tcp = libc::TUN_F_CSUM | libc::TUN_F_TSO4 | libc::TUN_F_TSO6 | libc::TUN_F_TSO_ECN;
    let udp = libc::TUN_F_USO4 | libc::TUN_F_USO6;
    // UDP came with Linux 6.2.
    if sys::set_offload(file, tcp | udp).is_ok() {
        return Ok(Offload::Virtio { udp: true });
    }
    sys::set_offload(file, tcp)?;
    Ok(Offload::Virtio { udp: false })
}

/// Without an IPv6 address the kernel would still solicit routers and report groups on a device, and whoever counts
/// packets would count those. Where IPv6 is not there at all nothing is to be done.
fn keep_ipv6_quiet(name: &str) {
    let _ = std::fs::write(format!("/proc/sys/net/ipv6/conf/{name}/disable_ipv6"), "1");
}

fn configure(name: &str, config: &TunConfig) -> io::Result<()> {
    let index = InterfaceRequest::new(name).index(&sys::control_socket()?)?;
    let mut netlink = Netlink::open()?;
    netlink
        .set_up(index, config.mtu)
        .map_err(|error| explain(&error, format!("cannot bring up {name} with an MTU of {} bytes", config.mtu)))?;
    for &prefix in &config.addresses {
        netlink.add_address(index, prefix).map_err(|error| explain_address(&error, name, prefix))?;
    }
    for &route in &config.routes {
        netlink.add_route(index, route).map_err(|error| explain_route(&error, name, route))?;
    }
    Ok(())
}

/// The kernel would take an address that another interface has; nothing would work as meant.
fn check_free(prefix: Prefix) -> io::Result<()> {
    // Addresses that nobody has: in a network namespace without any address the kernel lets everybody bind to everything.
    let nobodys = match prefix.address {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::new(240, 0, 0, 1)),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 1)),
    };
    let binds = |address| UdpSocket::bind(SocketAddr::new(address, 0)).is_ok();
    if prefix.address.is_unspecified() || !binds(prefix.address) || binds(nobodys) {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::AddrInUse,
        format!("{} is an address of this machine already (see: ip address); choose another", prefix.address),
    ))
}

fn explain(error: &io::Error, what: String) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}

fn explain_open(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(libc::ENOENT | libc::ENODEV | libc::ENXIO) => io::Error::new(
            io::ErrorKind::NotFound,
            "/dev/net/tun is not there: load the driver (modprobe tun), or give the container the device \
             (docker run --device /dev/net/tun --cap-add NET_ADMIN)",
        ),
        Some(libc::EACCES | libc::EPERM) => io::Error::new(
            io::ErrorKind::PermissionDenied,
            "no permission to open /dev/net/tun: run as root, or have root allow it (chmod 0666 /dev/net/tun)",
        ),
        _ => explain(&error, "cannot open /dev/net/tun".to_owned()),
    }
}

fn explain_create(error: io::Error, name: &str) -> io::Error {
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!(
                "creating TUN device {name} needs CAP_NET_ADMIN: run as root, or have root prepare it with \
                 'ip tuntap add dev {name} mode tun user \"$USER\"' and attach to that"
            ),
        ),
        Some(libc::EBUSY | libc::EEXIST | libc::EINVAL) => io::Error::new(
            io::ErrorKind::AlreadyExists,
            format!(
                "there is a device named {name} already (see: ip link); choose another name, or segue%d for the first free one"
            ),
        ),
        _ => explain(&error, format!("cannot create TUN device {name}")),
    }
}

fn explain_missing(error: io::Error, name: &str) -> io::Error {
    match error.raw_os_error() {
        Some(libc::ENODEV) => io::Error::new(
            io::ErrorKind::NotFound,
            format!("there is no device {name}; root can make one: ip tuntap add dev {name} mode tun user NAME"),
        ),
        _ => explain(&error, format!("cannot ask about device {name}")),
    }
}

fn explain_attach(error: io::Error, name: &str) -> io::Error {
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!(
                "device {name} belongs to another user; make it yours: ip tuntap add dev {name} mode tun user NAME"
            ),
        ),
        Some(libc::EBUSY) => {
            io::Error::new(io::ErrorKind::ResourceBusy, format!("device {name} is used by another process already"))
        }
        Some(libc::EINVAL) => io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("device {name} is not a TUN device with a single queue (see: ip -details link show {name})"),
        ),
        _ => explain(&error, format!("cannot attach to device {name}")),
    }
}

fn explain_address(error: &io::Error, name: &str, prefix: Prefix) -> io::Error {
    match error.raw_os_error() {
        Some(libc::EEXIST) => io::Error::new(io::ErrorKind::AddrInUse, format!("{prefix} was given to {name} twice")),
        Some(libc::EACCES | libc::EOPNOTSUPP | libc::EAFNOSUPPORT) if prefix.address.is_ipv6() => io::Error::new(
            io::ErrorKind::Unsupported,
            format!(
                "cannot give {prefix} to {name}: IPv6 is switched off here (see: sysctl net.ipv6.conf.all.disable_ipv6)"
            ),
        ),
        _ => explain(error, format!("cannot give {prefix} to {name}")),
    }
}

fn explain_route(error: &io::Error, name: &str, route: Prefix) -> io::Error {
    match error.raw_os_error() {
        Some(libc::EEXIST) => io::Error::new(
            io::ErrorKind::AlreadyExists,
            format!("there is a route to {route} already (see: ip route); remove it or choose another destination"),
        ),
        _ => explain(error, format!("cannot route {route} to {name}")),
    }
}
