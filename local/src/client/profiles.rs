//! Named deployments in a file of the user's configuration folder.
//!
//! The file decides where a key is sent, so only its owner may read or write it. It contains paths of key files and no keys.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A deployment, and where its key is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    /// The profile that is used without `--profile`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<String>,
    #[serde(default)]
    profiles: BTreeMap<String, Profile>,
}

/// The file with the profiles. It may be absent.
pub struct Profiles {
    path: PathBuf,
    document: Document,
}

#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    #[error("there is no home folder; set XDG_CONFIG_HOME")]
    NoFolder,
    #[error("cannot use {path}: {error}", path = .0.display(), error = .1)]
    File(PathBuf, io::Error),
    #[error("other users can read or change {path}; run: chmod 600 {path}", path = .0.display())]
    Open(PathBuf),
    #[error("{path} is not a file of profiles: {error}", path = .0.display(), error = .1)]
    Malformed(PathBuf, serde_json::Error),
    #[error("there is no profile `{0}`; `multipartner profile list` prints the profiles")]
    Unknown(String),
    #[error("a profile's name is 1 to 64 of A–Z a–z 0–9 . _ -")]
    Name,
}

impl Profiles {
    /// `multipartner/profiles.json` in `XDG_CONFIG_HOME`, or in `.config` of the home folder.
    ///
    /// # Errors
    /// [`ProfileError::NoFolder`].
    pub fn default_path() -> Result<PathBuf, ProfileError> {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = set("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
        let folder = folder.or_else(|| set("HOME").map(|home| home.join(".config"))).ok_or(ProfileError::NoFolder)?;
        Ok(folder.join("multipartner").join("profiles.json"))
    }

    /// Reads the file. A file that does not exist has no profiles.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn read(path: PathBuf) -> Result<Self, ProfileError> {
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { path, document: Document::default() });
            }
            Err(error) => return Err(ProfileError::File(path, error)),
        };
        if is_open_to_others(&file).map_err(|error| ProfileError::File(path.clone(), error))? {
            return Err(ProfileError::Open(path));
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(|error| ProfileError::File(path.clone(), error))?;
        let document = serde_json::from_str(&text).map_err(|error| ProfileError::Malformed(path.clone(), error))?;
        Ok(Self { path, document })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name of the default profile.
    pub fn default_name(&self) -> Option<&str> {
        self.document.default.as_deref()
    }

    pub fn all(&self) -> impl Iterator<Item = (&str, &Profile)> {
        self.document.profiles.iter().map(|(name, profile)| (name.as_str(), profile))
    }

    /// The profile with this name; without a name the default one, if there is one.
    ///
    /// # Errors
    /// [`ProfileError::Unknown`].
    pub fn get(&self, name: Option<&str>) -> Result<Option<&Profile>, ProfileError> {
        let Some(name) = name.or(self.default_name()) else { return Ok(None) };
        self.document.profiles.get(name).map(Some).ok_or_else(|| ProfileError::Unknown(name.to_owned()))
    }

    /// Adds or replaces a profile. The first one becomes the default.
    ///
    /// # Errors
    /// [`ProfileError::Name`].
    pub fn set(&mut self, name: &str, profile: Profile, is_default: bool) -> Result<(), ProfileError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if !(1..=64).contains(&name.len()) || !name.bytes().all(is_plain) {
            return Err(ProfileError::Name);
        }
        if is_default || self.document.profiles.is_empty() {
            self.document.default = Some(name.to_owned());
        }
        self.document.profiles.insert(name.to_owned(), profile);
        Ok(())
    }

    /// # Errors
    /// [`ProfileError::Unknown`].
    pub fn remove(&mut self, name: &str) -> Result<(), ProfileError> {
        self.document.profiles.remove(name).ok_or_else(|| ProfileError::Unknown(name.to_owned()))?;
        if self.default_name() == Some(name) {
            self.document.default = None;
        }
        Ok(())
    }

    /// Replaces the file as a whole.
    ///
    /// # Errors
    /// [`ProfileError::File`].
    pub fn save(&self) -> Result<(), ProfileError> {
        self.write().map_err(|error| ProfileError::File(self.path.clone(), error))
    }

    fn write(&self) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        create_folder(folder)?;
        let new = self.path.with_extension(format!("{}.new", std::process::id()));
        let mut file = private_file(&new)?;
        let written = serde_json::to_vec_pretty(&self.document)
            .map_err(io::Error::other)
            .and_then(|text| file.write_all(&text))
            .and_then(|()| file.write_all(b"\n"))
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&new, &self.path));
        if written.is_err() {
            let _ = fs::remove_file(&new);
        }
        written
    }
}

/// Creates a file that only its owner may read. A file that exists stays as it is.
///
/// # Errors
/// If it exists, or cannot be created.
pub fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Whether others than the owner may read or write a file. Pipes and devices have no others.
///
/// # Errors
/// If the system does not say.
#[cfg(unix)]
pub fn is_open_to_others(file: &File) -> io::Result<bool> {
    let metadata = file.metadata()?;
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
    Ok(metadata.is_file() && mode & 0o077 != 0)
}

#[cfg(not(unix))]
pub fn is_open_to_others(_: &File) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            Self(std::env::temp_dir().join(format!("multipartner-profiles-{}-{name}", std::process::id())))
        }

        fn file(&self) -> PathBuf {
            self.0.join("multipartner").join("profiles.json")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn profile(url: &str) -> Profile {
        Profile { url: url.to_owned(), key_file: Some("/keys/one".into()) }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn profiles_are_written_and_read_back_and_only_their_owner_can_read_them() {
        let folder = Folder::new("roundtrip");
        let mut profiles = Profiles::read(folder.file()).unwrap();
        assert_eq!(profiles.get(None).unwrap(), None);
        profiles.set("one", profile("https://one.example"), false).unwrap();
        profiles.set("two", profile("https://two.example"), false).unwrap();
        profiles.save().unwrap();
        assert_eq!((mode(&folder.file()), mode(folder.file().parent().unwrap())), (0o600, 0o700));
        let mut read = Profiles::read(folder.file()).unwrap();
        assert_eq!(read.get(None).unwrap(), Some(&profile("https://one.example")));
        assert_eq!(read.get(Some("two")).unwrap(), Some(&profile("https://two.example")));
        assert!(matches!(read.get(Some("three")), Err(ProfileError::Unknown(_))));
        read.remove("one").unwrap();
        read.save().unwrap();
        assert_eq!(Profiles::read(folder.file()).unwrap().all().count(), 1);
        assert_eq!(fs::read_dir(folder.file().parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_others_can_read_or_change_is_refused() {
        let folder = Folder::new("modes");
        let mut profiles = Profiles::read(folder.file()).unwrap();
        profiles.set("one", profile("https://one.example"), false).unwrap();
        profiles.save().unwrap();
        for (bits, is_refused) in [(0o644, true), (0o640, true), (0o620, true), (0o600, false), (0o400, false)] {
            fs::set_permissions(folder.file(), fs::Permissions::from_mode(bits)).unwrap();
            let read = Profiles::read(folder.file());
            assert_eq!(matches!(read, Err(ProfileError::Open(_))), is_refused, "{bits:o}");
        }
    }

    #[test]
    fn a_malformed_file_and_a_malformed_name_are_reported() {
        let folder = Folder::new("malformed");
        create_folder(folder.file().parent().unwrap()).unwrap();
        private_file(&folder.file()).unwrap().write_all(b"{\"profiles\":{\"a\":{\"link\":\"x\"}}}").unwrap();
        assert!(matches!(Profiles::read(folder.file()), Err(ProfileError::Malformed(..))));
        let mut profiles = Profiles::read(folder.0.join("none")).unwrap();
        for name in ["", "a b", "a/b", &"a".repeat(65)] {
            assert!(matches!(profiles.set(name, profile("https://x.example"), false), Err(ProfileError::Name)));
        }
    }
}
