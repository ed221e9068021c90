//! Characters beyond ASCII that a terminal may obey instead of showing them:
//! further control characters, and what turns the direction of writing. Writes
//! nothing itself.

/// Whether the character is one of them. Each is one unit of UTF-16.
#[must_use]
pub const fn is_obeyed(character: char) -> bool {
    matches!(
        character,
        '\u{80}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
    )
}
