//! The bodies of the fuzz targets on inputs that are the same each time, so
//! that every test run has walked these ways at least once.

use super::support::Random;

#[path = "fuzz/journal.rs"]
mod journal;
#[path = "fuzz/lines_of_svboot.rs"]
mod lines_of_svboot;
#[path = "fuzz/log_directory.rs"]
mod log_directory;
#[path = "fuzz/multilog_script.rs"]
mod multilog_script;
#[path = "fuzz/notices.rs"]
mod notices;
#[path = "fuzz/regular_expressions.rs"]
mod regular_expressions;
#[path = "fuzz/s6log_script.rs"]
mod s6log_script;
#[path = "fuzz/shell_script.rs"]
mod shell_script;
#[path = "fuzz/status_record.rs"]
mod status_record;
#[path = "fuzz/svlogd_config.rs"]
mod svlogd_config;
#[path = "fuzz/times.rs"]
mod times;

/// Runs `body` on `count` inputs: made of `pieces`, then damaged.
fn feed(first: u64, count: u64, pieces: &[&[u8]], body: fn(&[u8])) {
    for seed in first..first + count {
        let mut random = Random::new(seed);
        let mut data = Vec::new();
        for _ in 0..random.below(40) {
            if random.below(3) > 0 {
                data.extend(random.one_of(pieces));
            } else {
                data.extend((0..random.below(6)).map(|_| u8::try_from(random.below(256)).unwrap()));
            }
        }
        for _ in 0..random.below(4) {
            if !data.is_empty() {
                let at = random.below(data.len());
                data[at] ^= 1 << random.below(8);
            }
        }
        if std::panic::catch_unwind(|| body(&data)).is_err() {
            panic!("seed {seed}: {data:?}");
        }
    }
}

#[test]
fn multilog_scripts() {
    let pieces: &[&[u8]] = &[
        b"\n",
        b"-",
        b"+",
        b"*",
        b"a",
        b": ",
        b"t\n",
        b"s4096",
        b"n18446744073709551617",
        b"./d",
        b"\n=f\n",
        b"\n!sort\n",
        b"e\n",
        b"*a*",
        b"ab",
        b"\n+*: *",
    ];
    feed(1, 20_000, pieces, multilog_script::multilog_script);
}

#[test]
fn svlogd_configs() {
    let pieces: &[&[u8]] = &[
        b"\n",
        b"-",
        b"+",
        b"e*",
        b"E",
        b"*",
        b"a",
        b": ",
        b"++a",
        b"s4k",
        b"\nn10\n",
        b"\nN3",
        b"t2h",
        b"\n!sort\n",
        b"u127.0.0.1",
        b":514\n",
        b"\nU1.2.3",
        b".",
        b"256",
        b"p: \n",
        b"\0",
        b"#",
    ];
    feed(1, 20_000, pieces, svlogd_config::svlogd_config);
}

#[test]
fn s6_log_scripts() {
    let pieces: &[&[u8]] = &[
        b"\n",
        b"-",
        b"+a*",
        b"f\n",
        b"n",
        b"10",
        b"s4096",
        b"S18446744073709551616",
        b"\nl2000",
        b"r0",
        b"E200",
        b"^",
        b"!gzip",
        b"?sort\n",
        b"p: ",
        b"t\n",
        b"T",
        b"1\n",
        b"2",
        b"=f",
        b"./d",
        b"/d\n",
    ];
    feed(1, 20_000, pieces, s6log_script::s6log_script);
}

#[test]
fn log_directories() {
    let pieces: &[&[u8]] = &[
        &[0, 5, 80],
        &[129, 6, 0],
        &[1, 62, 136],
        &[4, 255, 255],
        &[5, 255, 0],
        &[5, 20, 10],
        &[6, 0, 0],
        &[7, 0, 0],
        &[3, 60, 0],
        &[2, 0, 0],
    ];
    feed(1, 400, pieces, log_directory::log_directory);
}

#[test]
fn status_records() {
    let pieces: &[&[u8]] = &[
        b"\x40\0\0\0\x60\0\0\x01\x01\x02\x03\x04",
        &[0; 4],
        &[0xff; 4],
        b"\0u",
        b"\x01d",
        &[0, 0],
        b"\x01\x01",
    ];
    feed(1, 20_000, pieces, status_record::status_record);
}

#[test]
fn journals() {
    let pieces: &[&[u8]] = &[
        &[1, 1, 0, 0, 0, 0, 0, 0, 0],
        &[0x0f, b'\n', 4, 0, 0, 0, 0, 0],
        &[0x0e, 0, 0xe8, 3, 0, 0, 0, 0],
        &[9, 0, 0, 0, 0, 0, 0, 0],
        &[0; 8],
        &[0xff; 8],
        b"the beginning of a line ",
    ];
    feed(1, 20_000, pieces, journal::journal);
}

#[test]
fn notices_on_a_socket() {
    let pieces: &[&[u8]] = &[
        b"READY=1\n",
        b"RELOADING=1\n",
        b"STOPPING=1\n",
        b"WATCHDOG=1\n",
        b"WATCHDOG=trigger\n",
        b"WATCHDOG_USEC=",
        b"EXTEND_TIMEOUT_USEC=",
        b"18446744073709551615\n",
        b"1000\n",
        b"0\n",
        b"MAINPID=",
        b"STATUS=",
        b"ERRNO=2\n",
        b"EXIT_STATUS=\x1b\n",
        b"\n",
        &[0xff],
        &[b'x'; 200],
    ];
    feed(1, 20_000, pieces, notices::notices);
}

#[test]
fn shell_scripts() {
    let pieces: &[&[u8]] = &[
        b"\n",
        b" ",
        b"; ",
        b" && ",
        b" || ",
        b" | ",
        b" & ",
        b"exec a",
        b"if a; then ",
        b"else ",
        b"fi",
        b"while a; do ",
        b"for x in a b; do ",
        b"done",
        b"case $x in ",
        b"a|b) ",
        b";;",
        b" esac",
        b"{ ",
        b"; }",
        b"(",
        b")",
        b"f() ",
        b"'a b'",
        b"\"$a\"",
        b"$(b `c`)",
        b"${d:-e}",
        b"<<E\n",
        b"\nE\n",
        b" 2>&1",
        b" >f",
        b"# c",
        b"\\\n",
        b"A=b ",
        b"[[ x ]]",
    ];
    feed(1, 8000, pieces, shell_script::shell_script);
}

#[test]
fn stamps_and_times() {
    let pieces: &[&[u8]] = &[
        b"\n",
        b" ",
        b" text",
        b"@400000006b080953075bcd15 ",
        b"1795688777.123456789 ",
        b"2026-11-26",
        b"2026-03-29",
        b"T10:26:17",
        b"_10:26:17",
        b" 10:26:17",
        b".12345",
        b".123456789  ",
        b"Z ",
        b"+01:00 ",
        b"UTC",
        b"2 hours",
        b"1h30m",
        b"ago",
        b"yesterday ",
        b"last monday",
        b"-",
        b"+",
        b"99999999999",
        b"an ",
        b"w",
    ];
    feed(1, 20_000, pieces, times::times);
}

#[test]
fn regular_expressions() {
    let pieces: &[&[u8]] = &[
        b"a",
        b"b",
        b".",
        b"*",
        b"+",
        b"?",
        b"|",
        b"(",
        b")",
        b"(a|b)",
        b"[a-c]",
        b"[^a]",
        b"[[:alpha:]]",
        b"{2}",
        b"{1,3}",
        b"{30}",
        b"^",
        b"$",
        b"\\b",
        b"\\<",
        b"\\w",
        b"\n",
        b"\nab ba ",
        &[2],
        &[0, 6, 7, 5, 13, 4, 12],
    ];
    feed(1, 8000, pieces, regular_expressions::regular_expressions);
}

#[test]
fn lines_of_svboot() {
    let pieces: &[&[u8]] = &[
        b"\n",
        b"a",
        b"a line\n",
        b"# BEGIN svboot\n",
        b"\n# BEGIN svboot (the line above had no end)\n",
        b"# END svboot\n",
        b"# END svboot",
    ];
    feed(0, 3000, pieces, lines_of_svboot::lines_of_svboot);
}
