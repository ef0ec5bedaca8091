//! The Lambda function.

fn main() -> std::process::ExitCode {
    platform::lambda::main(end_relationship::FUNCTION)
}
