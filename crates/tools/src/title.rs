//! A line of text that new text pushes to the left. Knows nothing about where
//! that line is kept.

/// Pushes `text` in from the right. NUL bytes are passed over: in an argument
/// they would end what is seen.
pub fn scroll(title: &mut [u8], text: &[u8]) {
    let seen = || text.iter().rev().filter(|&&b| b != 0);
    let new = seen().take(title.len()).count();
    title.copy_within(new.., 0);
    for (place, byte) in title.iter_mut().rev().zip(seen()) {
        *place = *byte;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_from_the_right() {
        let mut title = *b".....";
        scroll(&mut title, b"ab");
        assert_eq!(&title, b"...ab");
        scroll(&mut title, b"");
        scroll(&mut title, b"\0\0");
        scroll(&mut title, b"c\0d\n");
        assert_eq!(&title, b"abcd\n");
        scroll(&mut title, b"0123456789");
        assert_eq!(&title, b"56789");
    }

    #[test]
    fn one_piece_is_as_good_as_many_bytes() {
        let text = b"ab\0c\n\0\0defgh\xff";
        for size in 0..12 {
            for length in 0..=text.len() {
                let (mut whole, mut bytes) = (vec![b'.'; size], vec![b'.'; size]);
                scroll(&mut whole, &text[..length]);
                for &byte in &text[..length] {
                    scroll(&mut bytes, &[byte]);
                }
                assert_eq!(whole, bytes, "{size} {length}");
            }
        }
    }
}
