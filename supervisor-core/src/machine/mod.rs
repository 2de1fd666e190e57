//! Floor 2: pure machines: (state, input, moment) to effects.
