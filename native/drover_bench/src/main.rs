//! The command line of the load generator.

use drover_bench::{Options, USAGE, raise_descriptor_limit, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.is_empty() || arguments.iter().any(|argument| argument == "--help") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    raise_descriptor_limit();
    match Options::parse(&arguments)
        .and_then(|options| run(&options).map_err(|error| error.to_string()))
    {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("drover_bench: {message}");
            ExitCode::FAILURE
        }
    }
}
