//! `events/` has one file for each route, schedule and mapping. The generator writes them, and the real functions accept them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tests::sample_events::{JOBS, Stage, play};

use crate::deployment::Deployment;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../events")
}

/// The files in `events/`, as `function/event.json`.
fn files() -> BTreeSet<String> {
    let entries = |path: &Path| std::fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry"));
    let folders = entries(&folder()).filter(|entry| entry.path().is_dir());
    let of = |path: &Path| path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
    let inside =
        |folder: &Path| entries(folder).map(|file| format!("{}/{}", of(folder), of(&file.path()))).collect::<Vec<_>>();
    folders.flat_map(|folder| inside(&folder.path())).collect()
}

#[tokio::test]
async fn the_sample_events_are_those_of_the_generator() {
    let stage = Stage::start(None).await;
    play(&stage).await;
    let made = stage.samples();
    assert_eq!(files(), made.iter().map(|sample| sample.path()).collect(), "cargo run -p tests --bin sample-events");
    for sample in made {
        let kept = std::fs::read_to_string(folder().join(sample.path())).expect("a file");
        assert!(kept == sample.text, "{} is out of date: cargo run -p tests --bin sample-events", sample.path());
    }
}

#[tokio::test]
async fn every_event_of_the_template_has_a_sample() {
    let deployment = Deployment::read();
    let events: usize = deployment.functions().iter().map(|function| function.events.len()).sum();
    assert_eq!(files().len(), events);
}

#[tokio::test]
async fn each_sample_is_accepted_by_its_function() {
    let first = Stage::start(None).await;
    play(&first).await;
    let stage = Stage::start(None).await;
    // The files contain one event of each kind, which is enough to repeat the story.
    for sample in first.samples() {
        let event = std::fs::read(folder().join(sample.path())).expect("a file");
        if JOBS.iter().any(|(name, _)| *name == sample.function) {
            stage.run(&sample.function, &event).await;
            continue;
        }
        let answer = stage.invoke(&sample.function, &event).await;
        assert!(answer.status < 500, "{}: {}", sample.path(), String::from_utf8_lossy(&answer.body));
        let malformed = matches!(answer.status, 400 | 422);
        assert!(!malformed, "{}: {}", sample.path(), String::from_utf8_lossy(&answer.body));
    }
}
