//! Client request tokens: a transaction that is sent again with its token is not run again.
//!
//! The embedded engine (dynoxide-rs 3.2.0) keeps tokens itself for ten minutes, but it looks through all of them before every
//! transaction (`evict_expired` in its `run_idempotent`). So each transaction took longer than the one before, and memory grew
//! with the number of transactions in ten minutes. Here the oldest tokens are dropped from the front of a queue, and their
//! number has a limit. The engine gets transactions without tokens.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dynoxide::DynoxideError;
use serde_json::{Value, json};

use super::rejected::rejected;

const TOKEN: &str = "ClientRequestToken";
/// DynamoDB's limit for a token, in characters. The engine rejects longer ones.
const LONGEST: usize = 36;
/// How long DynamoDB keeps a token.
const KEPT: Duration = Duration::from_secs(600);
/// The maximum number of tokens, some 15 MB. A gateway that runs 1 000 transactions a second keeps each for a minute, and no
/// client of this product sends a transaction again after 4 s.
const MAX: usize = 65_536;

/// The tokens of the transactions that were written last.
#[derive(Clone, Default)]
pub(super) struct Tokens(Arc<Mutex<Written>>);

#[derive(Default)]
struct Written {
    /// A hash of the writes of each token.
    requests: HashMap<Arc<str>, u64>,
    /// Oldest first.
    order: VecDeque<(Instant, Arc<str>)>,
}

impl Tokens {
    /// Runs a `TransactWriteItems` unless one with the same token and the same writes was committed. Returns the HTTP status and
    /// the response. The response of a repeated one has no consumed capacity.
    pub(super) fn run(&self, mut request: Value, run: impl FnOnce(Value) -> (u16, Value)) -> (u16, Value) {
        let token = request[TOKEN].as_str().filter(|token| token.len() <= LONGEST).map(Arc::<str>::from);
        let Some(token) = token else { return run(request) };
        let writes = hash(&request["TransactItems"]);
        // The lock is held while the transaction runs, so that two with one token cannot both run.
        let mut written = self.written();
        written.drop_old(Instant::now());
        match written.requests.get(&token) {
            Some(known) if *known == writes => return (200, json!({})),
            Some(_) => return mismatch(),
            None => {}
        }
        if let Some(members) = request.as_object_mut() {
            members.remove(TOKEN);
        }
        let answer = run(request);
        if answer.0 == 200 {
            written.order.push_back((Instant::now(), Arc::clone(&token)));
            written.requests.insert(token, writes);
        }
        answer
    }

    /// Replaces the data, and forgets all tokens, because what they wrote is gone. No transaction with a token runs meanwhile. If
    /// it fails, the tokens stay.
    pub(super) fn forget_with<E>(&self, replace: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        // The lock is held until both are done.
        let mut written = self.written();
        replace()?;
        *written = Written::default();
        Ok(())
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Written {
    /// Leaves room for one more.
    fn drop_old(&mut self, now: Instant) {
        while let Some((at, _)) = self.order.front() {
            if self.order.len() < MAX && now.duration_since(*at) < KEPT {
                return;
            }
            if let Some((_, token)) = self.order.pop_front() {
                self.requests.remove(&token);
            }
        }
    }
}

fn hash(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn mismatch() -> (u16, Value) {
    let message = "An error occurred (IdempotentParameterMismatchException)";
    rejected(&DynoxideError::IdempotentParameterMismatchException(message.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(token: &str, item: &str) -> Value {
        json!({"ClientRequestToken": token, "TransactItems": [{"Put": {"Item": {"pk": {"S": item}}}}]})
    }

    /// Runs a request. Returns the status, and whether it was really run.
    fn outcome(tokens: &Tokens, request: Value, status: u16) -> (u16, bool) {
        let mut ran = false;
        let answer = tokens.run(request, |request| {
            assert!(request.get(TOKEN).is_none_or(|token| token.as_str().is_some_and(|token| token.len() > LONGEST)));
            ran = true;
            (status, json!({"ConsumedCapacity": []}))
        });
        (answer.0, ran)
    }

    #[test]
    fn a_committed_transaction_is_not_run_again_with_its_token() {
        let tokens = Tokens::default();
        assert_eq!(outcome(&tokens, request("a", "1"), 200), (200, true));
        assert_eq!(outcome(&tokens, request("a", "1"), 200), (200, false));
        assert_eq!(outcome(&tokens, request("b", "1"), 200), (200, true));
        assert_eq!(tokens.run(request("a", "2"), |_| (200, json!({}))), mismatch());
    }

    #[test]
    fn a_cancelled_transaction_is_run_again_with_its_token() {
        let tokens = Tokens::default();
        assert_eq!(outcome(&tokens, request("a", "1"), 400), (400, true));
        assert_eq!(outcome(&tokens, request("a", "2"), 200), (200, true));
    }

    #[test]
    fn a_restored_database_has_no_tokens() {
        let tokens = Tokens::default();
        assert_eq!(outcome(&tokens, request("a", "1"), 200), (200, true));
        tokens.forget_with(|| Err(())).unwrap_err();
        assert_eq!(outcome(&tokens, request("a", "1"), 200), (200, false), "nothing was restored");
        tokens.forget_with(|| Ok::<_, ()>(())).unwrap();
        assert_eq!(outcome(&tokens, request("a", "2"), 200), (200, true));
    }

    #[test]
    fn the_engine_rejects_tokens_that_are_too_long() {
        let tokens = Tokens::default();
        let long = "x".repeat(37);
        assert_eq!(outcome(&tokens, request(&long, "1"), 400), (400, true));
        assert!(tokens.written().order.is_empty());
    }

    #[test]
    fn tokens_are_dropped_after_ten_minutes_or_when_there_are_too_many() {
        let tokens = Tokens::default();
        for number in 0..=MAX {
            assert_eq!(outcome(&tokens, request(&number.to_string(), "1"), 200), (200, true));
        }
        let mut written = tokens.written();
        assert_eq!((written.order.len(), written.requests.len()), (MAX, MAX));
        assert!(!written.requests.contains_key("0") && written.requests.contains_key("1"));
        written.drop_old(Instant::now() + KEPT);
        assert!(written.order.is_empty() && written.requests.is_empty());
    }
}
