//! How many connections fit into the process's limit of open files.

/// Connections that are open at once, if the limit of open files allows them.
const CONNECTIONS_MAX: usize = 512;
/// The maximum on systems that do not say how many files may be open.
const CONNECTIONS_IF_UNKNOWN: usize = 100;

/// The maximum for a server. Half of the files stay free for the database and for outgoing connections.
pub fn connections_max() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    open_files(&limits).map_or(CONNECTIONS_IF_UNKNOWN, |files| (files / 2).clamp(1, CONNECTIONS_MAX))
}

/// The soft limit in the text of `/proc/self/limits`.
fn open_files(limits: &str) -> Option<usize> {
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_whitespace().next()?;
    if soft == "unlimited" { Some(usize::MAX) } else { soft.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_read() {
        let line =
            |soft: &str| format!("Max processes 1 2 processes\nMax open files            {soft}   4096   files\n");
        assert_eq!(open_files(&line("96")), Some(96));
        assert_eq!(open_files(&line("unlimited")), Some(usize::MAX));
        assert_eq!(open_files(""), None);
    }

    #[test]
    fn this_system_allows_some_connections() {
        assert!((1..=CONNECTIONS_MAX).contains(&connections_max()));
    }
}
