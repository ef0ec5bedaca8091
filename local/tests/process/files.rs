//! The files of a data folder.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::process::{Folder, Process};

/// Starts on this folder, and returns standard error. It must not get ready.
fn refused(folder: &Folder) -> String {
    let (status, error) = Process::start(&["serve", "--port", "0", "--data-dir", folder.text()]).end();
    assert!(!status.success(), "it started: {error}");
    error
}

/// A folder with samples, that is not in use.
fn filled() -> Folder {
    let folder = Folder::new();
    let mut serve = Process::start(&["serve", "--port", "0", "--data-dir", folder.text()]);
    serve.line_with("Webhooks:");
    serve.stop();
    folder
}

fn modes(folder: &Path) -> Vec<(String, u32)> {
    let mut modes: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|file| {
            let file = file.unwrap();
            (file.file_name().into_string().unwrap(), file.metadata().unwrap().permissions().mode() & 0o777)
        })
        .collect();
    modes.sort();
    modes
}

#[test]
fn every_file_is_private_also_in_a_folder_that_others_can_read() {
    let folder = Folder::new();
    fs::create_dir(&folder.0).unwrap();
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o755)).unwrap();
    // An older version left a file that others can read.
    fs::write(folder.0.join("multipartner.db"), "").unwrap();
    fs::set_permissions(folder.0.join("multipartner.db"), fs::Permissions::from_mode(0o644)).unwrap();
    let mut engine = Process::start(&["dynamodb", "--port", "0", "--data-dir", folder.text()]);
    engine.line_with("Ctrl-C");
    let names: Vec<String> = modes(&folder.0).into_iter().map(|(name, mode)| format!("{name} {mode:03o}")).collect();
    assert_eq!(names, ["lock 600", "multipartner.db 600", "multipartner.db-shm 600", "multipartner.db-wal 600"]);
    engine.stop();

    let other = Folder::new();
    fs::create_dir(&other.0).unwrap();
    fs::set_permissions(&other.0, fs::Permissions::from_mode(0o755)).unwrap();
    let mut serve = Process::start(&["serve", "--port", "0", "--data-dir", other.text()]);
    serve.line_with("Webhooks:");
    let modes = modes(&other.0);
    assert!(modes.len() >= 6 && modes.iter().all(|(_, mode)| *mode == 0o600), "{modes:?}");
}

#[test]
fn a_link_in_place_of_a_file_is_not_followed() {
    for name in ["lock", "multipartner.db", "multipartner.db-wal"] {
        let folder = Folder::new();
        fs::create_dir(&folder.0).unwrap();
        let elsewhere = folder.0.join("elsewhere");
        symlink(&elsewhere, folder.0.join(name)).unwrap();
        let error = refused(&folder);
        assert!(error.contains(name) && error.contains("it is a link"), "{error}");
        assert!(!elsewhere.exists(), "{name} was followed");
        fs::write(&elsewhere, "kept").unwrap();
        refused(&folder);
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "kept", "{name} was followed");
    }
}

#[test]
fn damaged_pages_are_found_at_the_start() {
    let folder = filled();
    let database = folder.0.join("multipartner.db");
    let mut file = fs::OpenOptions::new().write(true).open(&database).unwrap();
    file.seek(SeekFrom::Start(4 * 4096)).unwrap();
    file.write_all(&[0xA5; 10 * 4096]).unwrap();
    let error = refused(&folder);
    assert!(error.contains(database.to_str().unwrap()) && error.contains("Restore the file from a backup"), "{error}");
}

#[test]
fn another_master_key_is_refused_and_so_is_one_that_cannot_be_checked() {
    let folder = filled();
    let (key, check) = (folder.0.join("master.key"), folder.0.join("master.key.check"));
    let right = fs::read_to_string(&key).unwrap();
    fs::write(&key, format!("{}\n", "ab".repeat(32))).unwrap();
    let error = refused(&folder);
    assert!(error.contains("is not the master key of the data in this folder; restore"), "{error}");
    fs::remove_file(&check).unwrap();
    let error = refused(&folder);
    assert!(error.contains("master.key.check is missing") && error.contains("restore the file"), "{error}");
    fs::write(&key, right).unwrap();
    assert!(refused(&folder).contains("master.key.check is missing"));
}
