//! Claims that are kept and judged later, and sums from which a result is taken back.

use claims::{Claims, Counted, Entry, Summary};

use super::outputs::outcomes;

const FILE: &str = "IR,1,13,1,2345679,,X,202607,00,\r\n\
    RE,1,1112,202606,X,1,19500203,,,,,28,,A-17\r\nHO,06132013,1-2,7,1,300\r\nKO,54136015,1,,1,300\r\nSN,1,01,,,,01\r\nJD,1,,,1,9\r\nMF,01\r\n\
    RE,2,1111,202606,X,1,19500203,,20260610\r\nHO,77777777,,7,9,300\r\nSI,11,1,1,,2,1,,,,,,,1,,,,,,1\r\n\
    RE,3,1112,202606,X,1,19500203\r\nHO,06132014,,7,1,300\r\n\
    RE,4,1112,202606,X,1,19500203\r\nHO,  138057,,7,1,300\r\n\
    RE,5,1212,202606,X,1,19500203\r\nKO,12136011,7654321,,1,420\r\n\
    RE,6,1112,202613,X\r\nHO,x\r\n\
    RE,7,3112,202606,X,1,19500203\r\nHO,06132013,,1234-5678-9018,1,300\r\nGO,1,1,99\r\n";

const LINES: &str = "{\"month\":\"2026-06\",\"from\":\"2026-06-20\",\"insurer_number\":\"06132013\",\"number\":\"7\",\"birth_date\":\"1950-02-03\"}\n\
    {\"month\":\"2026-06\",\"days\":[\"2026-06-03\"],\"table\":\"dental\",\"remarks\":[\"02\"],\"specific_disease\":true}\n{\"month\":1}\n";

fn entries(file: &str) -> Vec<Entry> {
    let mut claims = Claims::open(file.as_bytes()).unwrap();
    std::iter::from_fn(|| claims.next().unwrap()).collect()
}

#[test]
fn what_is_kept_is_what_was_read() {
    let all = [entries(FILE), entries(LINES)].concat();
    assert_eq!(all.len(), 10);
    for entry in &all {
        let mut kept = Vec::new();
        entry.keep(&mut kept).unwrap();
        assert_eq!(Entry::from_kept(&kept).as_ref(), Some(entry), "{}", String::from_utf8_lossy(&kept));
        assert!(kept.ends_with(b"}\n") && !kept.contains(&b'\t'));
    }
    for line in ["", "{}", "{\"line\":1}", "{\"line\":1,\"claim\":null,\"fault\":null}"] {
        assert_eq!(Entry::from_kept(line.as_bytes()), None, "{line}");
    }
}

#[test]
fn nothing_that_is_not_used_is_kept() {
    let mut kept = Vec::new();
    entries(FILE).iter().for_each(|entry| entry.keep(&mut kept).unwrap());
    let kept = String::from_utf8(kept).unwrap();
    for foreign in ["A-17", "7654321", "1234-5678-9018", "\"X\""] {
        assert!(!kept.contains(foreign), "{foreign}");
    }
}

#[test]
fn a_result_that_is_taken_back_leaves_no_trace() {
    let outcomes = outcomes();
    for without in 0..outcomes.len() {
        let mut summary = Summary::default();
        outcomes.iter().for_each(|outcome| summary.add(outcome));
        summary.remove(Counted::from(&outcomes[without]));
        let mut expected = Summary::default();
        let others = outcomes.iter().enumerate().filter(|(at, _)| *at != without);
        others.for_each(|(_, outcome)| expected.add(outcome));
        assert_eq!(summary, expected);
    }
}
