//! Names, addresses, symbols and numbers as few octets.
//!
//! ```text
//! word     0xxxxxxx                     a character of the alphabet: kana, or what names are made of
//!          1xxxxxxx xxxxxxxx            any of 32 767 more: kanji, signs, letters
//!          11111111 11111111 ×3         any character at all
//! digits   kkknnnnn …                   a kind and a length, see [`put_code`]
//! ```
//!
//! Every text comes back exactly as it was.

mod packed;

use crate::octets::{Reading, put_fixed, put_number};

pub use packed::Packed;
use packed::{Form, Width};

/// What one octet can say.
#[derive(Clone, Copy)]
pub(crate) enum Alphabet {
    /// 氏名カナ: one octet a mora.
    Kana,
    /// Kanji names, addresses and the rest.
    Words,
}

/// Digits, and the characters of which names and addresses in Japan are made most.
#[rustfmt::skip]
const COMMON: [char; 128] = [
    '　', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '-', '－',
    '０', '１', '２', '３', '４', '５', '６', '７', '８', '９',
    '丁', '目', '番', '地', '号', '都', '道', '府', '県', '市', '区', '町', '村', '東', '京', '大', '阪', '国', '公',
    '田', '藤', '山', '野', '川', '木', '井', '本', '中', '小', '佐', '原', '島', '松', '石', '高', '橋', '林', '谷',
    '上', '沢', '岡', '清', '水', '伊', '吉', '内', '西', '加', '渡', '辺', '鈴', '斎', '池', '森', '長', '三', '金',
    '子', '美', '一', '郎', '真', '恵', '由', '明', '雄', '正', '和', '男', '太', '二', '幸', '智', '香', '奈', '久',
    '江', '代', '良', '健', '英', '陽', '花', '優', '人', '介', '也', '樹', '翔', '結', '菜', '愛', '里', '紀', '信',
    '勝', '弘', '義', '隆', '博', '浩', '千', '夫', '洋', '後',
];

/// [`COMMON`] by character.
const BY_CHARACTER: [(char, u8); 128] = by_character();

const fn by_character() -> [(char, u8); 128] {
    let mut all = [('\0', 0); 128];
    let mut filled = 0;
    while filled < 128 {
        let mut at = filled;
        while at > 0 && all[at - 1].0 as u32 > COMMON[filled] as u32 {
            all[at] = all[at - 1];
            at -= 1;
        }
        all[at] = (COMMON[filled], filled as u8);
        filled += 1;
    }
    all
}

/// First character, count and first code of the ranges that two octets reach.
const RANGES: [(u32, u32, u32); 6] = [
    (0x4E00, 20_992, 0),
    (0x3000, 512, 20_992),
    (0xFF00, 240, 21_504),
    (0x2000, 1792, 21_744),
    (0x0000, 1280, 23_536),
    (0x3400, 6592, 24_816),
];

const ANY: u16 = 0xFFFF;

fn short(alphabet: Alphabet, c: char) -> Option<u8> {
    match alphabet {
        Alphabet::Kana => match c {
            '\u{30A0}'..='\u{30FF}' => Some((c as u32 - 0x30A0) as u8),
            '　' => Some(0x60),
            ' '..='>' => Some(c as u8 - b' ' + 0x61),
            _ => None,
        },
        Alphabet::Words => {
            let at = BY_CHARACTER.binary_search_by_key(&c, |(common, _)| *common).ok()?;
            BY_CHARACTER.get(at).map(|(_, code)| *code)
        }
    }
}

fn long(c: char) -> Option<u16> {
    let (from, _, code) =
        RANGES.iter().find(|(from, count, _)| (*from..from + count).contains(&(c as u32)))?;
    Some((c as u32 - from + code) as u16 | 0x8000)
}

const fn character(alphabet: Alphabet, octet: u8) -> char {
    match alphabet {
        Alphabet::Kana => match octet {
            0..0x60 => char::from_u32(0x30A0 + octet as u32).expect("no surrogate"),
            0x60 => '　',
            _ => (octet.wrapping_sub(0x61) % 0x1F + b' ') as char,
        },
        Alphabet::Words => COMMON[(octet & 0x7F) as usize],
    }
}

/// The characters of the two alphabets, so that reading is one look each.
const KANA_CHARACTERS: [char; 128] = characters(Alphabet::Kana);

const fn characters(alphabet: Alphabet) -> [char; 128] {
    let mut all = ['\0'; 128];
    let mut at = 0;
    while at < 128 {
        all[at] = character(alphabet, at as u8);
        at += 1;
    }
    all
}

fn put_characters(out: &mut Vec<u8>, alphabet: Alphabet, text: &str) {
    for c in text.chars() {
        if let Some(octet) = short(alphabet, c) {
            out.push(octet);
        } else if let Some(code) = long(c) {
            out.extend_from_slice(&code.to_be_bytes());
        } else {
            out.extend_from_slice(&ANY.to_be_bytes());
            put_fixed(out, u64::from(u32::from(c)), 3);
        }
    }
}

/// Appends a text and its length.
pub(crate) fn put_text(out: &mut Vec<u8>, alphabet: Alphabet, text: &str) {
    let at = out.len();
    out.push(0);
    put_characters(out, alphabet, text);
    let length = out.len() - at - 1;
    if length < 0x80 {
        out[at] = length as u8;
    } else {
        let characters = out.split_off(at + 1);
        out.truncate(at);
        put_number(out, length as u64);
        out.extend_from_slice(&characters);
    }
}

/// What [`put_text`] wrote.
pub(crate) fn text<'o>(reading: &mut Reading<'o>, alphabet: Alphabet) -> Option<Packed<'o>> {
    let length = reading.count()?;
    Some(Packed::new(reading.octets(length)?, alphabet.into()))
}

/// Octets that hold this many decimal digits.
const DECIMAL: [u8; 20] = [0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 5, 5, 6, 6, 7, 7, 8, 8, 8];

const TEXT: u8 = 0;
const ASCII: u8 = 1;
const WIDE: u8 = 2;
const ASCII_HYPHEN: u8 = 3;
const WIDE_HYPHEN: u8 = 4;
const SAME: u8 = 5;
const SHORT: u8 = 6;

/// The digits of a code, 10 for its hyphen; `None` when anything else is there.
fn nibbles(code: &str, zero: char, hyphen: char) -> Option<Vec<u8>> {
    let nibble = |c: char| match (c as u32).wrapping_sub(zero as u32) {
        digit @ 0..10 => Some(digit as u8),
        _ => (c == hyphen).then_some(10),
    };
    code.chars().map(nibble).collect()
}

/// Appends 記号 or 番号, in the shortest of its kinds.
///
/// ```text
/// 000 00000 length …   text            011/100 n   digits and hyphens, half an octet each
/// 001/010 n            n digits, half- or full-width, as one value
/// 101 00000            as the one before       110 n   text of n octets
/// ```
pub(crate) fn put_code(out: &mut Vec<u8>, code: &str, before: Option<&str>) {
    if before == Some(code) {
        return out.push(SAME << 5);
    }
    for (zero, hyphen, plain, hyphened) in [('0', '-', ASCII, ASCII_HYPHEN), ('０', '－', WIDE, WIDE_HYPHEN)]
    {
        let Some(nibbles) = nibbles(code, zero, hyphen).filter(|all| (1..32).contains(&all.len())) else {
            continue;
        };
        let length = nibbles.len();
        if let Some(octets) = DECIMAL.get(length).filter(|_| !nibbles.contains(&10)) {
            out.push(plain << 5 | length as u8);
            let value = nibbles.iter().fold(0_u64, |value, digit| value * 10 + u64::from(*digit));
            return put_fixed(out, value, usize::from(*octets));
        }
        out.push(hyphened << 5 | length as u8);
        let pairs = nibbles.chunks(2);
        return out.extend(pairs.map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0)));
    }
    let at = out.len();
    out.push(0);
    put_characters(out, Alphabet::Words, code);
    match out.len() - at - 1 {
        length @ 0..32 => out[at] = SHORT << 5 | length as u8,
        _ => {
            out.truncate(at);
            out.push(TEXT << 5);
            put_text(out, Alphabet::Words, code);
        }
    }
}

/// What [`put_code`] wrote after the same one before.
pub(crate) fn code<'o>(reading: &mut Reading<'o>, before: Option<Packed<'o>>) -> Option<Packed<'o>> {
    let head = reading.octet()?;
    let length = head & 0x1F;
    let count = usize::from(length);
    let width = if matches!(head >> 5, ASCII | ASCII_HYPHEN) { Width::Half } else { Width::Full };
    let (octets, form) = match head >> 5 {
        TEXT => return text(reading, Alphabet::Words),
        SAME => return before,
        SHORT => (count, Form::Words),
        ASCII | WIDE => (usize::from(*DECIMAL.get(count)?), Form::Decimal(width, length)),
        ASCII_HYPHEN | WIDE_HYPHEN => (count.div_ceil(2), Form::Nibbles(width, length)),
        _ => return None,
    };
    Some(Packed::new(reading.octets(octets)?, form))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text_octets(alphabet: Alphabet, text: &str) -> usize {
        let mut out = Vec::new();
        put_text(&mut out, alphabet, text);
        out.len()
    }

    fn code_octets(code: &str) -> usize {
        let mut out = Vec::new();
        put_code(&mut out, code, None);
        out.len()
    }

    #[test]
    fn common_texts_are_short() {
        assert_eq!(text_octets(Alphabet::Kana, "サトウ　ジュンイチロウ"), 12);
        assert_eq!(text_octets(Alphabet::Words, "佐藤　真一郎"), 7);
        assert_eq!(text_octets(Alphabet::Words, "齋藤　潤"), 7);
        assert_eq!((code_octets("1234567"), code_octets("１２－３４"), code_octets("国12")), (4, 4, 4));
        assert_eq!((code_octets(""), code_octets("00012345")), (1, 5));
    }

    #[test]
    fn no_character_is_twice_among_the_common() {
        assert!(BY_CHARACTER.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for octet in 0..128 {
            for alphabet in [Alphabet::Kana, Alphabet::Words] {
                assert_eq!(short(alphabet, character(alphabet, octet)), Some(octet), "{octet}");
            }
        }
    }

    fn written() -> impl Strategy<Value = String> {
        let likely = "[0-9０-９－ -ー　ァ-ヶ一-龠ｱ-ﾝ-]{0,90}";
        prop_oneof![likely, ".{0,60}", "[0-9]{0,45}", "[0-9-]{0,40}", "[０-９－]{0,40}"]
    }

    proptest! {
        #[test]
        fn texts_come_back(one in written(), other in written()) {
            for alphabet in [Alphabet::Kana, Alphabet::Words] {
                let mut out = Vec::new();
                put_text(&mut out, alphabet, &one);
                let mut reading = Reading::new(&out);
                prop_assert!(text(&mut reading, alphabet).is_some_and(|read| *read.unpacked() == *one));
                prop_assert!(reading.rest().is_empty());
            }
            let mut out = Vec::new();
            put_code(&mut out, &one, None);
            put_code(&mut out, &other, Some(&one));
            put_code(&mut out, &other, Some(&other));
            let mut reading = Reading::new(&out);
            let first = code(&mut reading, None);
            let second = code(&mut reading, first);
            let third = code(&mut reading, second);
            let read = [first, second, third].map(|read| read.map(Packed::unpacked));
            prop_assert_eq!(read, [&one, &other, &other].map(|text| Some(Box::from(&**text))));
            prop_assert!(reading.rest().is_empty());
        }

        #[test]
        fn any_octets_can_be_read(octets: Vec<u8>) {
            for read in [text(&mut Reading::new(&octets), Alphabet::Kana), code(&mut Reading::new(&octets), None)] {
                let _ = read.map(Packed::unpacked);
            }
        }
    }
}
