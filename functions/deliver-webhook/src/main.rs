//! The Lambda function.

use std::sync::Arc;

use shared::outbound::Sender;
use shared::queue::sqs::Sqs;

fn main() -> std::process::ExitCode {
    shared::lambda::main_equipped(deliver_webhook::JOB, |app, config| {
        let sender = Sender::new(Arc::clone(&app.endpoints.resolver), app.endpoints.loopback)?;
        Ok(app.with_queue(Arc::new(Sqs::new(config))).with_sender(Arc::new(sender)))
    })
}
