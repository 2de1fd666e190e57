//! Floor 1: the kernel. The only module with `unsafe`.

pub mod host;
