//! Writes agent-like spans to files, for measuring whole commands:
//! `cargo bench --bench generate -- SPANS PREFIX` makes `PREFIX.jsonl` and `PREFIX.pb`.

mod data;

use std::fs::File;
use std::io::{self, BufWriter, Write};

use data::{BATCH, Generator, framed, line};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [spans, prefix] = arguments.as_slice() else {
        return writeln!(io::stderr(), "usage: cargo bench --bench generate -- SPANS PREFIX");
    };
    let mut left: usize = spans.parse().map_err(io::Error::other)?;
    let mut json = BufWriter::new(File::create(format!("{prefix}.jsonl"))?);
    let mut proto = BufWriter::new(File::create(format!("{prefix}.pb"))?);
    let mut generator = Generator::new();
    while left > 0 {
        let request = generator.request(left.min(BATCH));
        json.write_all(&line(&request))?;
        proto.write_all(&framed(&request))?;
        left -= left.min(BATCH);
    }
    json.flush()?;
    proto.flush()
}
