//! The Lambda function.

use std::sync::Arc;

use platform::aws;
use platform::outbound::Sender;

fn main() -> std::process::ExitCode {
    platform::lambda::main_equipped(deliver_webhook::JOB, |app, config| {
        let sender = Sender::new(Arc::clone(&app.endpoints.resolver), app.endpoints.loopback)?;
        let queue = config.queue.as_ref().ok_or("no queue")?;
        Ok(app.with_queue(Arc::new(queue.connect(aws::http_client()))).with_sender(Arc::new(sender)))
    })
}
