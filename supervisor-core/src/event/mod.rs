//! Floor 1: the texts of events.
