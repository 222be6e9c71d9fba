//! The stack's settings by Linux's sysctl names.
use core::fmt;

/// Every setting of a stack that has a sysctl name.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `net.ipv4.tcp_*`.
    pub tcp: segue_tcp::Config,
    /// `net.ipv4.ip_*`, `icmp_*`, `ipfrag_*` and the like.
    pub ip: IpSettings,
    /// `net.core.*`.
    pub core: CoreSettings,
}

/// IP, ICMP and the stack's own TCP tables.
#[derive(Clone, Debug, Default)]
pub struct IpSettings {}

/// `net.core.*`.
#[derive(Clone, Debug, Default)]
pub struct CoreSettings {}

/// Why a setting was not read or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SysctlError {
    /// No such name.
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest existing name.
        suggestion: Option<&'static str>,
    },
}

impl fmt::Display for SysctlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SysctlError::Unknown { name, .. } = self;
        write!(f, "there is no sysctl {name}")
    }
}

impl core::error::Error for SysctlError {}

impl Settings {
    /// The value of a setting in the form that `sysctl` prints.
    pub fn get(&self, name: &str) -> Result<String, SysctlError> {
        let _ = name;
        todo!()
    }
    /// Changes a setting.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), SysctlError> {
        let _ = (name, value);
        todo!()
    }
    /// Every name that [`get`](Self::get) knows, in full (`net.ipv4.…`).
    pub fn names() -> impl Iterator<Item = &'static str> {
        [].into_iter()
    }
}
