//! What a process has used, from /proc.

use std::fs;

/// Zero where /proc does not say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// CPU time of the main thread, in nanoseconds, with the kernel's part.
    pub main_cpu: u64,
    /// CPU time of all live threads, in nanoseconds.
    pub cpu: u64,
    /// Resident memory, in KiB.
    pub resident: u64,
    /// Most resident memory so far, in KiB.
    pub peak: u64,
    /// Bytes that it read with system calls, from files and sockets.
    pub read: u64,
    /// Page faults: memory and mapped files that it touched for the first time.
    pub faults: u64,
}

impl Usage {
    pub fn of(pid: u32) -> Self {
        let file = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
        let status = file("status");
        let field = |text: &str, name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
        };
        let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let cpu =
            threads.map(|thread| on_cpu(&fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default()));
        // The fields after the program's name, which is in parentheses and may contain blanks.
        let stat = file("stat");
        let stat: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        let number = |at: usize| stat.get(at).and_then(|number| number.parse::<u64>().ok()).unwrap_or(0);
        Self {
            main_cpu: on_cpu(&file("schedstat")),
            cpu: cpu.sum(),
            resident: field(&status, "VmRSS:"),
            peak: field(&status, "VmHWM:"),
            read: field(&file("io"), "rchar:"),
            faults: number(7) + number(9),
        }
    }
}

/// The first number of schedstat: nanoseconds on a CPU.
fn on_cpu(schedstat: &str) -> u64 {
    schedstat.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}
