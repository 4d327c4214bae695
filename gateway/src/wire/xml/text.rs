//! Octets to text and back: UTF-8 and Shift_JIS as Windows has it (CP932), kana of half width.
//!
//! What a message says of its encoding must be true: byte order mark, XML declaration and HTTP header
//! may each name one, and all must agree with each other and with the octets.

use std::borrow::Cow;
use std::sync::LazyLock;

use encoding_rs::{EncoderResult, Encoding, SHIFT_JIS, UTF_8};

use super::tree::Broken;

/// An encoding of messages (文字コード識別).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Charset {
    /// UTF-8.
    #[default]
    Utf8,
    /// Shift_JIS with the characters of CP932.
    ShiftJis,
}

/// What stands for a character that CP932 lacks.
const LACKING: &[u8] = &[0x81, 0x9C]; // ●

impl Charset {
    /// The encoding of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let name = name.trim();
        match Encoding::for_label(name.as_bytes()) {
            Some(found) if found == UTF_8 => Some(Self::Utf8),
            Some(found) if found == SHIFT_JIS => Some(Self::ShiftJis),
            None if name.eq_ignore_ascii_case("cp932") => Some(Self::ShiftJis),
            _ => None,
        }
    }

    /// The name in an XML declaration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::ShiftJis => "Shift_JIS",
        }
    }

    /// The value of 文字コード識別 (OQSCD005).
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Utf8 => "0",
            Self::ShiftJis => "1",
        }
    }

    /// The text's octets. Where CP932 has no character of a letter, ● stands for it.
    #[must_use]
    pub fn encode(self, text: String) -> Vec<u8> {
        match self {
            Self::Utf8 => text.into_bytes(),
            Self::ShiftJis => to_cp932(&text),
        }
    }
}

/// The text of a message's octets, and the encoding they are in; `header` is what HTTP says of it.
///
/// # Errors
/// [`Broken`] when they are not in the encoding they claim, or claim two.
pub fn decode<'a>(octets: &'a [u8], header: Option<&str>) -> Result<(Cow<'a, str>, Charset), Broken> {
    let (mark, octets) = match octets.strip_prefix(b"\xEF\xBB\xBF") {
        Some(rest) => (Some(Charset::Utf8), rest),
        None => (None, octets),
    };
    let claim = |name: &str| Charset::named(name).ok_or(Broken::Encoding);
    let header = header.map(claim).transpose()?;
    let declared = declared(octets).map(claim).transpose()?;
    let mut claims = [mark, declared, header].into_iter().flatten();
    let charset = claims.next().unwrap_or_default();
    if claims.any(|other| other != charset) {
        return Err(Broken::Encoding);
    }
    let text = match charset {
        Charset::Utf8 => std::str::from_utf8(octets).ok().map(Cow::Borrowed),
        Charset::ShiftJis => SHIFT_JIS.decode_without_bom_handling_and_without_replacement(octets),
    };
    text.map(|text| (text, charset)).ok_or(Broken::Encoding)
}

/// The encoding that the XML declaration names.
fn declared(octets: &[u8]) -> Option<&str> {
    const LONGEST: usize = 200;
    let head = octets.get(..octets.len().min(LONGEST))?;
    let end = head.windows(2).position(|two| two == b"?>")?;
    let declaration = std::str::from_utf8(head.get(..end)?).ok()?.strip_prefix("<?xml")?;
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value.get(1..)?.split(quote).next()
}

fn to_cp932(text: &str) -> Vec<u8> {
    let text: Cow<'_, str> = if text.chars().any(|c| twin(c).is_some()) {
        text.chars().map(|c| twin(c).unwrap_or(c)).collect()
    } else {
        text.into()
    };
    let mut encoder = SHIFT_JIS.new_encoder();
    let mut octets = vec![0; text.len() * 2 + 16];
    let (mut from, mut to) = (0, 0);
    loop {
        let (source, target) =
            (text.get(from..).unwrap_or_default(), octets.get_mut(to..).unwrap_or_default());
        let (result, read, written) = encoder.encode_from_utf8_without_replacement(source, target, true);
        (from, to) = (from + read, to + written);
        match result {
            EncoderResult::InputEmpty => break,
            EncoderResult::OutputFull => octets.resize(octets.len() * 2, 0),
            EncoderResult::Unmappable(_) => {
                octets.truncate(to);
                octets.extend_from_slice(LACKING);
                to = octets.len();
                octets.resize(to + 2 * (text.len() - from) + 16, 0);
            }
        }
    }
    octets.truncate(to);
    octets
}

/// The mark that CP932 has where others write this one.
const fn twin(c: char) -> Option<char> {
    Some(match c {
        '\u{301C}' => '\u{FF5E}', // 〜
        '\u{2016}' => '\u{2225}', // ‖
        '\u{2014}' => '\u{2015}', // —
        '\u{00A2}' => '\u{FFE0}', // ¢
        '\u{00A3}' => '\u{FFE1}', // £
        '\u{00AC}' => '\u{FFE2}', // ¬
        _ => return None,
    })
}

/// The letters that U+FF61 and those behind it are the half-width form of, in their order.
const WIDE: &str = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン゛゜";

/// Kana of full width made half width, as the messages have it; voiced marks become letters of their own.
#[must_use]
pub fn narrow_kana(text: &str) -> String {
    let mut narrow = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{3000}' => narrow.push(' '),
            '！'..='～' => narrow.push(char::from_u32(c as u32 - 0xFEE0).unwrap_or(c)),
            FIRST..=LAST => {
                let at = c as usize - FIRST as usize;
                narrow.push_str(NARROW.get(at).map(String::as_str).unwrap_or_default());
            }
            _ => narrow.push(c),
        }
    }
    narrow
}

/// The block of kana and its punctuation.
const FIRST: char = '\u{3001}';
const LAST: char = '\u{30FF}';

/// What each character of that block becomes.
static NARROW: LazyLock<Vec<String>> = LazyLock::new(|| {
    let narrow = |c| {
        let mut narrow = String::new();
        push_narrow(c, &mut narrow);
        narrow
    };
    (FIRST..=LAST).map(narrow).collect()
});

fn push_narrow(c: char, narrow: &mut String) {
    let of = |c: char| {
        let at = WIDE.chars().position(|wide| wide == c)?;
        char::from_u32(0xFF61 + at as u32)
    };
    // Of the small letters that have no half-width form, the large one is written.
    let c = match c {
        'ヮ' => 'ワ',
        'ヵ' => 'カ',
        'ヶ' => 'ケ',
        'ヰ' => 'イ',
        'ヱ' => 'エ',
        _ => c,
    };
    let before = |steps: u32| char::from_u32(c as u32 - steps);
    let (base, mark) = match c {
        'ヴ' => (Some('ウ'), Some('ﾞ')),
        'ガ' | 'ギ' | 'グ' | 'ゲ' | 'ゴ' | 'ザ' | 'ジ' | 'ズ' | 'ゼ' | 'ゾ' | 'ダ' | 'ヂ' | 'ヅ' | 'デ'
        | 'ド' | 'バ' | 'ビ' | 'ブ' | 'ベ' | 'ボ' => (before(1), Some('ﾞ')),
        'パ' | 'ピ' | 'プ' | 'ペ' | 'ポ' => (before(2), Some('ﾟ')),
        _ => (Some(c), None),
    };
    match base.and_then(of) {
        Some(half) => narrow.extend([half].into_iter().chain(mark)),
        None => narrow.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kana_is_made_half_width() {
        assert_eq!(narrow_kana("ミホン　タロウ"), "ﾐﾎﾝ ﾀﾛｳ");
        assert_eq!(narrow_kana("ヴァンダービルト・ペギー"), "ｳﾞｧﾝﾀﾞｰﾋﾞﾙﾄ･ﾍﾟｷﾞｰ");
        assert_eq!(narrow_kana("カヅオ（ヱ）漢"), "ｶﾂﾞｵ(ｴ)漢");
    }

    #[test]
    fn what_cp932_lacks_becomes_a_black_circle() {
        let encoded = Charset::ShiftJis.encode("髙𠮷〜😀−a".to_owned());
        let (text, charset) = decode(&encoded, Some("shift_jis")).unwrap();
        assert_eq!((&*text, charset), ("髙●～●－a", Charset::ShiftJis));
        let long = "𠮷あ".repeat(500);
        let encoded = Charset::ShiftJis.encode(long.clone());
        assert_eq!(decode(&encoded, Some("cp932")).unwrap().0, long.replace('𠮷', "●"));
    }

    #[test]
    fn an_encoding_that_lies_is_refused() {
        let xml =
            |name: &str| format!("<?xml version=\"1.0\" encoding=\"{name}\" standalone=\"no\"?><a>あ</a>");
        for name in ["UTF-8", "utf8"] {
            assert_eq!(decode(xml(name).as_bytes(), None).unwrap().1, Charset::Utf8);
        }
        assert!(decode(xml("UTF-8").as_bytes(), Some("UTF-8")).is_ok());
        assert!(decode(xml("UTF-8").as_bytes(), Some("Shift_JIS")).is_err());
        assert!(decode(xml("UTF-16").as_bytes(), None).is_err());
        assert!(decode(xml("EUC-JP").as_bytes(), None).is_err());
        // UTF-8 that calls itself Shift_JIS, and the other way round.
        let lying = xml("Shift_JIS").replace("あ", "あい");
        assert!(decode(&[lying.as_bytes(), b"\x81"].concat(), None).is_err());
        assert!(decode(&Charset::ShiftJis.encode(xml("UTF-8")), None).is_err());
        assert!(decode(&["\u{FEFF}".as_bytes(), xml("Shift_JIS").as_bytes()].concat(), None).is_err());
        assert!(decode(&["\u{FEFF}".as_bytes(), xml("UTF-8").as_bytes()].concat(), None).is_ok());
        assert_eq!(decode(&Charset::ShiftJis.encode(xml("Shift_JIS")), None).unwrap().1, Charset::ShiftJis);
    }
}
