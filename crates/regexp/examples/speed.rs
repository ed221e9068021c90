//! Says how fast patterns are on lines of 80 bytes, line by line and in blocks
//! of 64 kB. It compares nothing, and is only worth running with `--release`.

use std::io::{self, Write};
use std::time::Instant;
use upkeep_regexp::{Options, Regex};

const PATTERNS: &[&str] = &[
    "disk failure",
    "error|fatal",
    "error|fatal: .*disk",
    "^2024-.*[[:space:]]user=[0-9]+ .*nothing",
    "[0-9]+ms$",
    "[0-9]{1,3}(\\.[0-9]{1,3}){3}:",
    "\\<[a-f]+\\> +x",
    "(a|e|i|o|u){3}[xyz]",
    "warn|info|debug|trace|notice",
    "x(.{0,30}y){3}q",
    "1(.?.){15}z",
];

fn main() -> io::Result<()> {
    let block = lines(64_000);
    let lines: Vec<&[u8]> = block.split(|&byte| byte == b'\n').filter(|l| !l.is_empty()).collect();
    let rounds = 1500;
    let mut out = io::stdout();
    writeln!(out, "{:>8} {:>8} {:>7} {:>7}  pattern", "lines", "blocks", "bytes", "matches")?;
    for (pattern, ignore_case) in
        PATTERNS.iter().map(|p| (p, false)).chain([(&"disk failure", true)])
    {
        let mut regex =
            Regex::new(pattern.as_bytes(), Options { ignore_case, ..Options::default() })
                .map_err(io::Error::other)?;
        let mut matches = 0;
        let begin = Instant::now();
        for _ in 0..rounds {
            matches += lines.iter().filter(|line| regex.is_match(line)).count();
        }
        let by_line = begin.elapsed();
        let begin = Instant::now();
        for _ in 0..rounds {
            let mut rest = block.as_slice();
            while let Some(at) = regex.find_in_block(rest) {
                let end = rest[at..].iter().position(|&byte| byte == b'\n').unwrap_or(0);
                rest = &rest[at + end + 1..];
            }
        }
        let by_block = begin.elapsed();
        let rate =
            |time: std::time::Duration| (block.len() * rounds) as f64 / time.as_secs_f64() / 1e6;
        writeln!(
            out,
            "{:>8.0} {:>8.0} {:>7} {:>7}  {pattern}{}",
            rate(by_line),
            rate(by_block),
            regex.memory(),
            matches / rounds,
            if ignore_case { " (any case)" } else { "" }
        )?;
    }
    Ok(())
}

/// Lines as a server writes them, as many as fit.
fn lines(len: usize) -> Vec<u8> {
    let mut block = Vec::new();
    for number in 0.. {
        let start = block.len();
        let level = ["info", "warn", "debug", "trace"][number % 4];
        let host = number * 7 % 256;
        write!(
            block,
            "2024-05-17 12:{:02}:{:02} server[{number}] {level}: request from 10.0.{host}.17 ",
            number / 60 % 60,
            number % 60
        )
        .expect("a vector takes everything");
        if number % 97 == 0 {
            block.extend(b"error: disk failure ");
        }
        write!(block, "took {}ms and then some more of it", number * 31 % 1000).expect("likewise");
        block.truncate(start + 79);
        block.push(b'\n');
        if block.len() > len {
            break;
        }
    }
    block
}
