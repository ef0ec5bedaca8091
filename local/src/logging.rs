//! Log lines for a person, on standard error.

use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("`{0}` is not a log level; use off, error, warn, info, debug or trace")]
    Level(String),
    #[error(transparent)]
    Filter(#[from] ParseError),
}

/// Reads the value of `--log`. The engine logs every failed condition as a warning, but conditions fail in normal use. So the
/// engine's own level is `error`, unless the value names it.
pub fn parse(text: &str) -> Result<Targets, LogError> {
    // The parser takes an unknown word for the name of a module, so a mistyped level would silence everything.
    if let Some(word) = text.split(',').find(|part| !part.contains('=') && part.parse::<LevelFilter>().is_err()) {
        return Err(LogError::Level(word.to_owned()));
    }
    Ok(format!("dynoxide=error,{text}").parse()?)
}

pub fn start(targets: Targets) {
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let _ = tracing_subscriber::registry().with(lines).with(targets).try_init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_of_the_engine_are_off_unless_requested() {
        let warns = |text| parse(text).unwrap().would_enable("dynoxide::server", &tracing::Level::WARN);
        assert!(!warns("warn") && !warns("debug") && warns("warn,dynoxide=warn"));
    }
}
