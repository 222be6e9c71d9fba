//! A network simulator in virtual time over the Segue stack.
