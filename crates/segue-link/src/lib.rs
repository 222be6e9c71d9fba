//! Links: memory pair, emulated path, TUN devices, capture tee.
