//! Our own create, with the SDK's client as usually set up: all default features, `aws_config::load_defaults`, and a connection
//! that the first request opens.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::BehaviorVersion;
use create_invitation::FUNCTION;
use domain::Policy;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use platform::clock::SystemClock;
use platform::config::Config;
use platform::handler::App;
use platform::lambda::{Invocation, invoke};
use platform::random::SystemRandom;
use serde_json::value::RawValue;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let config = Config::read(|name: &str| std::env::var(name).ok(), FUNCTION.needs)?;
    let client = aws_sdk_dynamodb::Client::new(&aws_config::load_defaults(BehaviorVersion::latest()).await);
    let app = App::new(&config, client, Policy::built_in()?, Arc::new(SystemClock), Arc::new(SystemRandom));
    let app = Arc::new(app);
    let respond = |event: LambdaEvent<Box<RawValue>>| {
        let app = Arc::clone(&app);
        async move {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let remaining = Duration::from_millis(event.context.deadline).saturating_sub(now);
            let invocation = Invocation { id: event.context.request_id, remaining };
            Ok::<_, Error>(invoke(app, &FUNCTION, event.payload.get().as_bytes(), &invocation).await)
        }
    };
    lambda_runtime::run(service_fn(respond)).await
}
