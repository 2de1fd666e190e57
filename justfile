# `just check` is what CI runs first.

check:
    cargo fmt --all --check && cargo clippy --workspace --all-targets -- -D warnings && cargo test --workspace

test *words:
    cargo test --workspace {{words}}

# A true nginx and a true redis under our daemon.
test-real:
    cargo test -p supervisor-bin --test web_stack -- --nocapture

tidy:
    cargo test -p supervisor-core --test tidy

# The black-box cases, where they are at hand.
parity *words:
    .ci/run parity {{words}}

bench:
    cargo bench --workspace

doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

deny:
    cargo deny check

run:
    cargo run --bin supervisord -- -n -c examples/supervisord.conf

# The manual pages and shell completions of share/.
manual:
    cargo run -p supervisor-bin --example manual
