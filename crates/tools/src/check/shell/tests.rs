//! What is a command, where, and what is around it.

use super::*;

/// Each command in short: line, depth, words, redirections, what is behind.
fn short(text: &str) -> Vec<String> {
    let script = parse(text).unwrap_or_else(|| panic!("not understood: {text}"));
    let show = |command: &Command| {
        let words: Vec<_> = command.words.iter().map(|word| word.text.as_str()).collect();
        let after = match command.after {
            Join::Then => "",
            Join::And => " &&",
            Join::Or => " ||",
            Join::Pipe => " |",
            Join::Background => " &",
        };
        let redirects: String = command.redirects.iter().map(|text| format!(" {text}")).collect();
        format!("{}.{} {}{redirects}{after}", command.line, command.depth, words.join("_"))
    };
    script.commands.iter().map(show).collect()
}

#[test]
fn simple_commands() {
    assert_eq!(
        short("#!/bin/sh\nexec 2>&1\nexec foo -a 'b c'\n"),
        ["2.0 exec 2>&1", "3.0 exec_foo_-a_b c"]
    );
    assert_eq!(
        short("a; b && c || d | e &"),
        ["1.0 a", "1.0 b &&", "1.0 c ||", "1.0 d |", "1.0 e &"]
    );
    assert_eq!(short("exec a \\\n  b # c\nd"), ["1.0 exec_a_b", "3.0 d"]);
    assert_eq!(short("a &&\n\nb"), ["1.0 a &&", "3.0 b"]);
    assert_eq!(short("a >x 2>&1 <&3 &>y &"), ["1.0 a >x 2>&1 <&3 &>y &"]);
    assert_eq!(
        short("echo $(a; b | c) `d; e` ${f:-)} \"$(g \")\")\" h#i"),
        ["1.0 echo_$(a; b | c)_`d; e`_${f:-)}_$(g \")\")_h#i"]
    );
}

#[test]
fn commands_in_commands() {
    assert_eq!(
        short("if a; then\n b\nelse c; fi\nd"),
        ["1.1 a", "2.1 b", "3.1 c", "1.0 ", "4.0 d"]
    );
    assert_eq!(short("while :; do a | b; done <f"), ["1.1 :", "1.1 a |", "1.1 b", "1.0  <f"]);
    assert_eq!(short("for x in if do; do a; done"), ["1.1 a", "1.0 "]);
    assert_eq!(short("for x\ndo a\ndone & b"), ["2.1 a", "1.0  &", "3.0 b"]);
    assert_eq!(
        short("case $x in\n a|b) c;;\n (*) d ;;\nesac\ne"),
        ["2.1 c", "3.1 d", "1.0 ", "5.0 e"]
    );
    assert_eq!(short("case x in a) b; esac"), ["1.1 b", "1.0 "]);
    assert_eq!(short("(a; b) && { c; }"), ["1.1 a", "1.1 b", "1.0  &&", "1.1 c", "1.0 "]);
    assert_eq!(short("f() { a; }\nf"), ["1.1 a", "2.0 f"]);
    assert_eq!(short("f ()\n{\n a\n}\ng"), ["3.1 a", "5.0 g"]);
    assert_eq!(short("[[ a && b ]] || c"), ["1.0 [[ ||", "1.0 c"]);
    assert_eq!(short("a=(b c) d"), ["1.0 a=_d"]);
}

#[test]
fn here_documents_are_no_commands() {
    assert_eq!(short("cat <<E\nif '\nE\na"), ["1.0 cat <<E", "4.0 a"]);
    assert_eq!(short("cat <<-'E' >x; b\n\tdone\n\tE\na"), ["1.0 cat <<-E >x", "1.0 b", "4.0 a"]);
    assert_eq!(short("cat <<<x\na"), ["1.0 cat <<<x", "2.0 a"]);
}

#[test]
fn what_is_not_understood_is_no_script() {
    for text in
        ["if a", "a 'b", "a \"b", "a $(b", "done", "cat <<E\nx", "a )", "case a in", "`", "f() {"]
    {
        assert_eq!(parse(text), None, "{text}");
    }
}

#[test]
fn names() {
    assert_eq!(
        parse("f() { a; }\ng () (b)\nf").map(|script| script.functions.join(" ")),
        Some("f g".to_owned())
    );
    let name = |text| parse(text).and_then(|script| script.commands[0].name().map(str::to_owned));
    assert_eq!(name("A=1 B=$x foo"), Some("foo".to_owned()));
    assert_eq!(name("'exec' foo"), Some("exec".to_owned()));
    assert_eq!(name("$foo bar"), None);
    assert_eq!(name("A=1"), None);
    assert_eq!(name("[ a ]"), Some("[".to_owned()));
}

/// Whatever it is given, it ends.
#[test]
fn pieces_of_scripts() {
    let text = "#!/bin/sh\nif [ a ]; then b | c && (d; e) || { f; } & fi\ncase $x in (a|b) c ;; esac\n\
                cat <<E >x 2>&1\n$y\nE\nf() { g \"$(h `i`)\" 'j' ${k}; }\nwhile :; do l; done <<<m";
    for start in 0..text.len() {
        for end in start..text.len() {
            let _ = parse(&text[start..end]);
        }
    }
}
