//! svstat: shows what supervise says.
#![cfg_attr(not(test), no_main)]

mod fields;
mod gather;
mod json;
mod line;
mod run;
mod table;
mod terminal;

#[cfg(not(test))]
upkeep_sys::main!(|args| run::run(args).code());

// The tests have another main.
#[cfg(test)]
const _: fn(upkeep_sys::Args) -> upkeep_cli::Exit = run::run;
