//! Tests from the outside, on real databases and with the real binary; one executable, so that it links once.

mod support;

mod cli;
mod crash;
mod faults;
mod store;
