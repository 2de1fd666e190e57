//! Floor 1: texts to settings.
