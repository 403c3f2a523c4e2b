//! Does one piece of work a given number of times, for a tool that counts instructions; without arguments it names all.

use drover_micro::works;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut all = works();
    match arguments.as_slice() {
        [] => {
            for work in &all {
                println!("{} {} {}", work.name, work.count, work.bytes);
            }
            ExitCode::SUCCESS
        }
        [name, times] => {
            let work = all.iter_mut().find(|work| work.name == name);
            let (Some(work), Ok(times)) = (work, times.parse::<usize>()) else {
                eprintln!("usage: drover_micro [NAME TIMES]");
                return ExitCode::FAILURE;
            };
            (0..times).for_each(|_| (work.run)());
            ExitCode::SUCCESS
        }
        _ => ExitCode::FAILURE,
    }
}
