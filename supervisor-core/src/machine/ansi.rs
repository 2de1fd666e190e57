//! PLACEHOLDER, replaced at the merge.
pub(crate) struct StripAnsi {
    inside: bool,
}
impl StripAnsi {
    pub(crate) fn new() -> Self {
        Self { inside: false }
    }
    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for &byte in bytes {
            if self.inside {
                self.inside = !b"HfABCDRsuJKhlpm".contains(&byte);
            } else if byte == 0x1b {
                self.inside = true;
            } else {
                out.push(byte);
            }
        }
    }
    pub(crate) fn finish(&mut self, _out: &mut Vec<u8>) {
        self.inside = false;
    }
}
