//! Who besides root can change a file that root believes.
//!
//! Looks at the file and at every directory on the way to it, where it seems to be and where it really is. A directory
//! with the sticky bit, such as `/tmp`, lets nobody replace what is not theirs. Decides nothing: the caller warns.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Who else can change this file, as half a sentence about the place that lets them: `/etc/x is writable by everybody
/// (mode 0777)`. `None` if nobody can, or nothing is there.
pub fn writable_by_others(path: &Path) -> Option<String> {
    let real = path.canonicalize().ok();
    let absolute = std::path::absolute(path).ok();
    absolute.iter().chain(&real).flat_map(|path| path.ancestors()).find_map(|place| {
        let found = place.symlink_metadata().ok()?;
        Some(format!("{} {}", place.display(), others(&found)?))
    })
}

/// What lets others than root change this.
fn others(found: &Metadata) -> Option<String> {
    const BY_EVERYBODY: u32 = 0o002;
    const BY_GROUP: u32 = 0o020;
    const STICKY: u32 = 0o1000;
    if found.uid() != 0 {
        return Some(format!("belongs to uid {}", found.uid()));
    }
    let mode = found.mode() & 0o7777;
    // The mode of a link means nothing, and what is in a sticky directory stays its owner's.
    let is_kept = found.is_symlink() || (found.is_dir() && mode & STICKY != 0);
    if is_kept {
        None
    } else if mode & BY_EVERYBODY != 0 {
        Some(format!("is writable by everybody (mode {mode:04o})"))
    } else if mode & BY_GROUP != 0 && found.gid() != 0 {
        Some(format!("is writable by group {} (mode {mode:04o})", found.gid()))
    } else {
        None
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use super::*;
    use crate::sys::alone;

    #[test]
    fn files_directories_and_links_are_looked_at() {
        if !alone::is_root() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let (directory, file) = (folder.path().join("etc"), folder.path().join("etc/conf"));
        std::fs::create_dir(&directory).unwrap();
        std::fs::write(&file, "").unwrap();
        let mode = |path: &Path, mode| set_permissions(path, Permissions::from_mode(mode)).unwrap();
        mode(&directory, 0o755);
        mode(&file, 0o664);
        assert_eq!(writable_by_others(&file), None, "the group of root is root");
        chown(&file, None, Some(65_534)).unwrap();
        let told = writable_by_others(&file).unwrap();
        assert_eq!(told, format!("{} is writable by group 65534 (mode 0664)", file.display()));
        mode(&file, 0o602);
        assert!(writable_by_others(&file).unwrap().ends_with("is writable by everybody (mode 0602)"));
        mode(&file, 0o600);
        assert_eq!(writable_by_others(&file), None);
        mode(&directory, 0o777);
        let told = writable_by_others(&file).unwrap();
        assert_eq!(told, format!("{} is writable by everybody (mode 0777)", directory.display()));
        let link = folder.path().join("link");
        symlink(&file, &link).unwrap();
        assert_eq!(writable_by_others(&link).unwrap(), told, "a link leads there");
        mode(&directory, 0o1777);
        assert_eq!(writable_by_others(&file), None);
        chown(&file, Some(65_534), None).unwrap();
        assert!(writable_by_others(&file).unwrap().ends_with("belongs to uid 65534"));
        assert_eq!(writable_by_others(&folder.path().join("none")), None);
    }
}
