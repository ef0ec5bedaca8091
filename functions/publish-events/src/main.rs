use publish_events::{JOB, Publisher};

fn main() -> std::process::ExitCode {
    platform::lambda::main_job(&JOB, Publisher::new)
}
