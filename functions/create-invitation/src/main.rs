//! The Lambda function.

fn main() -> std::process::ExitCode {
    platform::lambda::main(create_invitation::FUNCTION)
}
