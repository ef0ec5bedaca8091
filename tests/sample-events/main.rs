//! Writes the sample events in `events/`: `cargo run -p tests --bin sample-events`. With the argument `environment` it prints
//! the environment variables that a function needs to know the keys of the samples. With `template` it prints
//! template.yaml as JSON for the scripts in `.ci`.

use std::path::Path;

use tests::sample_events::{MASTER_KEY, Stage, play};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("template") {
        println!("{}", local::template::document().map_err(std::io::Error::other)?);
        return Ok(());
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    let stage = Stage::start(None).await;
    if argument.as_deref() == Some("environment") {
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
