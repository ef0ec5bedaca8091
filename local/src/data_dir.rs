//! The folder of `--data-dir`: the database, the master key, and a lock, for one process at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use platform::random::Random;
use platform::secrets::MasterKey;

use crate::StartError;

/// A data folder, locked while this lives.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Opens the folder, makes it if need be, and locks it.
    ///
    /// # Errors
    /// [`StartError::DataDir`], [`StartError::DataDirInUse`].
    pub fn open(path: &Path) -> Result<Self, StartError> {
        let failed = |error| StartError::DataDir(path.to_owned(), error);
        create(path).map_err(failed)?;
        let lock =
            OpenOptions::new().create(true).truncate(false).write(true).open(path.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StartError::DataDirInUse(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// The database's file.
    pub fn database(&self) -> PathBuf {
        Self::database_in(&self.path)
    }

    /// The database's file in a folder that is not to be opened.
    pub fn database_in(path: &Path) -> PathBuf {
        path.join("multipartner.db")
    }

    /// The master key: that of the folder, or a new one in a new folder.
    ///
    /// # Errors
    /// [`StartError`] when the file is exposed, malformed, missing beside data, or can't be read or written.
    pub fn master_key(&self, random: &dyn Random) -> Result<MasterKey, StartError> {
        let path = self.path.join("master.key");
        match fs::read_to_string(&path) {
            Ok(text) => {
                private(&path)?;
                let text = text.trim_end();
                let key = MasterKey::parse(text).filter(|_| text.len() == 64);
                key.ok_or(StartError::MasterKeyMalformed(path))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.database().exists() => {
                Err(StartError::MasterKeyMissing(path))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let bytes = random.bytes();
                write(&path, &HEXLOWER.encode(&bytes)).map_err(|error| StartError::DataDir(path, error))?;
                Ok(MasterKey::new(bytes))
            }
            Err(error) => Err(StartError::DataDir(path, error)),
        }
    }
}

/// Makes the folder, unless it is there, for its owner only: the data name people.
fn create(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Writes a new file that only its owner can read.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

/// Refuses a file that others can read. Where there are no such permissions, there is nothing to refuse.
fn private(path: &Path) -> Result<(), StartError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata = fs::metadata(path).map_err(|error| StartError::DataDir(path.to_owned(), error))?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(StartError::MasterKeyExposed { path: path.to_owned(), mode });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::PartnerId;
    use platform::random::SystemRandom;
    use platform::secrets::MasterKeys;

    use super::*;
    use crate::testing::Folder;

    /// Two keys are the same when what derives from them is.
    fn fingerprint(key: MasterKey) -> String {
        let keys = MasterKeys::new(BTreeMap::from([(1, key)]));
        keys.access_key(1, PartnerId::PREFIX.as_bytes()).unwrap().expose_secret().to_owned()
    }

    #[test]
    fn the_key_is_made_once_and_read_again() {
        let folder = Folder::new();
        let dir = DataDir::open(&folder.0).unwrap();
        let first = fingerprint(dir.master_key(&SystemRandom).unwrap());
        assert_eq!(first, fingerprint(dir.master_key(&SystemRandom).unwrap()));
        let text = fs::read_to_string(folder.0.join("master.key")).unwrap();
        assert_eq!(text.trim_end().len(), 64);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_them() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new();
        let dir = DataDir::open(&folder.0).unwrap();
        dir.master_key(&SystemRandom).unwrap();
        let path = folder.0.join("master.key");
        assert_eq!(fs::metadata(&folder.0).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = dir.master_key(&SystemRandom).unwrap_err();
        assert!(matches!(error, StartError::MasterKeyExposed { mode: 0o640, .. }));
        assert!(error.to_string().contains("(mode 640)") && error.to_string().contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_damaged_or_lost_key_is_not_replaced() {
        let folder = Folder::new();
        let dir = DataDir::open(&folder.0).unwrap();
        for damaged in ["", "abc", &"x".repeat(64)[..63], &"0".repeat(66)] {
            write(&folder.0.join("master.key"), damaged).unwrap();
            assert!(matches!(dir.master_key(&SystemRandom), Err(StartError::MasterKeyMalformed(_))), "{damaged}");
            fs::remove_file(folder.0.join("master.key")).unwrap();
        }
        fs::write(dir.database(), "").unwrap();
        assert!(matches!(dir.master_key(&SystemRandom), Err(StartError::MasterKeyMissing(_))));
    }

    #[test]
    fn a_folder_serves_one_process_at_a_time() {
        let folder = Folder::new();
        let held = DataDir::open(&folder.0).unwrap();
        assert!(matches!(DataDir::open(&folder.0), Err(StartError::DataDirInUse(_))));
        drop(held);
        assert!(DataDir::open(&folder.0).is_ok());
    }

    #[test]
    fn a_folder_that_can_not_be_made_is_named() {
        let folder = Folder::new();
        let file = folder.0.join("file");
        fs::create_dir_all(&folder.0).unwrap();
        fs::write(&file, "").unwrap();
        let error = DataDir::open(&file.join("data")).unwrap_err();
        assert!(error.to_string().contains("file/data"), "{error}");
    }
}
