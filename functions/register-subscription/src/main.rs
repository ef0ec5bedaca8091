//! The Lambda function.

fn main() -> std::process::ExitCode {
    platform::lambda::main(register_subscription::FUNCTION)
}
