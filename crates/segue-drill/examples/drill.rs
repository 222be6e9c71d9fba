//! Plays the scripts named on the command line: `cargo run --example drill -- FILE…`; `-D NAME=value` defines, `--json` and
//! `--junit` choose the form of the answer, every other `--name=value` is an option of the language.
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut options = segue_drill::Options::default();
    let mut paths = Vec::new();
    let mut form = String::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.strip_prefix("--") {
            Some(name @ ("json" | "junit")) => form = name.to_owned(),
            Some("retries") => options.retries = 2,
            Some("against=linux") => options.against = segue_drill::Against::Linux,
            Some(option) => {
                let (name, value) = option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
                options.settings.push((name.to_owned(), value.map(str::to_owned)));
            }
            None if argument == "-D" => options.defines.extend(arguments.next()),
            None => paths.push(PathBuf::from(argument)),
        }
    }
    match segue_drill::run_files(&paths, &options) {
        Ok(report) => {
            let text = match form.as_str() {
                "json" => report.to_json(),
                "junit" => report.to_junit(),
                _ => report.to_text(),
            };
            println!("{}", text.trim_end());
            report.exit_status().into()
        }
        Err(error) => {
            eprintln!("drill: {error}");
            2.into()
        }
    }
}
