//! `cargo xtask grid`: builds the measuring program as fast code and runs it.
//!
//! Decides the profile; options and figures are `segue-grid`'s.

use std::ffi::OsString;
use std::process::Command;

use clap::Args;

#[derive(Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// Handed on as they are; --help explains them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Whether the measuring went well and nothing got worse.
pub(crate) fn run(arguments: &Arguments) -> Result<bool, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--profile", "measure", "--package", "segue-grid", "--"]);
    let status = command.args(&arguments.arguments).status().map_err(|error| format!("cannot run cargo: {error}"))?;
    Ok(status.success())
}
