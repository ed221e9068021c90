//! The lines that services write: each has a number, from which all of it
//! follows, so that a line that was torn is no line.

use crate::random::Random;

/// The longest. With a stamp it is less than 2000 bytes, where multilog would
/// have to cut it; without an end it is more than the 1000 that it judges.
const LONGEST: u64 = 1800;

/// Writes the line with this number into `into`, with its end.
pub(crate) fn write(seed: u64, number: u64, into: &mut Vec<u8>) {
    let mut random = Random::new(seed, number);
    let length = match random.below(10) {
        0 => 1001 + random.below(LONGEST - 1000),
        1 | 2 => 150 + random.below(400),
        _ => 30 + random.below(80),
    };
    into.clear();
    into.extend_from_slice(number.to_string().as_bytes());
    into.push(b' ');
    // A row of letters that begins elsewhere in each line.
    let from = random.next();
    let from = from % 25;
    let mut letter = u8::try_from(from).unwrap_or(0);
    let length = usize::try_from(length).unwrap_or(0);
    while into.len() < length {
        into.push(b'a' + letter);
        letter = (letter + 1 + u8::from(letter == 7)) % 26;
    }
    into.push(b'\n');
}

/// The number of a line without its end; none if it is not whole.
pub(crate) fn read(seed: u64, line: &[u8], room: &mut Vec<u8>) -> Option<u64> {
    let digits = &line[..memchr::memchr(b' ', line)?];
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    write(seed, number, room);
    (room.strip_suffix(b"\n") == Some(line)).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_and_parts_of_them_do_not() {
        let (mut line, mut room) = (Vec::new(), Vec::new());
        let mut long = 0;
        for number in 1..200 {
            write(5, number, &mut line);
            let text = &line[..line.len() - 1];
            assert!(!text.contains(&b'\n') && line.len() <= 1801);
            long += usize::from(text.len() > 1000);
            assert_eq!(read(5, text, &mut room), Some(number));
            assert_eq!(read(6, text, &mut room).filter(|_| text.len() > 150), None);
            assert_eq!(read(5, &text[..text.len() - 1], &mut room), None);
            assert_eq!(read(5, &text[1..], &mut room), None);
            let twice = [&text[..20], text].concat();
            assert_eq!(read(5, &twice, &mut room), None);
        }
        assert!(long > 5, "{long}");
    }
}
