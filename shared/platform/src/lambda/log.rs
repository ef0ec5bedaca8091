//! Logs are JSON lines on standard error.

/// Logs where a panic happened. Its message is left out, because it may contain data from a request.
pub(super) fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let (file, line) = panic.location().map_or(("", 0), |location| (location.file(), location.line()));
    tracing::error!(file, line, "panic");
}

/// Sets up JSON lines with `timestamp` and `level`, the members that Lambda's log filters use. `AWS_LAMBDA_LOG_LEVEL` sets
/// the level. TRACE means DEBUG here: the runtime client's own traces contain whole payloads.
pub(super) fn log_as_json() {
    let level = match std::env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_default().to_ascii_uppercase().as_str() {
        "TRACE" | "DEBUG" => tracing::Level::DEBUG,
        "WARN" => tracing::Level::WARN,
        "ERROR" | "FATAL" => tracing::Level::ERROR,
        _ => tracing::Level::INFO,
    };
    let format = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false).with_span_list(false);
    let _ = format.with_target(false).with_max_level(level).with_writer(std::io::stderr).try_init();
}
