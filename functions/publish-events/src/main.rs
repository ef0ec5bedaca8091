//! The Lambda function.

use std::sync::Arc;

use platform::aws;

fn main() -> std::process::ExitCode {
    platform::lambda::main_equipped(publish_events::JOB, |app, config| {
        let queue = config.queue.as_ref().ok_or("no queue")?;
        Ok(app.with_queue(Arc::new(queue.connect(aws::http_client()))))
    })
}
