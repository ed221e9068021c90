//! A set of bytes.

/// Which of the 256 bytes are in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ByteSet([u64; 4]);

impl ByteSet {
    /// Every byte.
    pub(crate) const ALL: Self = Self([u64::MAX; 4]);

    /// Those for which `wanted` is true.
    pub(crate) fn of(wanted: impl Fn(u8) -> bool) -> Self {
        let mut set = Self::default();
        (0..=u8::MAX).filter(|&byte| wanted(byte)).for_each(|byte| set.insert(byte));
        set
    }

    pub(crate) fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    pub(crate) fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    /// All that are not in it.
    pub(crate) fn negated(self) -> Self {
        Self(self.0.map(|word| !word))
    }

    /// Those of either.
    pub(crate) fn and(self, other: Self) -> Self {
        let mut both = self;
        both.0.iter_mut().zip(other.0).for_each(|(word, more)| *word |= more);
        both
    }

    /// Those whose upper case is in it, which is how the C library ignores
    /// case: it turns both the pattern and the line into upper case.
    pub(crate) fn without_case(self) -> Self {
        Self::of(|byte| self.contains(byte.to_ascii_uppercase()))
    }

    /// How many are in it.
    pub(crate) fn len(self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// All of them, in order.
    pub(crate) fn bytes(self) -> impl Iterator<Item = u8> {
        self.0.into_iter().zip(0u8..).flat_map(|(mut left, word)| {
            std::iter::from_fn(move || {
                let bit = u8::try_from(left.trailing_zeros()).ok().filter(|&bit| bit < 64)?;
                left &= left - 1;
                Some(word * 64 + bit)
            })
        })
    }
}

/// Whether `\w` matches it.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether `\s` matches it, as isspace in the C locale.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}
