//! A daemon that a browser can reach.

use crate::lab::Lab;

impl Lab {
    /// Its address in a browser.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.host())
    }

    /// The address of a page.
    pub(crate) fn page(&self, path: &str) -> String {
        self.url() + path
    }
}
