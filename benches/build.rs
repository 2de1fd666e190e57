//! Tells sources that are compiled into a bench that their tests are not wanted there.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(bench)");
    println!("cargo::rustc-cfg=bench");
    println!("cargo::rerun-if-changed=build.rs");
}
