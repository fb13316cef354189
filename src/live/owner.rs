//! Who listens on a port, as far as this system tells.
//!
//! Comes in: a port. Goes out: a process by name and number; nothing where `/proc` does not say.

use std::fs;
use std::path::Path;

/// Sockets that listen, in the tables of `/proc/net`.
const LISTENING: &str = "0A";

/// The process that listens on a TCP port.
pub(super) fn owner(port: u16) -> Option<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let inode = tables.iter().find_map(|table| inode(&fs::read_to_string(table).ok()?, port).map(str::to_owned))?;
    let socket = format!("socket:[{inode}]");
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut numbered = processes.filter_map(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok());
    let process = |number: u32| Path::new("/proc").join(number.to_string());
    let number = numbered.find(|number| holds(&process(*number), &socket))?;
    let name = fs::read_to_string(process(number).join("comm")).unwrap_or_default();
    Some(format!("{} (process {number})", name.trim()))
}

/// The inode of the socket that listens on a port.
fn inode(table: &str, port: u16) -> Option<&str> {
    let wanted = format!(":{port:04X}");
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_whitespace();
        let listens = fields.nth(1)?.ends_with(&wanted) && fields.nth(1)? == LISTENING;
        listens.then(|| fields.nth(5))?
    })
}

fn holds(process: &Path, socket: &str) -> bool {
    let Ok(files) = fs::read_dir(process.join("fd")) else { return false };
    files.flatten().any(|file| fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == socket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_found_where_there_is_a_proc() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                     0: 0100007F:10DD 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0";
        assert_eq!(inode(table, 0x10dd), Some("4711"));
        assert_eq!(inode(table, 80), None);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        if Path::new("/proc/net/tcp").exists() {
            let owner = owner(listener.local_addr().unwrap().port()).unwrap();
            assert!(owner.contains(&format!("process {}", std::process::id())), "{owner}");
        }
    }
}
