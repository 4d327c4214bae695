//! The one normal form in which symbols and numbers are compared.
//!
//! Width, kind of hyphen, blanks and Latin case are folded; nothing else is forgiven. What was
//! written is kept beside the key by [`crate::number`]; this file only makes keys.

use unicode_normalization::UnicodeNormalization;

/// Whether `c` is one of the marks that people and programs write for a hyphen.
#[must_use]
pub(crate) const fn is_hyphen(c: char) -> bool {
    matches!(
        c,
        '-' | '\u{00AD}' | '\u{2010}'
            ..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{2500}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}'
    )
}

/// Whether `c` is a blank: any Unicode white space, the ideographic space included.
#[must_use]
pub(crate) fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200B}' | '\u{FEFF}')
}

/// Gives the characters of the comparable form of `text`.
pub(crate) fn fold(text: &str, mut take: impl FnMut(char)) {
    // Nearly all texts: what has a half of this width needs no table.
    if text.chars().all(|c| is_wide_ascii(c) || c.is_ascii()) {
        for c in text.chars() {
            let c = if c.is_ascii() { c } else { ((c as u32 - 0xFEE0) as u8) as char };
            if !is_blank(c) {
                take(c.to_ascii_uppercase());
            }
        }
        return;
    }
    let mut before = None;
    for c in text.chars().flat_map(narrow).nfc() {
        let folded = match c {
            _ if is_blank(c) => continue,
            // The prolonged sound mark is a letter after kana and a hyphen elsewhere.
            'ー' if !before.is_some_and(is_kana) => '-',
            _ if is_hyphen(c) => '-',
            _ => c.to_ascii_uppercase(),
        };
        take(folded);
        before = Some(c);
    }
}

const fn is_wide_ascii(c: char) -> bool {
    matches!(c, '\u{FF01}'..='\u{FF5E}')
}

/// Full-width Latin becomes ASCII and half-width kana full-width; every other letter stays.
fn narrow(c: char) -> impl Iterator<Item = char> {
    let forms = matches!(c, '\u{FF00}'..='\u{FFEF}');
    let other = (!forms).then_some(c);
    other.into_iter().chain(forms.then_some(c).into_iter().flat_map(|c| std::iter::once(c).nfkc()))
}

/// Half-width kana made full-width, voiced marks composed; everything else stays.
pub(crate) fn widen_kana(text: &str) -> String {
    let half = |c: &char| matches!(c, '\u{FF61}'..='\u{FF9F}');
    if !text.chars().any(|c| half(&c)) {
        return text.to_owned();
    }
    let wide = |c: char| narrow(c).collect::<Vec<_>>();
    text.chars().flat_map(|c| if half(&c) { wide(c) } else { vec![c] }).nfc().collect()
}

const fn is_kana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FC}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> String {
        let mut key = String::new();
        fold(text, |c| key.push(c));
        key
    }

    #[test]
    fn width_hyphen_blank_and_case_do_not_matter() {
        for text in [
            "12-34",
            "１２－３４",
            "１２‐３４",
            "１２ー３４",
            " 12 - 34 ",
            "１２−３４",
            "12―34",
            "12\u{3000}-34",
        ] {
            assert_eq!(key(text), "12-34", "{text}");
        }
        assert_eq!(key("１９ｄ０００１"), key("19D0001"));
        assert_eq!(key("ﾊﾞｰ･1"), "バー・1");
        assert_eq!(key("は\u{3099}"), "ば");
    }

    #[test]
    fn nothing_else_is_forgiven() {
        assert_ne!(key("高"), key("髙"));
        assert_ne!(key("は"), key("ハ"));
        assert_ne!(key("①"), key("1"));
        assert_ne!(key("12.34"), key("12-34"));
        assert_ne!(key("1234"), key("12-34"));
        assert_ne!(key("O"), key("0"));
    }
}
