//! svstat: shows what supervise says.
#![cfg_attr(not(test), no_main)]

mod events;
mod fields;
mod follow;
mod gather;
mod json;
mod line;
mod outlet;
mod run;
mod table;
mod terminal;
mod watch;

#[cfg(not(test))]
upkeep_sys::main!(|args| run::run(args).code());

// The tests have another main.
#[cfg(test)]
const _: fn(upkeep_sys::Args) -> upkeep_cli::Exit = run::run;
