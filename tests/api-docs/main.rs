//! Writes the API's documentation: `cargo run -p tests --bin api-docs`.

use tests::api_docs::{Examples, files};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    for file in files(&Examples::record().await) {
        std::fs::write(file.on_disk(), &file.text)?;
        println!("{:>7} bytes  {}", file.text.len(), file.path);
    }
    Ok(())
}
