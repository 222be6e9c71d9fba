//! Chores of the workspace: `cargo xtask requirements`, `cargo xtask grid`, `cargo xtask differ`.

mod differ;
mod grid;
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
    /// Measure bulk transfers over a grid of paths, in virtual time and beside this machine's kernel.
    Grid(grid::Arguments),
    /// Tell random stories to this machine's kernel and to Segue, and find where they answer otherwise.
    Differ(differ::Arguments),
}

fn main() -> ExitCode {
    let problems = match Cli::parse().chore {
        Chore::Requirements(arguments) => requirements::run(&arguments),
        Chore::Differ(arguments) => match differ::run(&arguments) {
            Ok(true) => Ok(0),
            Ok(false) => return ExitCode::FAILURE,
            Err(message) => Err(message),
        },
        // What went wrong was said already.
        Chore::Grid(arguments) => match grid::run(&arguments) {
            Ok(true) => Ok(0),
            Ok(false) => return ExitCode::FAILURE,
            Err(message) => Err(message),
        },
    };
    match problems {
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
