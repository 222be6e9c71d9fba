//! IP for both versions: what comes in is verified and handed on, what goes out gets its header.
pub(crate) mod flow_label;
pub(crate) mod fragment;
pub(crate) mod input;
pub(crate) mod output;
