//! Multicast groups that a socket has joined, and from whom it hears them.
//!
//! Decides what joining, leaving, blocking and admitting change (ip(7), Linux's `ip_mc_join_group` and `ip_mc_source`), with
//! their errnos, and whether a datagram to a group is for the socket. RFC 3376 and RFC 3810: a membership excludes some
//! sources or includes some.
use core::net::IpAddr;

use crate::stack::Result;
use crate::{Errno, IfaceId};

/// Most memberships of one socket (Linux's `igmp_max_memberships`), and most sources of one (`igmp_max_msf`).
const MAX_GROUPS: usize = 20;
const MAX_SOURCES: usize = 10;

/// Whom a membership lets through.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Filter {
    /// Everybody but these.
    Exclude(Vec<IpAddr>),
    /// Only these.
    Include(Vec<IpAddr>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Membership {
    pub(crate) group: IpAddr,
    pub(crate) iface: IfaceId,
    pub(crate) filter: Filter,
}

/// Blocking a source, or admitting one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SourceChange {
    Block,
    Unblock,
    Join,
    Leave,
}

/// All memberships of a socket.
#[derive(Clone, Debug)]
pub(crate) struct Memberships(Vec<Membership>);

impl Memberships {
    pub(crate) const fn new() -> Memberships {
        Memberships(Vec::new())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Membership> {
        self.0.iter()
    }

    fn find(&mut self, group: IpAddr, iface: IfaceId) -> Option<&mut Membership> {
        self.0.iter_mut().find(|joined| joined.group == group && joined.iface == iface)
    }

    /// Join a group from every source.
    pub(crate) fn join(&mut self, group: IpAddr, iface: IfaceId) -> Result<()> {
        if self.find(group, iface).is_some() {
            return Err(Errno::EADDRINUSE);
        }
        self.add(Membership { group, iface, filter: Filter::Exclude(Vec::new()) })
    }

    fn add(&mut self, membership: Membership) -> Result<()> {
        if self.0.len() >= MAX_GROUPS {
            return Err(Errno::ENOBUFS);
        }
        self.0.push(membership);
        Ok(())
    }

    /// Leave a group; without an interface the first membership of that group.
    pub(crate) fn leave(&mut self, group: IpAddr, iface: Option<IfaceId>) -> Result<Membership> {
        let is_it = |joined: &Membership| joined.group == group && iface.is_none_or(|iface| joined.iface == iface);
        let at = self.0.iter().position(is_it).ok_or(Errno::EADDRNOTAVAIL)?;
        Ok(self.0.remove(at))
    }

    /// Change whom a membership lets through.
    pub(crate) fn change_source(
        &mut self,
        group: IpAddr,
        iface: IfaceId,
        source: IpAddr,
        change: SourceChange,
    ) -> Result<()> {
        let Some(joined) = self.find(group, iface) else {
            return match change {
                SourceChange::Join => self.add(Membership { group, iface, filter: Filter::Include(vec![source]) }),
                _ => Err(Errno::EINVAL),
            };
        };
        let (sources, is_adding) = match (&mut joined.filter, change) {
            (Filter::Exclude(sources), SourceChange::Block) => (sources, true),
            (Filter::Exclude(sources), SourceChange::Unblock) => (sources, false),
            (Filter::Include(sources), SourceChange::Join) => (sources, true),
            (Filter::Include(sources), SourceChange::Leave) => (sources, false),
            // As Linux: a membership of the other kind becomes of this one only while it names nobody.
            (filter @ Filter::Exclude(_), SourceChange::Join) if *filter == Filter::Exclude(Vec::new()) => {
                *filter = Filter::Include(vec![source]);
                return Ok(());
            }
            _ => return Err(Errno::EINVAL),
        };
        let known = sources.iter().position(|known| *known == source);
        match (is_adding, known) {
            (true, Some(_)) | (false, None) => Err(Errno::EADDRNOTAVAIL),
            (true, None) if sources.len() >= MAX_SOURCES => Err(Errno::ENOBUFS),
            (true, None) => {
                sources.push(source);
                Ok(())
            }
            (false, Some(at)) => {
                sources.remove(at);
                if joined.filter == Filter::Include(Vec::new()) {
                    self.leave(group, Some(iface))?;
                }
                Ok(())
            }
        }
    }

    /// Replace whom a membership lets through.
    pub(crate) fn replace(&mut self, group: IpAddr, iface: IfaceId, filter: Filter) -> Result<()> {
        self.find(group, iface).ok_or(Errno::EINVAL)?.filter = filter;
        Ok(())
    }

    /// Whether a datagram to a group is for this socket; `hears_all`: also when some other socket has joined.
    pub(crate) fn lets_through(&self, group: IpAddr, iface: IfaceId, source: IpAddr, hears_all: bool) -> bool {
        let joined = self.0.iter().find(|joined| joined.group == group && joined.iface == iface);
        match joined.map(|joined| &joined.filter) {
            None => hears_all,
            Some(Filter::Exclude(sources)) => !sources.contains(&source),
            Some(Filter::Include(sources)) => sources.contains(&source),
        }
    }

    /// Memberships of one family, gone with the socket.
    pub(crate) fn take(&mut self) -> Vec<Membership> {
        core::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    const ETH: IfaceId = IfaceId::at(1);

    #[test]
    fn a_group_is_joined_once_per_interface_and_left_as_often() {
        let mut groups = Memberships::new();
        groups.join(ip("224.1.2.3"), ETH).unwrap();
        groups.join(ip("224.1.2.3"), IfaceId::LOOPBACK).unwrap();
        assert_eq!(groups.join(ip("224.1.2.3"), ETH), Err(Errno::EADDRINUSE));
        groups.leave(ip("224.1.2.3"), Some(ETH)).unwrap();
        assert_eq!(groups.leave(ip("224.1.2.3"), Some(ETH)).err(), Some(Errno::EADDRNOTAVAIL));
        groups.leave(ip("224.1.2.3"), None).unwrap();
        assert_eq!(groups.iter().count(), 0);
    }

    #[test]
    fn sources_are_blocked_or_admitted_one_by_one() {
        let mut groups = Memberships::new();
        let (group, a, b) = (ip("232.1.1.1"), ip("10.0.0.1"), ip("10.0.0.2"));
        groups.change_source(group, ETH, a, SourceChange::Join).unwrap();
        assert_eq!(groups.change_source(group, ETH, a, SourceChange::Join), Err(Errno::EADDRNOTAVAIL));
        assert_eq!(groups.change_source(group, ETH, a, SourceChange::Block), Err(Errno::EINVAL));
        assert!(groups.lets_through(group, ETH, a, false) && !groups.lets_through(group, ETH, b, true));
        groups.change_source(group, ETH, a, SourceChange::Leave).unwrap();
        assert_eq!(groups.iter().count(), 0);
        groups.join(group, ETH).unwrap();
        groups.change_source(group, ETH, b, SourceChange::Block).unwrap();
        assert!(groups.lets_through(group, ETH, a, false) && !groups.lets_through(group, ETH, b, true));
        groups.change_source(group, ETH, b, SourceChange::Unblock).unwrap();
        assert!(groups.lets_through(group, ETH, b, false));
    }

    #[test]
    fn a_socket_that_has_not_joined_hears_what_others_have_joined_if_it_likes() {
        let groups = Memberships::new();
        assert!(groups.lets_through(ip("224.1.1.1"), ETH, ip("10.0.0.1"), true));
        assert!(!groups.lets_through(ip("224.1.1.1"), ETH, ip("10.0.0.1"), false));
    }

    #[test]
    fn a_socket_cannot_join_without_bound() {
        let mut groups = Memberships::new();
        for n in 0..20 {
            groups.join(ip(&format!("224.1.1.{n}")), ETH).unwrap();
        }
        assert_eq!(groups.join(ip("224.1.2.1"), ETH), Err(Errno::ENOBUFS));
    }
}
