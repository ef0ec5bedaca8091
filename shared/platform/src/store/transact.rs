//! One command is one `TransactWriteItems`: what is retried, which conditions failed, and when the outcome is unknown.

use std::time::Duration;

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::{CancellationReason, ReturnConsumedCapacity},
};
use data_encoding::HEXLOWER;

use super::backoff::Backoff;
use super::error::{StoreError, is_throttling, kind};
use super::item::Item;
use super::keys::Key;
use super::op_context::OpContext;
use super::table::Store;
use super::write::Write;
use domain::clock_budget::{OLDEST_WRITE, WRITE_TRY};

const OPERATION: &str = "TransactWriteItems";
const SHORTEST_BUDGET: Duration = Duration::from_millis(500);
/// Many callers may write for one customer, and all their transactions check the same items. The pauses are short, so that a
/// caller that lost often is not behind one that just came. Conflicts and throttling are retried until the write is too old.
const CONFLICT_BACKOFF: Backoff = Backoff { first: 20, longest: 300 };
const THROTTLE_BACKOFF: Backoff = Backoff { first: 100, longest: 1_000 };

/// A write whose guard failed.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    write: Write,
    /// The conflicting item; `None` if there was none.
    pub(super) item: Option<Item>,
}

/// How a transaction ended. Everything else that can go wrong is a [`StoreError`].
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Committed,
    /// Nothing was written. There is at least one refusal; they are in the order of the writes.
    Refused(Vec<Refusal>),
}

impl Outcome {
    pub(super) fn is_committed(&self) -> bool {
        matches!(self, Self::Committed)
    }

    /// The refusal of the write to this key, if its guard failed.
    pub(super) fn refusal(&self, key: &Key) -> Option<&Refusal> {
        match self {
            Self::Committed => None,
            Self::Refused(refused) => refused.iter().find(|refusal| refusal.write.is_to(key)),
        }
    }

    /// The item that made the guard of the write to this key fail.
    pub(super) fn conflicting(&self, key: &Key) -> Option<&Item> {
        self.refusal(key)?.item.as_ref()
    }
}

/// Each failed guard: the position of its write, and the conflicting item.
type Failed = Vec<(usize, Option<Item>)>;

/// The result of one try.
enum Try {
    Committed,
    Refused(Failed),
    /// Another transaction wrote one of the items at the same time. If it was the first item, the other transaction may be
    /// this same request.
    Conflict {
        same_request: bool,
    },
    Throttled,
    /// It may or may not have been written.
    Unknown,
}

impl Store {
    /// Writes all or nothing. Retries while the operation has time left.
    ///
    /// # Errors
    /// [`StoreError`]: contention, throttling, an unknown outcome, too little time, or a defect.
    pub(super) async fn transact(&self, op: OpContext, writes: &[Write]) -> Result<Outcome, StoreError> {
        let Some(failed) = self.commit(op, writes).await? else { return Ok(Outcome::Committed) };
        let refusal = |(position, item): (usize, Option<Item>)| {
            writes.get(position).map(|write| Refusal { write: write.clone(), item })
        };
        Ok(Outcome::Refused(failed.into_iter().filter_map(refusal).collect()))
    }

    async fn commit(&self, op: OpContext, writes: &[Write]) -> Result<Option<Failed>, StoreError> {
        if op.deadline.remaining() < SHORTEST_BUDGET {
            return Err(StoreError::Deadline);
        }
        let mut token = self.new_token();
        let (mut conflicts, mut throttles, mut unknowns) = (0, 0, 0);
        let mut last = StoreError::Deadline;
        while self.is_young(op) && !op.deadline.remaining().is_zero() {
            let result = match self.send(op, writes, &token).await {
                Ok(result) => result,
                Err(_) if unknowns > 0 => return Err(StoreError::OutcomeUnknown),
                Err(error) => return Err(error),
            };
            let pause = match result {
                Try::Committed => return Ok(None),
                Try::Refused(failed) => return Ok(Some(failed)),
                Try::Conflict { same_request } => {
                    last = if same_request { StoreError::InProgress } else { StoreError::Contention };
                    conflicts += 1;
                    // A cancelled transaction wrote nothing, and the meaning of its token afterwards is not documented.
                    token = self.new_token();
                    self.pause(CONFLICT_BACKOFF, conflicts)
                }
                Try::Throttled => {
                    last = StoreError::Throttled;
                    throttles += 1;
                    self.pause(THROTTLE_BACKOFF, throttles)
                }
                Try::Unknown => {
                    // The same bytes with the same token: if the first try was written, this one has no effect.
                    last = StoreError::OutcomeUnknown;
                    unknowns += 1;
                    self.pause(THROTTLE_BACKOFF, unknowns)
                }
            };
            // A try with an unknown outcome may have been written, no matter what later tries return.
            if unknowns > 0 {
                last = StoreError::OutcomeUnknown;
            }
            if pause >= op.deadline.remaining() {
                return Err(last);
            }
            tokio::time::sleep(pause).await;
        }
        Err(last)
    }

    async fn send(&self, op: OpContext, writes: &[Write], token: &str) -> Result<Try, StoreError> {
        let items: Result<Vec<_>, _> = writes.iter().map(|write| write.build(&self.table)).collect();
        let items = items.map_err(|error| StoreError::failed(OPERATION, error))?;
        let call = self.client()?.transact_write_items().set_transact_items(Some(items));
        let call = call.client_request_token(token).return_consumed_capacity(ReturnConsumedCapacity::None).send();
        let time = WRITE_TRY.min(op.deadline.remaining());
        match tokio::time::timeout(time, call).await {
            Err(_elapsed) => Ok(Try::Unknown),
            Ok(Ok(_)) => Ok(Try::Committed),
            Ok(Err(error)) => classify(error),
        }
    }

    fn is_young(&self, op: OpContext) -> bool {
        self.clock.now().since(op.occurred_at) < OLDEST_WRITE
    }

    fn new_token(&self) -> String {
        HEXLOWER.encode(&self.random.bytes()[..16])
    }
}

fn classify(error: SdkError<TransactWriteItemsError, HttpResponse>) -> Result<Try, StoreError> {
    use TransactWriteItemsError as E;
    let code = error.code().map(str::to_owned);
    let SdkError::ServiceError(context) = error else {
        // Only a construction failure is certain not to have reached the table.
        if matches!(error, SdkError::ConstructionFailure(_)) {
            return Err(StoreError::from_sdk(OPERATION, &error));
        }
        tracing::warn!(cause = kind(&error), "the outcome of a write is unknown");
        return Ok(Try::Unknown);
    };
    let is_client_error = context.raw().status().is_client_error();
    match context.into_err() {
        E::TransactionCanceledException(cancelled) => read_reasons(cancelled.cancellation_reasons.unwrap_or_default()),
        E::TransactionInProgressException(_) | E::InternalServerError(_) => Ok(Try::Unknown),
        E::ProvisionedThroughputExceededException(_) | E::RequestLimitExceeded(_) | E::ThrottlingException(_) => {
            Ok(Try::Throttled)
        }
        _ if code.as_deref().is_some_and(is_throttling) => Ok(Try::Throttled),
        // A success that cannot be read, or a failure in front of the table.
        _ if !is_client_error => Ok(Try::Unknown),
        _ => Err(StoreError::failed(OPERATION, code.unwrap_or_default())),
    }
}

/// Cancellation reasons are in the order of the writes. The code `None` means that the write had no fault.
fn read_reasons(reasons: Vec<CancellationReason>) -> Result<Try, StoreError> {
    let codes: Vec<String> = reasons.iter().map(|reason| reason.code.clone().unwrap_or_default()).collect();
    let at = |position: usize| codes.get(position).map(String::as_str).unwrap_or_default();
    let any = |wanted: &str| codes.iter().any(|code| code == wanted);
    if at(0) == "TransactionConflict" {
        return Ok(Try::Conflict { same_request: true });
    }
    if any("ConditionalCheckFailed") {
        let failed = reasons.into_iter().enumerate().filter(|(position, _)| at(*position) == "ConditionalCheckFailed");
        return Ok(Try::Refused(failed.map(|(position, reason)| (position, reason.item)).collect()));
    }
    let is_known = |code: &&String| matches!(code.as_str(), "None" | "TransactionConflict") || is_throttling(code);
    if let Some(code) = codes.iter().find(|code| !is_known(code)) {
        return Err(StoreError::failed(OPERATION, format!("cancelled: {code}")));
    }
    if codes.iter().any(|code| is_throttling(code)) {
        return Ok(Try::Throttled);
    }
    if any("TransactionConflict") {
        return Ok(Try::Conflict { same_request: false });
    }
    Err(StoreError::failed(OPERATION, "cancelled without a reason"))
}
