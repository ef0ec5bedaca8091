//! Redeeming codes at an identity provider: an honest one, one that is down, slow or enormous, and one that lies. The checks of
//! tokens alone, without requests, are in `platform::identity`.

mod check;
mod common;
mod exchange;
mod faults;
mod forged;
mod keys;
mod pages;
