//! The Lambda function.

fn main() -> std::process::ExitCode {
    platform::lambda::main(sign_in::FUNCTION)
}
