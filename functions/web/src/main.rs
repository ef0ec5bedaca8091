//! The Lambda function.

fn main() -> std::process::ExitCode {
    platform::lambda::main_without_table(web::FUNCTION)
}
