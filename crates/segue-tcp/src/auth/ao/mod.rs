//! TCP-AO (RFC 5925) with the algorithms of RFC 5926: the arithmetic, and which key is used next.

mod algorithm;
mod session;
mod sne;
mod traffic;
#[cfg(test)]
mod vectors;

pub use algorithm::{AoAlgorithm, AoOutput};
pub use session::AoSession;
pub use sne::Extension;
pub use traffic::{AoContext, AoKey, find_ao_mac};
