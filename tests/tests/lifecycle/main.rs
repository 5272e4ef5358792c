//! From the command line to the exit code: start, reload, silence, stop.

mod exit_codes;
mod reload;
mod restart;
mod settings;
mod silence;
mod sockets;
mod stop;
mod supervisor;
