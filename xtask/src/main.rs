//! Chores of the workspace: `cargo xtask requirements`.

mod requirements;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Chores of the workspace.")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Prove the requirement tables of docs/requirements: every requirement is listed and proven, and every
    /// test that a table names exists, ran and passed.
    Requirements(requirements::Arguments),
}

fn main() -> ExitCode {
    let Chore::Requirements(arguments) = Cli::parse().chore;
    match requirements::run(&arguments) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(problems) => {
            eprintln!("{problems} problem{}", if problems == 1 { "" } else { "s" });
            ExitCode::FAILURE
        }
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
