//! `keygen`: generates an operator key.

use std::io;

use data_encoding::HEXLOWER;
use platform::random::{Random, SystemRandom};
use platform::secrets::AccessKeyText;

use crate::output::Output;

pub fn run() -> io::Result<()> {
    let key = AccessKeyText::from_bytes(&SystemRandom.bytes());
    let mut out = Output::stdout();
    out.entry("Operator key", key.expose_secret())?;
    out.entry("OPERATOR_KEY_HASH", &HEXLOWER.encode(&key.hash()))?;
    out.flush()
}
