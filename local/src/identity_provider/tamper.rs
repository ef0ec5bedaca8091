//! How tests make the provider misbehave.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

/// What a deployment calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    Discovery,
    Keys,
    Token,
}

/// A response before it is sent.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    /// Whether to keep the client waiting for as long as it likes.
    pub never: bool,
}

/// A token before it is signed. The header's `alg` decides how: `RS256`, `RS512`, `HS256` with the public key, or `none`.
#[derive(Clone, Debug)]
pub struct Forged {
    pub header: Value,
    pub claims: Value,
    /// Whether to sign with a key that the provider does not publish.
    pub with_foreign_key: bool,
}

type Forge = Box<dyn Fn(&mut Forged) + Send + Sync>;
type Distort = Box<dyn Fn(Endpoint, &mut Answer) + Send + Sync>;

#[derive(Default)]
pub(super) struct Tampering(Mutex<State>);

#[derive(Default)]
struct State {
    forge: Option<Forge>,
    distort: Option<Distort>,
    requests: BTreeMap<Endpoint, usize>,
}

impl Tampering {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn requests(&self, endpoint: Endpoint) -> usize {
        self.state().requests.get(&endpoint).copied().unwrap_or_default()
    }

    pub(super) fn forge(&self, change: Forge) {
        self.state().forge = Some(change);
    }

    pub(super) fn distort(&self, change: Distort) {
        self.state().distort = Some(change);
    }

    pub(super) fn behave(&self) {
        let mut state = self.state();
        (state.forge, state.distort) = (None, None);
    }

    pub(super) fn forged(&self, header: Value, claims: Value) -> Forged {
        let mut forged = Forged { header, claims, with_foreign_key: false };
        if let Some(forge) = &self.state().forge {
            forge(&mut forged);
        }
        forged
    }

    pub(super) fn distorted(&self, endpoint: Endpoint, status: u16, body: &Value) -> Answer {
        let mut answer = Answer { status, body: body.to_string().into_bytes(), never: false };
        let mut state = self.state();
        *state.requests.entry(endpoint).or_default() += 1;
        if let Some(distort) = &state.distort {
            distort(endpoint, &mut answer);
        }
        answer
    }
}
