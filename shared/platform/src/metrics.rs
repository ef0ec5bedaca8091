//! The log lines that alarms depend on. Metric filters in the template read their members, and `tests/agreement` checks that
//! both agree.

use std::fmt::Display;

/// Something that this version can never read, publish or deliver.
pub fn poison(named: &str, reason: &dyn Display) {
    tracing::error!(poison = true, named, %reason, "poison");
}

/// An item of a format, or an event of a type, that only newer code knows. It was skipped and left as it is.
pub fn newer_item(named: &str, reason: &dyn Display) {
    tracing::warn!(newer = true, named, %reason, "newer item");
}

/// A scheduled run of this job reached its end.
pub fn heartbeat(job: &str) {
    tracing::info!(heartbeat = job, "heartbeat");
}

/// How long the oldest item of the outbox has waited when a scheduled run read it; 0 if all are left to the stream.
pub fn oldest_mark(seconds: i64) {
    tracing::info!(oldest_mark_seconds = seconds, "oldest mark");
}
