//! Writes the manual pages and shell completions into `share/`.

use std::io;
use std::path::Path;

fn main() -> io::Result<()> {
    let share = Path::new(env!("CARGO_MANIFEST_DIR")).join("../share");
    for file in supervisor_bin::manual::files() {
        let path = share.join(&file.path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, file.text)?;
    }
    Ok(())
}
