//! The deployment's jobs on this machine: once, when somebody asks for it, or every minute beside the gateway. What is due
//! is for the clock of [`Options`](crate::Options) to say.

use std::sync::Arc;
use std::time::Duration;

use platform::handler::App;
use platform::lambda::{Invocation, Job, JobError, run_job};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::Local;

/// Every job that the template calls on a schedule.
pub const SCHEDULED: &[Job] = &[expire_due::JOB, publish_events::JOB];

/// The platform's default is a rate per rule; one for all is enough here.
const EVERY: Duration = Duration::from_secs(60);
/// How long one run may take. The template has the same for those on a schedule.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a job once; its report.
///
/// # Errors
/// [`JobError`] when it has to be called again.
pub async fn run_once(local: &Local, job: &Job) -> Result<Value, JobError> {
    run(&app_of(local, job), job, &json!({})).await
}

/// What a job works with.
fn app_of(local: &Local, job: &Job) -> Arc<App> {
    Arc::clone(if job.needs.queue { &local.courier().publishing } else { local.app() })
}

/// Runs every job now and then every minute, until the set is dropped. A failure is logged, and the next minute tries again.
pub(crate) fn every_minute(local: &Local, running: &mut JoinSet<()>) {
    for job in SCHEDULED {
        let app = app_of(local, job);
        let committed = Arc::clone(&local.courier().committed);
        running.spawn(async move {
            let mut minutes = interval(EVERY);
            // After a pause of the machine one run catches up with everything.
            minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                minutes.tick().await;
                let _ = run(&app, job, &json!({})).await;
                committed.notify_one();
            }
        });
    }
}

/// Calls a job with an event, as the platform would.
pub(crate) async fn run(app: &Arc<App>, job: &Job, event: &Value) -> Result<Value, JobError> {
    run_job(Arc::clone(app), job, event.to_string().into_bytes(), invocation(job)).await
}

/// A call of a job.
pub(crate) fn invocation(job: &Job) -> Invocation {
    Invocation { id: job.name.to_owned(), remaining: PATIENCE }
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
        assert_eq!(run_once(&local, &expire_due::JOB).await.unwrap()["announced"], json!(0));
        *clock.0.lock().unwrap() += 31 * 86_400_000;
        local
    }

    #[tokio::test]
    async fn the_options_clock_says_what_is_due() {
        let local = a_month_later().await;
        assert_eq!(run_once(&local, &expire_due::JOB).await.unwrap()["announced"], json!(1));
        assert_eq!(run_once(&local, &expire_due::JOB).await.unwrap()["announced"], json!(0));
    }

    #[tokio::test]
    async fn beside_the_gateway_jobs_run_at_once() {
        let local = a_month_later().await;
        let mut running = JoinSet::new();
        every_minute(&local, &mut running);
        let events = || async {
            let call = reqwest::Client::new().get(format!("{}/v1/events", local.base_url()));
            let answer = call.bearer_auth(local.operator_key().reveal()).send().await.unwrap();
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
    fn the_template_schedules_exactly_these() {
        let document = template::document().unwrap();
        let functions = document["Resources"].as_object().unwrap().values();
        let scheduled = functions.filter(|resource| {
            let events = resource.pointer("/Properties/Events").and_then(Value::as_object);
            events.is_some_and(|events| events.values().any(|event| event["Type"] == "ScheduleV2"))
        });
        let names: Vec<_> =
            scheduled.map(|function| function["Metadata"]["BuildProperties"]["Binary"].clone()).collect();
        assert_eq!(json!(names), SCHEDULED.iter().map(|job| json!(job.name)).collect::<Value>());
    }
}
