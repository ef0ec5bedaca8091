//! One command, one `TransactWriteItems`: what is retried, what is refused, and what is said when the outcome is unknown.

use std::time::Duration;

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{CancellationReason, ReturnConsumedCapacity, TransactWriteItem},
};
use data_encoding::HEXLOWER;

use super::error::{StoreError, is_throttling, kind};
use super::item::Item;
use super::write::Write;
use super::{OpContext, Store};

/// A guard that refused: the position of its write, and the item as it stood.
#[derive(Clone, Debug)]
pub(super) struct Refusal<W> {
    /// The position of the write in the transaction.
    pub(super) position: usize,
    /// What the command calls that write.
    pub(super) write: W,
    /// The item that the guard saw; `None` when there was none.
    pub(super) item: Option<Item>,
}

/// How a transaction ended. Refusals are expected; everything else that can go wrong is a [`StoreError`].
#[derive(Clone, Debug)]
pub(super) enum Outcome<W> {
    /// Everything was written.
    Committed,
    /// Nothing was written; the refusals are in the order of the writes, and there is at least one.
    Refused(Vec<Refusal<W>>),
}

/// What one attempt showed.
enum Seen {
    Committed,
    Refused(Vec<(usize, Option<Item>)>),
    /// Another transaction was in the way; `twin` when it was at position 0, so that it may be this very request.
    Conflict {
        twin: bool,
    },
    Throttled,
    /// It may or may not have been written.
    Unknown,
}

/// Writes that are young enough to be sent: a feed of events skips nothing as long as no event is older than this when
/// it appears.
const OLDEST_WRITE_MS: i64 = 4_000;
const SHORTEST_BUDGET: Duration = Duration::from_millis(500);
const ATTEMPT: Duration = Duration::from_millis(1_500);
const CONFLICT_TRIES: u32 = 4;
const THROTTLE_TRIES: u32 = 3;
const CONFLICT_BACKOFF: Backoff = Backoff { first: 20, longest: 300 };
const THROTTLE_BACKOFF: Backoff = Backoff { first: 100, longest: 1_000 };

#[derive(Clone, Copy)]
pub(super) struct Backoff {
    pub(super) first: u64,
    pub(super) longest: u64,
}

impl Store {
    /// Writes all or nothing. Retries what can be retried while the attempt's time lasts.
    ///
    /// # Errors
    /// [`StoreError`]: contention, throttling, an unknown outcome, too little time, or a fault of ours.
    pub(super) async fn transact<W: Copy>(
        &self,
        attempt: OpContext,
        writes: &[(W, Write)],
    ) -> Result<Outcome<W>, StoreError> {
        let items: Result<Vec<_>, _> = writes.iter().map(|(_, write)| write.build(&self.table)).collect();
        let items = items.map_err(|error| StoreError::Failed(error.to_string()))?;
        match self.commit(attempt, items).await? {
            None => Ok(Outcome::Committed),
            Some(refused) => {
                let refusal = |(position, item): (usize, Option<Item>)| {
                    writes.get(position).map(|(write, _)| Refusal { position, write: *write, item })
                };
                Ok(Outcome::Refused(refused.into_iter().filter_map(refusal).collect()))
            }
        }
    }

    async fn commit(
        &self,
        attempt: OpContext,
        items: Vec<TransactWriteItem>,
    ) -> Result<Option<Vec<(usize, Option<Item>)>>, StoreError> {
        if attempt.deadline.remaining() < SHORTEST_BUDGET {
            return Err(StoreError::Deadline);
        }
        let mut token = self.new_token();
        let (mut conflicts, mut throttles, mut unknowns) = (0, 0, 0);
        let mut last = StoreError::Deadline;
        while self.is_young(attempt) && !attempt.deadline.remaining().is_zero() {
            let seen = match self.send(attempt, &items, &token).await {
                Ok(seen) => seen,
                Err(_) if unknowns > 0 => return Err(StoreError::OutcomeUnknown),
                Err(error) => return Err(error),
            };
            let pause = match seen {
                Seen::Committed => return Ok(None),
                Seen::Refused(refused) => return Ok(Some(refused)),
                Seen::Conflict { twin } => {
                    last = if twin { StoreError::InProgress } else { StoreError::Contention };
                    conflicts += 1;
                    // A cancelled transaction wrote nothing, and what its token means afterwards is not documented.
                    token = self.new_token();
                    (conflicts <= CONFLICT_TRIES).then(|| self.pause(CONFLICT_BACKOFF, conflicts))
                }
                Seen::Throttled => {
                    last = StoreError::Throttled;
                    throttles += 1;
                    (throttles <= THROTTLE_TRIES).then(|| self.pause(THROTTLE_BACKOFF, throttles))
                }
                Seen::Unknown => {
                    // The same bytes under the same token: if the first attempt was written, this one has no effect.
                    last = StoreError::OutcomeUnknown;
                    unknowns += 1;
                    Some(self.pause(THROTTLE_BACKOFF, unknowns))
                }
            };
            // An attempt whose outcome is unknown may have been written, whatever later ones showed.
            if unknowns > 0 {
                last = StoreError::OutcomeUnknown;
            }
            let Some(pause) = pause else { return Err(last) };
            if pause >= attempt.deadline.remaining() {
                return Err(last);
            }
            tokio::time::sleep(pause).await;
        }
        Err(last)
    }

    async fn send(&self, attempt: OpContext, items: &[TransactWriteItem], token: &str) -> Result<Seen, StoreError> {
        let call = self.client.transact_write_items().set_transact_items(Some(items.to_vec()));
        let call = call.client_request_token(token).return_consumed_capacity(ReturnConsumedCapacity::None).send();
        let time = ATTEMPT.min(attempt.deadline.remaining());
        match tokio::time::timeout(time, call).await {
            Err(_elapsed) => Ok(Seen::Unknown),
            Ok(Ok(_)) => Ok(Seen::Committed),
            Ok(Err(error)) => classify(error),
        }
    }

    fn is_young(&self, attempt: OpContext) -> bool {
        self.clock.now().millis() - attempt.occurred_at.millis() < OLDEST_WRITE_MS
    }

    fn new_token(&self) -> String {
        HEXLOWER.encode(&self.random.bytes()[..16])
    }

    /// Full jitter: anything up to a bound that doubles with every try.
    pub(super) fn pause(&self, backoff: Backoff, tries: u32) -> Duration {
        let bound = backoff.first.saturating_mul(1 << tries.min(10)).min(backoff.longest);
        let draw = self.random.bytes();
        Duration::from_millis(
            u64::from_be_bytes([0, 0, draw[0], draw[1], draw[2], draw[3], draw[4], draw[5]]) % bound + 1,
        )
    }
}

fn classify(error: SdkError<TransactWriteItemsError, HttpResponse>) -> Result<Seen, StoreError> {
    use TransactWriteItemsError as E;
    let code = aws_sdk_dynamodb::error::ProvideErrorMetadata::code(&error).map(str::to_owned);
    let SdkError::ServiceError(context) = error else {
        // A construction failure never left the process; all else may have reached the table.
        if matches!(error, SdkError::ConstructionFailure(_)) {
            return Err(StoreError::failed("TransactWriteItems", &error));
        }
        tracing::warn!(cause = kind(&error), "the outcome of a write is not known");
        return Ok(Seen::Unknown);
    };
    let refused = context.raw().status().is_client_error();
    match context.into_err() {
        E::TransactionCanceledException(cancelled) => reasons(cancelled.cancellation_reasons.unwrap_or_default()),
        E::TransactionInProgressException(_) | E::InternalServerError(_) => Ok(Seen::Unknown),
        E::ProvisionedThroughputExceededException(_) | E::RequestLimitExceeded(_) | E::ThrottlingException(_) => {
            Ok(Seen::Throttled)
        }
        _ if code.as_deref().is_some_and(is_throttling) => Ok(Seen::Throttled),
        // A success that can't be read, or a failure of whatever stands before the table.
        _ if !refused => Ok(Seen::Unknown),
        _ => Err(StoreError::Failed(format!("TransactWriteItems: {}", code.unwrap_or_default()))),
    }
}

/// Cancellation reasons stand in the order of the writes; a write without fault says `None`.
fn reasons(reasons: Vec<CancellationReason>) -> Result<Seen, StoreError> {
    let codes: Vec<String> = reasons.iter().map(|reason| reason.code.clone().unwrap_or_default()).collect();
    let at = |position: usize| codes.get(position).map(String::as_str).unwrap_or_default();
    let any = |wanted: &str| codes.iter().any(|code| code == wanted);
    if at(0) == "TransactionConflict" {
        return Ok(Seen::Conflict { twin: true });
    }
    if any("ConditionalCheckFailed") {
        let refused = reasons.into_iter().enumerate().filter(|(position, _)| at(*position) == "ConditionalCheckFailed");
        return Ok(Seen::Refused(refused.map(|(position, reason)| (position, reason.item)).collect()));
    }
    if let Some(code) =
        codes.iter().find(|code| !matches!(code.as_str(), "None" | "TransactionConflict") && !is_throttling(code))
    {
        return Err(StoreError::Failed(format!("TransactWriteItems was cancelled: {code}")));
    }
    if codes.iter().any(|code| is_throttling(code)) {
        return Ok(Seen::Throttled);
    }
    if any("TransactionConflict") {
        return Ok(Seen::Conflict { twin: false });
    }
    Err(StoreError::Failed("TransactWriteItems was cancelled without a reason".into()))
}
