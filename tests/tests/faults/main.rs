//! Rules 45 and 46, on a real file with a real process: disks that are full, broken or read-only, and
//! files that somebody deletes, replaces or empties.
//!
//! The process runs with a shim between itself and the system, which makes its calls fail (`shim.c`). So
//! these tests are for Linux.

#![cfg(target_os = "linux")]

mod disk;
mod files;
mod power;
#[path = "../process/mod.rs"]
mod process;
#[path = "../crash/random.rs"]
mod random;
mod shim;
mod storm;
mod trace;
