//! The folder of `--data-dir`: the database, the master key with its check value, and a lock for one process at a time.

mod error;
pub(crate) mod files;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use platform::random::Random;
use platform::secrets::MasterKey;

pub use self::error::DataDirError;

const MASTER_KEY: &str = "master.key";
const MASTER_KEY_CHECK: &str = "master.key.check";
/// The hash of the operator key that issued the sample keys.
const SAMPLES: &str = "samples.operator";
/// The hash of the operator key of the last start.
const OPERATOR: &str = "operator.last";

/// A data folder, locked until this is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Opens the folder, creates it if necessary, and locks it.
    ///
    /// # Errors
    /// [`DataDirError`] if it is not a folder, cannot be used or is in use.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let failed = |error| DataDirError::Io(path.to_owned(), error);
        if path.is_file() {
            return Err(DataDirError::NotAFolder(path.to_owned()));
        }
        files::create_folder(path).map_err(failed)?;
        let lock = path.join("lock");
        let failed = |error| DataDirError::Io(lock.clone(), error);
        let held = files::open_or_create(&lock).map_err(failed)?;
        match held.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: held }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Whether another process has the folder open. It only reads, so it also works in a read-only folder.
    pub fn is_in_use(path: &Path) -> bool {
        let lock = File::open(path.join("lock"));
        lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// The database's file, ready for the engine: only its owner can read it, also in a folder that others can read. SQLite creates
    /// its other files with the same rights.
    ///
    /// # Errors
    /// [`DataDirError::Io`].
    pub fn database(&self) -> Result<PathBuf, DataDirError> {
        let database = Self::database_in(&self.path);
        for suffix in ["-wal", "-shm", ""] {
            let mut file = database.clone().into_os_string();
            file.push(suffix);
            let file = PathBuf::from(file);
            let private = files::make_private(&file).and_then(|found| {
                if found || !suffix.is_empty() { Ok(()) } else { files::open_or_create(&file).map(drop) }
            });
            private.map_err(|error| DataDirError::Io(file, error))?;
        }
        Ok(database)
    }

    fn has_database(&self) -> bool {
        Self::database_in(&self.path).exists()
    }

    /// The database's file in a folder that is not opened.
    pub fn database_in(path: &Path) -> PathBuf {
        path.join("multipartner.db")
    }

    /// The master key of the folder; in a new folder, a new one.
    ///
    /// # Errors
    /// [`DataDirError`] if the file is exposed, malformed, missing although there is data, or cannot be read or written.
    pub fn master_key(&self, random: &dyn Random) -> Result<MasterKey, DataDirError> {
        let path = self.path.join(MASTER_KEY);
        let failed = |error| DataDirError::Io(path.clone(), error);
        match files::read(&path).map_err(failed)? {
            Some(text) => {
                if let Some(mode) = files::exposed(&path).map_err(failed)? {
                    return Err(DataDirError::MasterKeyExposed { path, mode });
                }
                parse(&text).map(MasterKey::new).ok_or(DataDirError::MasterKeyMalformed(path))
            }
            None if self.has_database() => Err(DataDirError::MasterKeyMissing(path)),
            None => {
                let bytes = random.bytes();
                files::write_new(&path, &HEXLOWER.encode(&bytes)).map_err(failed)?;
                Ok(MasterKey::new(bytes))
            }
        }
    }

    /// Checks that the master key is the one that the data was written with, by a hash of a value that derives from it.
    ///
    /// # Errors
    /// [`DataDirError::MasterKeyWrong`] if it is another one, [`DataDirError::MasterKeyUnconfirmed`] if the hash is missing although
    /// there is data, [`DataDirError::Io`].
    pub fn confirm_master_key(&self, check_value: &[u8; 32]) -> Result<(), DataDirError> {
        let check = self.path.join(MASTER_KEY_CHECK);
        if self.has_database() && !check.exists() {
            return Err(DataDirError::MasterKeyUnconfirmed(check));
        }
        match self.confirm(MASTER_KEY_CHECK, check_value)? {
            true => Ok(()),
            false => Err(DataDirError::MasterKeyWrong(self.path.join(MASTER_KEY))),
        }
    }

    /// Whether the sample keys in this folder were issued by this operator key, or have not been issued yet. A sample key is
    /// issued once per operator key, so another operator key would add a second set.
    ///
    /// # Errors
    /// [`DataDirError::Io`].
    pub fn issues_samples(&self, operator_key_hash: &[u8; 32]) -> Result<bool, DataDirError> {
        self.confirm(SAMPLES, operator_key_hash)
    }

    /// Whether samples have been created here.
    pub fn has_samples(&self) -> bool {
        self.path.join(SAMPLES).exists()
    }

    /// Keeps the hash of this start's operator key. Returns whether the last start had another one.
    ///
    /// # Errors
    /// [`DataDirError::Io`].
    pub fn operator_changed(&self, operator_key_hash: &[u8; 32]) -> Result<bool, DataDirError> {
        let (path, value) = (self.path.join(OPERATOR), HEXLOWER.encode(operator_key_hash));
        let changed = files::read(&path).and_then(|kept| match kept {
            Some(kept) if kept == value => Ok(false),
            kept => files::replace(&path, &value).map(|()| kept.is_some()),
        });
        changed.map_err(|error| DataDirError::Io(path, error))
    }

    /// Keeps a value under a name the first time. After that, returns whether it is still the same value.
    fn confirm(&self, name: &str, value: &[u8; 32]) -> Result<bool, DataDirError> {
        let path = self.path.join(name);
        let value = HEXLOWER.encode(value);
        let confirmed = match files::read(&path) {
            Ok(Some(kept)) => Ok(kept == value),
            Ok(None) => files::write_new(&path, &value).map(|()| true),
            Err(error) => Err(error),
        };
        confirmed.map_err(|error| DataDirError::Io(path, error))
    }
}

fn parse(hex: &str) -> Option<[u8; 32]> {
    HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests;
