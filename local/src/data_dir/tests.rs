use std::fs;

use platform::random::SystemRandom;
use platform::secrets::MasterKeys;

use super::*;
use crate::testing::Folder;

/// Two keys are equal if the same value derives from them.
fn fingerprint(key: MasterKey) -> String {
    MasterKeys::new([(1, key)].into()).access_key(1, b"test").unwrap().expose_secret().to_owned()
}

#[test]
fn the_master_key_is_created_once_and_read_again() {
    let folder = Folder::new();
    let dir = DataDir::open(&folder.0).unwrap();
    let first = fingerprint(dir.master_key(&SystemRandom).unwrap());
    assert_eq!(first, fingerprint(dir.master_key(&SystemRandom).unwrap()));
    let text = fs::read_to_string(folder.0.join(MASTER_KEY)).unwrap();
    assert_eq!(text.trim_end().len(), 64);
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_folder_and_the_master_key() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let dir = DataDir::open(&folder.0).unwrap();
    dir.master_key(&SystemRandom).unwrap();
    let path = folder.0.join(MASTER_KEY);
    assert_eq!(fs::metadata(&folder.0).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let error = dir.master_key(&SystemRandom).unwrap_err();
    assert!(matches!(error, DataDirError::MasterKeyExposed { mode: 0o640, .. }));
    assert!(error.to_string().contains("(mode 640)") && error.to_string().contains("chmod 600"), "{error}");
}

#[test]
fn a_malformed_or_missing_master_key_is_not_replaced() {
    let folder = Folder::new();
    let dir = DataDir::open(&folder.0).unwrap();
    for malformed in ["", "abc", &"x".repeat(64), &"0".repeat(63), &"0".repeat(66)] {
        files::write_new(&folder.0.join(MASTER_KEY), malformed).unwrap();
        let error = dir.master_key(&SystemRandom).unwrap_err();
        assert!(matches!(error, DataDirError::MasterKeyMalformed(_)), "{malformed}: {error}");
        fs::remove_file(folder.0.join(MASTER_KEY)).unwrap();
    }
    fs::write(DataDir::database_in(&folder.0), "").unwrap();
    assert!(matches!(dir.master_key(&SystemRandom), Err(DataDirError::MasterKeyMissing(_))));
}

#[test]
fn another_check_value_of_the_master_key_is_rejected() {
    let folder = Folder::new();
    let dir = DataDir::open(&folder.0).unwrap();
    dir.confirm_master_key(&[1; 32]).unwrap();
    dir.confirm_master_key(&[1; 32]).unwrap();
    assert!(matches!(dir.confirm_master_key(&[2; 32]), Err(DataDirError::MasterKeyWrong(_))));
    dir.confirm_master_key(&[1; 32]).unwrap();
}

#[test]
fn sample_keys_belong_to_the_operator_key_that_issued_them_first() {
    let folder = Folder::new();
    let dir = DataDir::open(&folder.0).unwrap();
    assert!(dir.issues_samples(&[1; 32]).unwrap());
    assert!(!dir.issues_samples(&[2; 32]).unwrap());
    assert!(dir.issues_samples(&[1; 32]).unwrap());
}

#[test]
fn a_master_key_without_check_value_is_not_used_with_data() {
    let folder = Folder::new();
    let dir = DataDir::open(&folder.0).unwrap();
    dir.database().unwrap();
    assert!(matches!(dir.confirm_master_key(&[1; 32]), Err(DataDirError::MasterKeyUnconfirmed(_))));
}

#[test]
fn the_operator_key_of_the_last_start_is_known() {
    let folder = Folder::new();
    let dir = DataDir::open(&folder.0).unwrap();
    let changes = [1, 1, 2, 2, 1].map(|key| dir.operator_changed(&[key; 32]).unwrap());
    assert_eq!(changes, [false, false, true, false, true]);
}

#[test]
fn one_process_at_a_time_can_open_a_folder() {
    let folder = Folder::new();
    let held = DataDir::open(&folder.0).unwrap();
    assert!(matches!(DataDir::open(&folder.0), Err(DataDirError::InUse(_))));
    drop(held);
    assert!(DataDir::open(&folder.0).is_ok());
}

#[test]
fn a_file_is_not_a_data_folder() {
    let folder = Folder::new();
    let file = folder.0.join("file");
    fs::create_dir_all(&folder.0).unwrap();
    fs::write(&file, "").unwrap();
    let error = DataDir::open(&file).unwrap_err();
    assert_eq!(error.to_string(), format!("{} is a file; --data-dir needs a folder", file.display()));
    let error = DataDir::open(&file.join("data")).unwrap_err();
    assert!(error.to_string().contains("file/data"), "{error}");
}
