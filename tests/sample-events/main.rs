//! Writes `events/` anew: `cargo run -p tests --bin sample-events`. With the word `environment` it prints what a function
//! must be told to know the keys that the samples use.

use std::path::Path;

use tests::sample_events::{MASTER_KEY, Stage, play};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    let stage = Stage::start(None).await;
    if std::env::args().nth(1).as_deref() == Some("environment") {
        println!("MASTER_KEY_1='{MASTER_KEY}'\nOPERATOR_KEY_HASH={}", stage.operator_key_hash());
        return Ok(());
    }
    play(&stage).await;
    for sample in stage.samples() {
        let file = folder.join(sample.path());
        std::fs::create_dir_all(file.parent().unwrap_or(&folder))?;
        std::fs::write(&file, &sample.text)?;
        println!("{}  {}", sample.status, sample.path());
    }
    Ok(())
}
