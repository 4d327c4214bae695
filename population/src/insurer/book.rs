//! Which insurers a nation of some size has, and which of them somebody has to do with.
//!
//! A small nation has few prefectures, municipalities and societies, so that each has members; one
//! of some millions has as many as Japan.

use super::{Insurer, InsurerKind, known, number, with_check_digit};
use crate::dice::Dice;
use crate::table::places::{MUNICIPALITIES, PREFECTURES, Prefecture, QUALIFIERS};
use crate::table::trades::{GUILDS, TRADES};

/// People for whom another prefecture is added.
const PEOPLE_A_PREFECTURE: u64 = 20_000;
/// People for whom another 健保組合 is added, and how many there are at the most (1 378 in 2024).
const PEOPLE_A_SOCIETY: u64 = 1500;
const MOST_SOCIETIES: u64 = 1378;
/// People of a prefecture for whom another municipality is added.
const PEOPLE_A_TOWN: u64 = 5000;

/// A municipality with its 国保.
pub(crate) struct Town {
    pub(crate) insurer: u32,
    /// Its name with 市, 町, 村 or 区.
    pub(crate) name: Box<str>,
}

/// A prefecture of the nation with its own insurers.
pub(crate) struct Region {
    pub(crate) prefecture: &'static Prefecture,
    pub(crate) association: u32,
    pub(crate) late_elderly: u32,
    pub(crate) self_defence: u32,
    /// 地方公務員, 警察, 公立学校.
    pub(crate) mutual_aid: [u32; 3],
    pub(crate) national_society: u32,
    pub(crate) towns: Vec<Town>,
}

/// The insurers.
pub(crate) struct Book {
    /// All, in order of number.
    pub(crate) all: Vec<Insurer>,
    /// The prefectures, in order of code.
    pub(crate) regions: Vec<Region>,
    /// 健保組合 that feed, the larger ones first.
    societies: Vec<u32>,
    /// 国家公務員共済 and 私学共済, the larger ones first.
    national_mutual_aid: Vec<u32>,
}

impl Book {
    pub(crate) fn new(people: u64) -> Self {
        let regions = regions(people);
        let mut book = Self {
            all: Vec::new(),
            regions: Vec::new(),
            societies: Vec::new(),
            national_mutual_aid: Vec::new(),
        };
        for region in regions {
            book.add_region(region);
        }
        book.add_societies(people);
        book.add_mutual_aid(people);
        book.add(known::SEAFARERS, "見本船員保険".into());
        book.all.sort_by_key(|one| one.number);
        book
    }

    fn add(&mut self, value: u32, name: Box<str>) {
        let number = number(value);
        let kind = InsurerKind::of(number);
        self.all.push(Insurer { number, name, kind, feeds: value != known::SILENT });
    }

    fn add_region(&mut self, region: Region) {
        let name = region.prefecture.name;
        self.add(region.association, format!("見本健康保険協会　{name}支部").into());
        self.add(region.late_elderly, format!("見本{name}後期高齢者医療広域連合").into());
        self.add(region.self_defence, format!("見本{name}駐屯地").into());
        for (value, what) in region.mutual_aid.into_iter().zip(["職員", "警察", "学校"]) {
            self.add(value, format!("見本{name}{what}共済組合").into());
        }
        let guild = GUILDS[region.prefecture.code as usize % GUILDS.len()];
        self.add(region.national_society, format!("{name}ほたる{guild}国民健康保険組合").into());
        for town in &region.towns {
            self.add(town.insurer, format!("{name}{}国民健康保険", town.name).into());
        }
        self.regions.push(region);
    }

    fn add_societies(&mut self, people: u64) {
        self.societies = vec![known::SOCIETY, known::OTHER_SOCIETY];
        self.add(known::SOCIETY, "こもれび電機健康保険組合".into());
        self.add(known::OTHER_SOCIETY, "しらさぎ製菓健康保険組合".into());
        self.add(known::SILENT, "ねむりねこ商事健康保険組合".into());
        let count = (people / PEOPLE_A_SOCIETY).clamp(6, MOST_SOCIETIES) as u32;
        let mut given = [300_u32; 48];
        for at in 2..count {
            let code = seat_of_society(at);
            let counter = &mut given[code as usize];
            let value = with_check_digit(600_000 + code * 1000 + *counter);
            *counter += 1;
            // 31 has no divisor in common with the number of trades: no pair comes twice.
            let word = MUNICIPALITIES[at as usize % MUNICIPALITIES.len()];
            let trade = TRADES[(at as usize / MUNICIPALITIES.len() + at as usize) % TRADES.len()];
            self.add(value, format!("{word}{trade}健康保険組合").into());
            self.societies.push(value);
        }
    }

    fn add_mutual_aid(&mut self, people: u64) {
        let count = (people / 50_000).clamp(1, 20) as u32;
        for at in 0..count {
            let value = with_check_digit(3_113_001 + at);
            self.add(value, format!("見本第{}省共済組合", at + 1).into());
            self.national_mutual_aid.push(value);
        }
        let schools = with_check_digit(3_413_902);
        self.add(schools, "見本私立学校共済".into());
        self.national_mutual_aid.insert(1, schools);
    }

    /// A 健保組合, large ones more often.
    pub(crate) fn society(&self, dice: &mut Dice) -> u32 {
        *skewed(&self.societies, dice)
    }

    /// A 共済組合 of somebody who lives there.
    pub(crate) fn mutual_aid(&self, region: &Region, dice: &mut Dice) -> u32 {
        match dice.below(100) {
            0..25 => *skewed(&self.national_mutual_aid, dice),
            25..60 => region.mutual_aid[0],
            60..70 => region.mutual_aid[1],
            _ => region.mutual_aid[2],
        }
    }
}

impl Region {
    /// The place of one of its municipalities, large ones more often.
    pub(crate) fn town(&self, dice: &mut Dice) -> &Town {
        skewed(&self.towns, dice)
    }
}

/// The first of n with probability 1/√n, the others less and less.
fn skewed<'t, T>(all: &'t [T], dice: &mut Dice) -> &'t T {
    let even = dice.below(1 << 24);
    let at = (even * even * all.len() as u64) >> 48;
    &all[at as usize]
}

/// Nearly half of the societies sit in 東京, many in 大阪 and 愛知.
const fn seat_of_society(at: u32) -> u32 {
    match at % 20 {
        0..9 => 13,
        9..12 => 27,
        12 => 23,
        _ => at % 47 + 1,
    }
}

/// The most populous prefectures, as many as the people fill, in order of their codes.
fn regions(people: u64) -> Vec<Region> {
    let count = (people / PEOPLE_A_PREFECTURE).clamp(3, 47) as usize;
    let mut chosen: Vec<_> = PREFECTURES.iter().collect();
    chosen.sort_by_key(|one| std::cmp::Reverse(one.thousands));
    chosen.truncate(count);
    chosen.sort_by_key(|one| one.code);
    let thousands: u64 = chosen.iter().map(|one| u64::from(one.thousands)).sum();
    chosen
        .into_iter()
        .map(|prefecture| region(prefecture, people * u64::from(prefecture.thousands) / thousands))
        .collect()
}

fn region(prefecture: &'static Prefecture, people: u64) -> Region {
    let code = prefecture.code;
    let body = |scheme: u32, rest: u32| with_check_digit(scheme * 100_000 + code * 1000 + rest);
    Region {
        prefecture,
        association: body(1, 1),
        late_elderly: body(39, 115),
        self_defence: body(7, 1),
        mutual_aid: [body(32, 1), body(33, 1), body(34, 1)],
        national_society: with_check_digit(code * 1000 + 330),
        towns: towns(prefecture, people),
    }
}

fn towns(prefecture: &Prefecture, people: u64) -> Vec<Town> {
    let names = MUNICIPALITIES.len() * QUALIFIERS.len();
    let most = (10 + prefecture.thousands as usize / 125).min(names);
    let count = ((people / PEOPLE_A_TOWN) as usize).clamp(2, most);
    (0..count).map(|at| town(prefecture, at)).collect()
}

fn town(prefecture: &Prefecture, at: usize) -> Town {
    let code = prefecture.code;
    // Names begin elsewhere in each prefecture; the wards' and 神奈川's are those of the situations.
    let offset = match code {
        13 => 0,
        14 => 1,
        _ => code as usize * 7 % MUNICIPALITIES.len(),
    };
    let name = (at + offset) % (MUNICIPALITIES.len() * QUALIFIERS.len());
    let qualifier = QUALIFIERS[name / MUNICIPALITIES.len()];
    let word = MUNICIPALITIES[name % MUNICIPALITIES.len()];
    let kind = match (code, at) {
        (13, ..23) => "区",
        (_, ..25) => "市",
        _ if at.is_multiple_of(4) => "村",
        _ => "町",
    };
    let insurer = match (code, at) {
        (13, 0) => known::WARD,
        (14, 0) => known::TOWN,
        _ => with_check_digit(code * 1000 + 1 + at as u32),
    };
    Town { insurer, name: format!("{qualifier}{word}{kind}").into() }
}
