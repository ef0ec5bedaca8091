//! The deployment's jobs on this machine. They run once on request, or every minute next to the gateway. The clock in
//! [`Options`](crate::Options) decides what is due.

use std::sync::Arc;
use std::time::Duration;

use platform::lambda::{Invocation, Job, JobError, run_job};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::Local;

/// The jobs that the template invokes on a schedule.
pub const SCHEDULED: [&str; 2] = [expire_due::JOB.name, publish_events::JOB.name];

/// The template's default rates differ per job. One rate is enough here.
const EVERY: Duration = Duration::from_secs(60);
/// How long one run may take, as in the template.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Runs `expire-due` once. Returns its report.
///
/// # Errors
/// [`JobError`] if it must run again.
pub async fn run_expire_due(local: &Local) -> Result<Value, JobError> {
    run(local.announcer(), &expire_due::JOB, &json!({})).await
}

/// Runs the sweep of `publish-events` once. Returns its report.
///
/// # Errors
/// [`JobError`] if it must run again.
pub async fn run_publish_events(local: &Local) -> Result<Value, JobError> {
    run(&local.courier().publisher, &publish_events::JOB, &json!({})).await
}

/// Runs the scheduled jobs now and then every minute, until the set is dropped.
pub(crate) fn every_minute(local: &Local, running: &mut JoinSet<()>) {
    let (courier, committed) = (local.courier(), &local.courier().committed);
    running.spawn(repeat(Arc::clone(local.announcer()), &expire_due::JOB, Arc::clone(committed)));
    running.spawn(repeat(Arc::clone(&courier.publisher), &publish_events::JOB, Arc::clone(committed)));
}

/// Runs a job every minute. A failure is logged, and the next run tries again.
async fn repeat<W>(worker: Arc<W>, job: &'static Job<W>, committed: Arc<Notify>) {
    let mut minutes = interval(EVERY);
    // After the machine was suspended, one run is enough.
    minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        minutes.tick().await;
        let _ = run(&worker, job, &json!({})).await;
        committed.notify_one();
    }
}

/// Invokes a job with an event, as Lambda does.
pub(crate) async fn run<W>(worker: &Arc<W>, job: &Job<W>, event: &Value) -> Result<Value, JobError> {
    let invocation = Invocation { id: job.name.to_owned(), remaining: TIMEOUT };
    run_job(Arc::clone(worker), job, event.to_string().into_bytes(), invocation).await
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use domain::Timestamp;
    use platform::clock::Clock;

    use super::*;
    use crate::{Options, samples, start, template};

    struct Leaping(Mutex<i64>);

    impl Clock for Leaping {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(*self.0.lock().unwrap())
        }
    }

    /// A system whose samples include an invitation that has just expired.
    async fn a_month_later() -> Local {
        let clock = Arc::new(Leaping(Mutex::new(1_795_369_200_000)));
        let local = start(Options { clock: clock.clone(), ..Options::default() }).await.unwrap();
        samples::seed(local.base_url(), local.operator_key()).await.unwrap();
        assert_eq!(run_expire_due(&local).await.unwrap()["announced"], json!(0));
        *clock.0.lock().unwrap() += 31 * 86_400_000;
        local
    }

    #[tokio::test]
    async fn the_clock_in_the_options_decides_what_is_due() {
        let local = a_month_later().await;
        assert_eq!(run_expire_due(&local).await.unwrap()["announced"], json!(1));
        assert_eq!(run_expire_due(&local).await.unwrap()["announced"], json!(0));
    }

    #[tokio::test]
    async fn jobs_next_to_the_gateway_run_at_once() {
        let local = a_month_later().await;
        let mut running = JoinSet::new();
        every_minute(&local, &mut running);
        let events = || async {
            let call = reqwest::Client::new().get(format!("{}/v1/events", local.base_url()));
            let answer = call.bearer_auth(local.operator_key().expose_secret()).send().await.unwrap();
            answer.json::<Value>().await.unwrap()["items"][0]["type"].clone()
        };
        let announced = async {
            while events().await != json!("invitation.expired") {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), announced).await.unwrap();
    }

    #[test]
    fn the_template_schedules_exactly_these_jobs() {
        let document = template::document().unwrap();
        let functions = document["Resources"].as_object().unwrap().values();
        let scheduled = functions.filter(|resource| {
            let events = resource.pointer("/Properties/Events").and_then(Value::as_object);
            events.is_some_and(|events| events.values().any(|event| event["Type"] == "ScheduleV2"))
        });
        let names: Vec<_> =
            scheduled.map(|function| function["Metadata"]["BuildProperties"]["Binary"].clone()).collect();
        assert_eq!(json!(names), json!(SCHEDULED));
    }
}
