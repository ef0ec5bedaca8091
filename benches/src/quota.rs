//! A CPU quota for a running process, as Lambda gives a function by its memory. It needs a writable cgroup hierarchy.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{During, Result};

/// Lambda gives one whole CPU at this many megabytes.
const WHOLE_CPU_MB: u32 = 1_769;
/// In microseconds. The kernel accepts quotas from 1 ms, and a short period throttles small requests too.
const PERIOD: u32 = 20_000;

/// A cgroup with a quota. It is removed when this is dropped, which must be after its processes have ended.
pub struct Quota {
    folder: PathBuf,
}

impl Quota {
    /// The share of a CPU that a function with this many megabytes has. The group is not used yet.
    ///
    /// # Errors
    /// If no cgroup hierarchy is writable, or its CPU controller is not available.
    pub fn new(megabytes: u32) -> io::Result<Self> {
        let quota = PERIOD * megabytes / WHOLE_CPU_MB;
        let name = format!("multipartner-bench-{}-{megabytes}", std::process::id());
        let (v1, v2) = (Path::new("/sys/fs/cgroup/cpu"), Path::new("/sys/fs/cgroup"));
        let version_1 = v1.join("cpu.cfs_quota_us").exists() || v1.join("cgroup.procs").exists();
        let folder = if version_1 { v1.join(name) } else { v2.join(name) };
        fs::create_dir(&folder)?;
        let group = Self { folder };
        if version_1 {
            group.set("cpu.cfs_period_us", &PERIOD.to_string())?;
            group.set("cpu.cfs_quota_us", &quota.to_string())?;
        } else {
            group.set("cpu.max", &format!("{quota} {PERIOD}"))?;
        }
        Ok(group)
    }

    /// From now on the process with all its threads has this quota.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn limit(&self, pid: u32) -> Result<()> {
        self.set("cgroup.procs", &pid.to_string()).on(&self.folder)
    }

    fn set(&self, file: &str, value: &str) -> io::Result<()> {
        fs::write(self.folder.join(file), value)
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.folder);
    }
}
