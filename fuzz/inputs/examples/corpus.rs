//! Writes what fuzzing begins with: for each target, a folder of valid inputs and a dictionary of words. The
//! only argument is the folder for all of them.

use std::fmt::Write;
use std::path::PathBuf;

use inputs::seeds;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args_os().nth(1);
    let folder = PathBuf::from(folder.ok_or("say which folder to write to, such as fuzz/corpus")?);
    let targets = [
        ("history", seeds::histories(), seeds::OF_JSON),
        ("history_steps", seeds::steps(), seeds::OF_STEPS),
        ("event_payload", seeds::payloads(), seeds::OF_JSON),
        ("http_request", seeds::requests(), seeds::OF_HTTP),
        ("http_bytes", seeds::bytes(), seeds::OF_HTTP),
        ("host_json", seeds::host_json(), seeds::OF_JSON),
        ("cron", seeds::schedules(), seeds::OF_CRON),
        ("continuation_token", seeds::tokens(), seeds::OF_TOKENS),
        ("stored_row", seeds::rows(), seeds::OF_JSON),
    ];
    for (target, inputs, words) in targets {
        let of_target = folder.join(target);
        std::fs::create_dir_all(&of_target)?;
        for (number, input) in inputs.iter().enumerate() {
            std::fs::write(of_target.join(format!("valid-{number}")), input)?;
        }
        std::fs::write(folder.join(format!("{target}.dict")), dictionary(words)?)?;
    }
    Ok(())
}

/// In the form that libFuzzer reads.
fn dictionary(words: &[&str]) -> Result<String, std::fmt::Error> {
    let mut lines = String::new();
    for word in words {
        lines.push('"');
        for byte in word.bytes() {
            write!(lines, "\\x{byte:02x}")?;
        }
        lines.push_str("\"\n");
    }
    Ok(lines)
}
