use deliver_webhook::{Deliverer, JOB};

fn main() -> std::process::ExitCode {
    platform::lambda::main_job(&JOB, Deliverer::new)
}
