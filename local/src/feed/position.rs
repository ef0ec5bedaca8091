//! Where forwarding continues after a restart: a file with the cursor, and with the events after it that were forwarded already.
//! Without the second part, a restart in the middle of a page would send its first events again.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use domain::{EventId, digest};
use platform::random::Random;
use platform::secrets::signature::SigningSecret;
use platform::serde::{Deserialize, Serialize};

use crate::data_dir::files;

const VERSION: u32 = 1;

/// Why the position cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PositionError {
    #[error("there is no folder for the position; set XDG_STATE_HOME, or choose a file with --state")]
    NoFolder,
    #[error("cannot use {path}: {error}", path = .0.display(), error = .1)]
    File(PathBuf, io::Error),
    #[error(
        "{path} is in use by another `listen`. Stop that one, or choose another file with --state", path = .0.display()
    )]
    InUse(PathBuf),
    #[error("{path} is not a position of `listen`. Remove it, or choose another file with --state", path = .0.display())]
    Malformed(PathBuf),
    #[error("{path} belongs to {owner} at {url}. Choose another file with --state", path = .path.display())]
    Other { path: PathBuf, owner: String, url: String },
}

/// What the file contains.
#[derive(Serialize, Deserialize)]
#[serde(crate = "platform::serde")]
struct Kept {
    version: u32,
    url: String,
    owner: String,
    /// Signs the forwarded messages, unless the user provided another secret.
    secret: Option<String>,
    /// `None` before the first start.
    after: Option<String>,
    /// Events behind the cursor that were forwarded.
    forwarded: Vec<String>,
}

/// The position of one reader of one deployment. Only one process can have it.
pub struct Position {
    path: PathBuf,
    kept: Kept,
    _lock: File,
}

/// The file for the owner of a feed, in the user's state folder.
///
/// # Errors
/// [`PositionError::NoFolder`].
pub fn default_file(url: &str, owner: &str) -> Result<PathBuf, PositionError> {
    let name = HEXLOWER.encode(&digest("listen", &[url.as_bytes(), owner.as_bytes()])[..8]);
    let folder = |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = folder("XDG_STATE_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".local").join("state")))
        .or_else(|| folder("LOCALAPPDATA"))
        .ok_or(PositionError::NoFolder)?;
    Ok(folder.join("multipartner").join(format!("listen-{name}.json")))
}

impl Position {
    /// Opens the file, or begins a new position. The file must belong to the same owner at the same deployment.
    ///
    /// # Errors
    /// [`PositionError`].
    pub fn open(path: &Path, url: &str, owner: &str) -> Result<Self, PositionError> {
        let failed = |error| PositionError::File(path.to_owned(), error);
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            files::create_folder(folder).map_err(failed)?;
        }
        let lock = lock(path)?;
        files::make_private(path).map_err(failed)?;
        let kept = match files::read(path).map_err(failed)? {
            Some(text) => serde_json::from_str(&text).map_err(|_| PositionError::Malformed(path.to_owned()))?,
            None => Kept {
                version: VERSION,
                url: url.to_owned(),
                owner: owner.to_owned(),
                secret: None,
                after: None,
                forwarded: Vec::new(),
            },
        };
        if kept.version != VERSION {
            return Err(PositionError::Malformed(path.to_owned()));
        }
        if (kept.url.as_str(), kept.owner.as_str()) != (url, owner) {
            return Err(PositionError::Other { path: path.to_owned(), owner: kept.owner, url: kept.url });
        }
        Ok(Self { path: path.to_owned(), kept, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The stored cursor; `None` in a new position.
    pub fn after(&self) -> Option<&str> {
        self.kept.after.as_deref()
    }

    /// The secret of this position. The first time it is made and stored, so that it stays the same after a restart.
    ///
    /// # Errors
    /// [`PositionError`] if it cannot be stored, or if the stored text is none.
    pub fn secret(&mut self, random: &dyn Random) -> Result<SigningSecret, PositionError> {
        if let Some(text) = &self.kept.secret {
            return SigningSecret::parse(text).map_err(|_| PositionError::Malformed(self.path.clone()));
        }
        let secret = SigningSecret::from_bytes(&random.bytes());
        self.kept.secret = Some(secret.to_whsec());
        self.store()?;
        Ok(secret)
    }

    pub fn is_forwarded(&self, event: &EventId) -> bool {
        self.kept.forwarded.iter().any(|id| id == event.as_str())
    }

    /// Notes that an event behind the cursor is done.
    ///
    /// # Errors
    /// [`PositionError`], in both methods here.
    pub fn note(&mut self, event: &EventId) -> Result<(), PositionError> {
        self.kept.forwarded.push(event.as_str().to_owned());
        self.store()
    }

    /// Moves on: everything up to this cursor is done.
    pub fn advance(&mut self, cursor: &str) -> Result<(), PositionError> {
        self.kept.after = Some(cursor.to_owned());
        self.kept.forwarded.clear();
        self.store()
    }

    fn store(&self) -> Result<(), PositionError> {
        let text = serde_json::to_string(&self.kept).map_err(io::Error::other);
        let stored = text.and_then(|text| files::replace(&self.path, &text));
        stored.map_err(|error| PositionError::File(self.path.clone(), error))
    }
}

/// Locks a file next to the position's, because replacing that one would end its lock.
fn lock(path: &Path) -> Result<File, PositionError> {
    let name = path.with_added_extension("lock");
    let failed = |error| PositionError::File(name.clone(), error);
    let file = files::open_or_create(&name).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(PositionError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::testing::{FixedRandom, Folder};

    const URL: &str = "http://127.0.0.1:3000";

    fn event(byte: u8) -> EventId {
        EventId::from_hash(&[byte; 32])
    }

    #[test]
    fn a_position_is_kept_with_the_events_after_it() {
        let folder = Folder::new();
        let file = folder.0.join("state").join("position.json");
        let open = || Position::open(&file, URL, "ptr_a").unwrap();
        assert_eq!(open().after(), None);
        let secret = open().secret(&FixedRandom(1)).unwrap().to_whsec();
        open().advance("one").unwrap();
        open().note(&event(1)).unwrap();
        let mut position = open();
        assert_eq!(position.after(), Some("one"));
        assert_eq!([1, 2].map(|byte| position.is_forwarded(&event(byte))), [true, false]);
        assert_eq!(position.secret(&FixedRandom(2)).unwrap().to_whsec(), secret);
        position.advance("two").unwrap();
        assert!(!position.is_forwarded(&event(1)));
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new();
        let file = folder.0.join("position.json");
        Position::open(&file, URL, "ptr_a").unwrap().advance("one").unwrap();
        let mode = || fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        Position::open(&file, URL, "ptr_a").unwrap();
        assert_eq!(mode(), 0o600);
    }

    #[test]
    fn a_file_in_use_or_of_another_owner_or_form_is_refused() {
        let folder = Folder::new();
        let file = folder.0.join("position.json");
        let mut first = Position::open(&file, URL, "ptr_a").unwrap();
        first.advance("one").unwrap();
        assert!(matches!(Position::open(&file, URL, "ptr_a"), Err(PositionError::InUse(_))));
        drop(first);
        for (url, owner) in [(URL, "ptr_b"), ("https://example.com", "ptr_a")] {
            let error = Position::open(&file, url, owner).err().unwrap();
            assert!(error.to_string().contains("belongs to ptr_a at http://127.0.0.1:3000"), "{error}");
        }
        for text in ["", "x", "{}", &fs::read_to_string(&file).unwrap().replace("\"version\":1", "\"version\":2")] {
            fs::write(&file, text).unwrap();
            assert!(matches!(Position::open(&file, URL, "ptr_a"), Err(PositionError::Malformed(_))), "{text}");
        }
    }
}
