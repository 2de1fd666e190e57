//! Criterion benches; run them with `cargo bench -p supervisor-benches`.
