//! The header line that goes before a payload on a listener's stdin.

use crate::domain::event_type::EventType;
use crate::domain::token::PROTOCOL_VERSION;

/// What the header says of an event, besides its type and length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address<'a> {
    /// The supervisor's `identifier`.
    pub(crate) server: &'a str,
    /// The pool's name.
    pub(crate) pool: &'a str,
    /// The event's number.
    pub(crate) serial: u64,
    /// Its number in the pool.
    pub(crate) pool_serial: u64,
}

/// The header line; the payload follows it as it is.
///
/// `len` counts characters, not bytes: listeners that read text depend on it.
pub(crate) fn header(address: Address<'_>, event_type: EventType, payload: &str) -> String {
    let Address { server, pool, serial, pool_serial } = address;
    let length = if payload.is_ascii() { payload.len() } else { payload.chars().count() };
    format!(
        "ver:{PROTOCOL_VERSION} server:{server} serial:{serial} pool:{pool} poolserial:{pool_serial} \
         eventname:{event_type} len:{length}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_counts_characters() {
        let address = Address { server: "lab1", pool: "l", serial: 21, pool_serial: 10 };
        for (payload, length) in [("", 0), ("type:t\ndata", 11), ("type:t\nžluť", 11), ("🦀", 1)] {
            assert_eq!(
                header(address, EventType::RemoteCommunication, payload),
                format!(
                    "ver:3.0 server:lab1 serial:21 pool:l poolserial:10 eventname:REMOTE_COMMUNICATION len:{length}\n"
                )
            );
        }
    }
}
