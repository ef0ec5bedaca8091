//! The Lambda function.

use std::sync::Arc;

use shared::queue::sqs::Sqs;

fn main() -> std::process::ExitCode {
    shared::lambda::main_equipped(publish_events::JOB, |app, config| Ok(app.with_queue(Arc::new(Sqs::new(config)))))
}
