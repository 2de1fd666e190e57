//! How the allocator of this process deals with memory that is no longer used.
//!
//! Changes the whole process: for daemons, never for this crate itself.
#![cfg_attr(all(target_os = "linux", target_env = "gnu"), expect(unsafe_code, reason = "mallopt has no safe wrapper"))]

/// Lets large pieces of memory go back to the system as soon as they are free, also when there were larger ones before:
/// one large answer must not make the process large for good. Does nothing where the allocator is another one than
/// glibc's. Best before there are threads.
pub fn give_back_large_pieces() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        /// From this size on, in bytes, a piece is mapped on its own; unless it is set, it grows with the pieces that are
        /// freed (`mallopt(3)`). Larger than what is read at once and the event that is made of it: to map each of those
        /// took more time than to make it.
        const MAPPED: libc::c_int = 512 * 1024;
        /// So much that is free may stay at the end of a heap, for the same reason.
        const KEPT: libc::c_int = 512 * 1024;
        /// Heaps of their own for more threads than this would only keep what others could use.
        const ARENAS: libc::c_int = 2;
        // SAFETY: mallopt(3) takes two integers, and may be called at any time.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED);
            libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT);
            libc::mallopt(libc::M_ARENA_MAX, ARENAS);
        }
    }
}
