//! JSON, read as strictly as it is defined, to be sure that a program wrote
//! some.

/// A value. A string is bytes: a lone surrogate `\udc80` to `\udcff` is the
/// byte that it stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Flag(bool),
    Number(f64),
    Text(Vec<u8>),
    Array(Vec<Json>),
    /// In the order in which the members came; none came twice.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// All of `text`, which is one value.
    pub fn parse(text: &[u8]) -> Self {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value();
        reader.blanks();
        assert_eq!(reader.at, text.len(), "there is more behind {}", reader.place());
        value
    }

    /// The member `name` of an object.
    pub fn get(&self, name: &str) -> &Self {
        let Self::Object(members) = self else { panic!("{self:?} is no object") };
        let found = members.iter().find(|(key, _)| key == name);
        &found.unwrap_or_else(|| panic!("no {name} in {self:?}")).1
    }

    /// The names of an object's members.
    pub fn keys(&self) -> Vec<&str> {
        let Self::Object(members) = self else { panic!("{self:?} is no object") };
        members.iter().map(|(key, _)| key.as_str()).collect()
    }

    /// The values of an array.
    pub fn all(&self) -> &[Self] {
        let Self::Array(values) = self else { panic!("{self:?} is no array") };
        values
    }
}

impl PartialEq<&str> for Json {
    fn eq(&self, text: &&str) -> bool {
        matches!(self, Self::Text(own) if own == text.as_bytes())
    }
}

impl PartialEq<u32> for Json {
    fn eq(&self, number: &u32) -> bool {
        matches!(self, Self::Number(own) if *own == f64::from(*number))
    }
}

impl PartialEq<bool> for Json {
    fn eq(&self, flag: &bool) -> bool {
        matches!(self, Self::Flag(own) if own == flag)
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn place(&self) -> String {
        String::from_utf8_lossy(&self.text[..self.at]).into_owned()
    }

    fn peek(&self) -> u8 {
        *self.text.get(self.at).unwrap_or_else(|| panic!("ends behind {}", self.place()))
    }

    fn next(&mut self) -> u8 {
        let byte = self.peek();
        self.at += 1;
        byte
    }

    fn blanks(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, text: &str) {
        let rest = &self.text[self.at..];
        assert!(rest.starts_with(text.as_bytes()), "no {text} behind {}", self.place());
        self.at += text.len();
    }

    fn value(&mut self) -> Json {
        self.blanks();
        match self.peek() {
            b'n' => {
                self.expect("null");
                Json::Null
            }
            b't' => {
                self.expect("true");
                Json::Flag(true)
            }
            b'f' => {
                self.expect("false");
                Json::Flag(false)
            }
            b'"' => Json::Text(self.string()),
            b'[' => {
                let mut values = Vec::new();
                self.list(b']', |reader| values.push(reader.value()));
                Json::Array(values)
            }
            b'{' => {
                let mut members: Vec<(String, Json)> = Vec::new();
                self.list(b'}', |reader| {
                    reader.blanks();
                    let key = String::from_utf8(reader.string()).unwrap();
                    assert!(members.iter().all(|(other, _)| *other != key), "{key} comes twice");
                    reader.blanks();
                    reader.expect(":");
                    members.push((key, reader.value()));
                });
                Json::Object(members)
            }
            _ => self.number(),
        }
    }

    fn list(&mut self, end: u8, mut one: impl FnMut(&mut Self)) {
        self.at += 1;
        self.blanks();
        if self.peek() == end {
            self.at += 1;
            return;
        }
        loop {
            one(self);
            self.blanks();
            match self.next() {
                b',' => {}
                byte if byte == end => return,
                _ => panic!("the list does not go on behind {}", self.place()),
            }
        }
    }

    /// Only what these programs write: whole numbers.
    fn number(&mut self) -> Json {
        let start = self.at;
        while matches!(self.text.get(self.at), Some(b'0'..=b'9' | b'-')) {
            self.at += 1;
        }
        let digits = std::str::from_utf8(&self.text[start..self.at]).unwrap();
        let number: i64 =
            digits.parse().unwrap_or_else(|_| panic!("no value behind {}", self.place()));
        assert_eq!(number.to_string(), digits);
        Json::Number(number as f64)
    }

    fn string(&mut self) -> Vec<u8> {
        self.expect("\"");
        let mut out = Vec::new();
        loop {
            match self.next() {
                b'"' => return out,
                b'\\' => match self.next() {
                    byte @ (b'"' | b'\\' | b'/') => out.push(byte),
                    b'n' => out.push(b'\n'),
                    b't' => out.push(b'\t'),
                    b'u' => self.unicode(&mut out),
                    other => panic!("\\{} behind {}", char::from(other), self.place()),
                },
                byte @ 0..b' ' => panic!("byte {byte} behind {}", self.place()),
                byte => {
                    let start = self.at - 1;
                    let width = byte.leading_ones().max(1) as usize;
                    self.at = start + width;
                    let taken = self.text.get(start..self.at);
                    let taken = taken.filter(|taken| std::str::from_utf8(taken).is_ok());
                    out.extend(taken.unwrap_or_else(|| panic!("no UTF-8 at {start}")));
                }
            }
        }
    }

    fn unicode(&mut self, out: &mut Vec<u8>) {
        let digits: String = (0..4).map(|_| char::from(self.next())).collect();
        let code = u32::from_str_radix(&digits, 16).unwrap();
        match (code, char::from_u32(code)) {
            (0xdc80..=0xdcff, _) => out.push(code as u8),
            (_, Some(char)) => out.extend(char.to_string().as_bytes()),
            (_, None) => panic!("the surrogate {digits} stands for nothing"),
        }
    }
}
