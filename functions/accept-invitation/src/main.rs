//! The Lambda function.

fn main() -> std::process::ExitCode {
    platform::lambda::main(accept_invitation::FUNCTION)
}
