//! How much memory there is: the machine's, or what the service's own group may take of it.

use std::fs;
use std::path::{Path, PathBuf};

/// Octets; `None` where the system does not say.
pub(super) fn memory() -> Option<u64> {
    let machine = machine(&fs::read_to_string("/proc/meminfo").ok()?)?;
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    Some(groups(&own).iter().filter_map(|group| limit(group)).fold(machine, u64::min))
}

fn machine(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// The group that this process is in, and those above it (cgroup v2).
fn groups(own: &str) -> Vec<PathBuf> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let root = Path::new("/sys/fs/cgroup");
    root.join(path).ancestors().take_while(|path| path.starts_with(root)).map(Path::to_owned).collect()
}

fn limit(group: &Path) -> Option<u64> {
    fs::read_to_string(group.join("memory.max")).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_as_the_system_writes_it() {
        assert_eq!(machine("MemTotal:       24600924 kB\nMemFree:  1 kB\n"), Some(24_600_924 * 1024));
        assert_eq!(machine("MemFree: 1 kB\n"), None);
        let above = groups("0::/system.slice/shikaku.service\n");
        assert_eq!(above.len(), 3, "{above:?}");
        assert!(above[0].ends_with("shikaku.service") && above[2] == Path::new("/sys/fs/cgroup"));
        assert!(memory().is_some_and(|octets| octets > 1 << 20));
    }
}
