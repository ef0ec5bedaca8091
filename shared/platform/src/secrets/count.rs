//! How many secrets and signatures this thread has computed. A check that computes more for a known sender than for an unknown one
//! would tell them apart by its time. Only crate `tests` has this: it turns on the feature `describe`.

use std::cell::Cell;

/// What was computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Computed {
    /// Secrets derived from a master key.
    pub secrets: u32,
    /// Signatures, to sign or to compare.
    pub signatures: u32,
}

thread_local! {
    static COMPUTED: Cell<Computed> = const { Cell::new(Computed { secrets: 0, signatures: 0 }) };
}

/// What this thread has computed since the last call.
pub fn take() -> Computed {
    COMPUTED.take()
}

pub(super) fn secret() {
    let computed = COMPUTED.get();
    COMPUTED.set(Computed { secrets: computed.secrets + 1, ..computed });
}

pub(super) fn signature() {
    let computed = COMPUTED.get();
    COMPUTED.set(Computed { signatures: computed.signatures + 1, ..computed });
}
