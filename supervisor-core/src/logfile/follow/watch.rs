//! Waits until a followed log may have changed.
//!
//! Wakes too often rather than not at all, also when a directory above the log was moved away and another is in its place.
//! Without inotify, or where it cannot see everything (a log behind a symbolic link), a timer does.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use async_io::Timer;
use futures_lite::FutureExt;

/// How long a change may go unnoticed without inotify.
const PERIOD: Duration = Duration::from_millis(100);

/// Watches one file and the directory of its path.
#[derive(Debug)]
pub(super) struct Watch {
    #[cfg(target_os = "linux")]
    inotify: Option<linux::Inotify>,
}

impl Watch {
    /// For the log at `path`.
    pub(super) fn new(path: &Path) -> Self {
        #[cfg(not(target_os = "linux"))]
        let _ = path;
        Self {
            #[cfg(target_os = "linux")]
            inotify: linux::Inotify::new(path).ok(),
        }
    }

    /// Watches `file`, opened at `path`, in place of the file before.
    pub(super) fn set_file(&mut self, file: &File, path: &Path) {
        #[cfg(target_os = "linux")]
        if let Some(inotify) = &mut self.inotify
            && inotify.set_file(file, path).is_err()
        {
            self.inotify = None;
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (file, path);
    }

    /// Waits until something may have changed since the last call. With the path `gone`, perhaps with its whole
    /// directory, looks from time to time as well.
    pub(super) async fn changed(&mut self, gone: bool) {
        let timer = async {
            Timer::after(PERIOD).await;
            Ok(())
        };
        #[cfg(target_os = "linux")]
        if let Some(inotify) = &self.inotify {
            let woken = if gone { inotify.changed().or(timer).await } else { inotify.changed().await };
            if woken.is_err() {
                self.inotify = None;
            }
            return;
        }
        #[cfg(not(target_os = "linux"))]
        let _ = gone;
        let _: std::io::Result<()> = timer.await;
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::{self, File};
    use std::io;
    use std::os::fd::{AsRawFd, OwnedFd};
    use std::path::Path;

    use async_io::Async;
    use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
    use rustix::io::Errno;

    #[derive(Debug)]
    pub(super) struct Inotify {
        fd: Async<OwnedFd>,
        file: Option<i32>,
        /// That of the log, and those above it.
        directories: Vec<i32>,
    }

    impl Inotify {
        pub(super) fn new(path: &Path) -> io::Result<Self> {
            if fs::symlink_metadata(path)?.is_symlink() {
                return Err(io::Error::new(
                    io::ErrorKind::Unsupported,
                    "what the link names may be replaced elsewhere",
                ));
            }
            let fd = Async::new_nonblocking(inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?)?;
            Ok(Self { fd, file: None, directories: Vec::new() })
        }

        pub(super) fn set_file(&mut self, file: &File, path: &Path) -> io::Result<()> {
            self.set_directories(path)?;
            let changes = WatchFlags::MODIFY | WatchFlags::ATTRIB | WatchFlags::MOVE_SELF;
            if let Some(old) = self.file.take() {
                // Fails if the old file is gone for good, and its watch with it.
                let _ = inotify::remove_watch(&self.fd, old);
            }
            // By descriptor: the path may mean another file by now.
            let by_descriptor = format!("/proc/self/fd/{}", file.as_raw_fd());
            let watch = inotify::add_watch(&self.fd, &*by_descriptor, changes)
                .or_else(|_| inotify::add_watch(&self.fd, path, changes))?;
            self.file = Some(watch);
            Ok(())
        }

        /// Each time, for they may be other directories by now; else this changes nothing.
        fn set_directories(&mut self, path: &Path) -> io::Result<()> {
            let moved = WatchFlags::MOVE_SELF | WatchFlags::DELETE_SELF | WatchFlags::ONLYDIR;
            let names = WatchFlags::CREATE | WatchFlags::MOVED_TO | moved;
            let mut above =
                path.ancestors().skip(1).map(|above| if above == Path::new("") { Path::new(".") } else { above });
            let mut now = Vec::new();
            if let Some(directory) = above.next() {
                now.push(inotify::add_watch(&self.fd, directory, names)?);
            }
            // Added to what is watched for already: it may be the directory of the log once more, by another path.
            let moved = moved | WatchFlags::MASK_ADD;
            // One that we may not read cannot be watched.
            now.extend(above.filter_map(|above| inotify::add_watch(&self.fd, above, moved).ok()));
            for old in std::mem::replace(&mut self.directories, now) {
                if !self.directories.contains(&old) {
                    // Fails if it is gone for good, and its watch with it.
                    let _ = inotify::remove_watch(&self.fd, old);
                }
            }
            Ok(())
        }

        /// Waits for an event, then forgets all that have come.
        pub(super) async fn changed(&self) -> io::Result<()> {
            self.fd.readable().await?;
            let mut events = [0; 4096];
            loop {
                match rustix::io::read(&self.fd, &mut events) {
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(Errno::AGAIN) => return Ok(()),
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
}
