//! The program as a process: what it prints, its exit code, its sockets and its files.

mod process;

mod files;
mod pipes;
mod serving;
mod sockets;
