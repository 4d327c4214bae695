//! Prefectures as they are, and invented municipalities and quarters within them.

/// One of the 47 prefectures.
pub(crate) struct Prefecture {
    /// 都道府県コード, 1 to 47.
    pub(crate) code: u32,
    /// Its name.
    pub(crate) name: &'static str,
    /// People in thousands (国勢調査 2020, rounded).
    pub(crate) thousands: u32,
    /// The first three digits of a postal code that lies there.
    pub(crate) postal: u32,
}

macro_rules! prefectures {
    ($($code:literal $name:literal $thousands:literal $postal:literal;)*) => {
        &[$(Prefecture {
            code: $code, name: $name, thousands: $thousands, postal: $postal,
        }),*]
    };
}

/// All prefectures, in order of their codes.
pub(crate) const PREFECTURES: &[Prefecture] = prefectures! {
    1 "北海道" 5225 60;
    2 "青森県" 1238 30;
    3 "岩手県" 1211 20;
    4 "宮城県" 2302 980;
    5 "秋田県" 960 10;
    6 "山形県" 1068 990;
    7 "福島県" 1833 960;
    8 "茨城県" 2867 310;
    9 "栃木県" 1933 320;
    10 "群馬県" 1939 371;
    11 "埼玉県" 7345 330;
    12 "千葉県" 6284 260;
    13 "東京都" 14048 150;
    14 "神奈川県" 9237 220;
    15 "新潟県" 2201 950;
    16 "富山県" 1035 930;
    17 "石川県" 1133 920;
    18 "福井県" 767 910;
    19 "山梨県" 810 400;
    20 "長野県" 2048 380;
    21 "岐阜県" 1979 500;
    22 "静岡県" 3633 420;
    23 "愛知県" 7542 450;
    24 "三重県" 1770 514;
    25 "滋賀県" 1414 520;
    26 "京都府" 2578 600;
    27 "大阪府" 8838 530;
    28 "兵庫県" 5465 650;
    29 "奈良県" 1324 630;
    30 "和歌山県" 923 640;
    31 "鳥取県" 553 680;
    32 "島根県" 671 690;
    33 "岡山県" 1888 700;
    34 "広島県" 2800 730;
    35 "山口県" 1342 753;
    36 "徳島県" 720 770;
    37 "香川県" 950 760;
    38 "愛媛県" 1335 790;
    39 "高知県" 692 780;
    40 "福岡県" 5135 810;
    41 "佐賀県" 811 840;
    42 "長崎県" 1312 850;
    43 "熊本県" 1738 860;
    44 "大分県" 1124 870;
    45 "宮崎県" 1070 880;
    46 "鹿児島県" 1588 890;
    47 "沖縄県" 1467 900;
};

/// Invented municipalities: kana, so that no real one is meant. The first two are
/// those of the named situations.
pub(crate) const MUNICIPALITIES: &[&str] = &[
    "ひばり",
    "わかくさ",
    "こもれび",
    "ほたる",
    "やまびこ",
    "しらさぎ",
    "はなみずき",
    "ゆうなぎ",
    "かざぐるま",
    "しおかぜ",
    "すずらん",
    "たんぽぽ",
    "なのはな",
    "はるかぜ",
    "まつかぜ",
    "ゆきわり",
    "りんどう",
    "わたすげ",
    "くぬぎ",
    "けやき",
    "せせらぎ",
    "そよかぜ",
    "ちどり",
    "とんぼ",
    "のぎく",
    "ひぐらし",
    "ほしぞら",
    "みそら",
    "むぎわら",
    "やまぶき",
];

/// What tells municipalities of one word apart.
pub(crate) const QUALIFIERS: &[&str] = &["", "東", "西", "南", "北"];

/// Invented quarters of a municipality.
pub(crate) const QUARTERS: &[&str] = &[
    "青嵐町",
    "朝露町",
    "雨宿町",
    "石段町",
    "泉鏡町",
    "歌垣町",
    "風待町",
    "霞橋町",
    "木洩町",
    "雲居町",
    "暮六町",
    "苔庭町",
    "笹舟町",
    "時雨町",
    "白露町",
    "涼風町",
    "空色町",
    "凧上町",
    "月待町",
    "綴喜野",
    "灯籠町",
    "夏蔦町",
    "虹架町",
    "野分町",
    "花筏町",
    "日時計町",
    "文箱町",
    "星合町",
    "水鏡町",
    "夕凪町",
];
