//! Answers over files: what counts, and what does not.

use pki::UnixTime;
use pki::issuing::KeyKind;
use pki::ocsp::{IssuerHash, OcspError, OcspPolicy, OcspStatus, ResponderRefusal, SeenAnswers};

use crate::responder::{DAY, Flaw, World};

#[test]
fn the_authority_itself_answers() {
    for kind in [KeyKind::Rsa2048, KeyKind::P384] {
        let world = World::new(kind);
        let table = [
            (7, OcspStatus::Good),
            (8, OcspStatus::Revoked),
            (9, OcspStatus::Suspended),
            (10, OcspStatus::Unknown),
        ];
        for (number, status) in table {
            for hash in [IssuerHash::Sha1, IssuerHash::Sha256] {
                for nonce in [None, Some([number; 32])] {
                    let question = world.question(number, hash, nonce);
                    let digest = if kind == KeyKind::P384 { "-rmd sha384" } else { "-rmd sha256" };
                    let response = world.answer(&question.request(), "ca", &format!("-ndays 1 {digest}"));
                    let answer = world.judge(&question, &response).expect("an answer");
                    assert_eq!(answer.status(), status, "{number} {hash:?}");
                    assert!((answer.this_update().0 - world.now.0).abs() < 60);
                }
            }
        }
    }
}

#[test]
fn a_certified_responder_answers_and_no_other() {
    let world = World::new(KeyKind::Rsa2048);
    let question = world.question(7, IssuerHash::Sha1, None);
    let table = [
        (Flaw::None, Ok(OcspStatus::Good)),
        (Flaw::Purpose, Err(OcspError::Responder)),
        (Flaw::Forged, Err(OcspError::Responder)),
        (Flaw::NoKeyUsage, Err(OcspError::Responder)),
        (Flaw::Expired, Err(OcspError::ResponderExpired)),
        (Flaw::Checked, Err(OcspError::ResponderRevoked)),
    ];
    for (flaw, expected) in table {
        world.delegate(flaw);
        for form in ["-ndays 1", "-ndays 1 -resp_key_id"] {
            let response = world.answer(&question.request(), "responder", form);
            let status = world.judge(&question, &response).map(|answer| answer.status());
            assert_eq!(status, expected, "{flaw:?} {form}");
        }
    }
    // the list says that the responder's certificate (serial 50) stands, or that it does not
    for (revoked, flaw, expected) in [
        (&[][..], Flaw::Checked, Ok(OcspStatus::Good)),
        (&[50], Flaw::Checked, Err(OcspError::ResponderRevoked)),
        (&[50], Flaw::None, Err(OcspError::ResponderRevoked)),
    ] {
        world.delegate(flaw);
        let response = world.answer(&question.request(), "responder", "-ndays 1");
        let view = world.view.with_lists(world.lists(revoked));
        let judged = question.judge(&response, &view, world.now, &OcspPolicy::default());
        assert_eq!(judged.map(|answer| answer.status()), expected);
    }
}

#[test]
fn an_answer_to_another_question_is_none() {
    let world = World::new(KeyKind::P384);
    let options = "-ndays 1 -rmd sha384";
    let asked = world.question(7, IssuerHash::Sha1, Some([1; 32]));
    let response = world.answer(&asked.request(), "ca", options);
    assert!(world.judge(&asked, &response).is_ok());
    let replayed = world.question(7, IssuerHash::Sha1, Some([2; 32]));
    assert_eq!(world.judge(&replayed, &response), Err(OcspError::Nonce));
    let other = world.question(8, IssuerHash::Sha1, None);
    assert_eq!(world.judge(&other, &response), Err(OcspError::OtherCertificate));
    let other_hash = world.question(7, IssuerHash::Sha256, None);
    assert_eq!(world.judge(&other_hash, &response), Err(OcspError::OtherCertificate));
    // without the nonce that was sent: only where none is required
    let unsent = world.question(7, IssuerHash::Sha1, None);
    let without = world.answer(&unsent.request(), "ca", options);
    assert!(world.judge(&asked, &without).is_ok());
    let strict = OcspPolicy { require_nonce: true, ..OcspPolicy::default() };
    assert_eq!(asked.judge(&without, &world.view, world.now, &strict), Err(OcspError::Nonce));
    // another authority's answer, under the same name
    let stranger = World::new(KeyKind::P384);
    let foreign = stranger.answer(&unsent.request(), "ca", options);
    assert!(world.judge(&unsent, &foreign).is_err());
}

#[test]
fn only_fresh_answers_count() {
    let world = World::new(KeyKind::P384);
    let question = world.question(7, IssuerHash::Sha1, None);
    let judge = |response: &[u8], now: i64, max_age: i64| {
        let policy = OcspPolicy { max_age, ..OcspPolicy::default() };
        question
            .judge(response, &world.view, UnixTime(world.now.0 + now), &policy)
            .map(|answer| answer.status())
    };
    let good = Ok(OcspStatus::Good);
    let for_an_hour = world.answer(&question.request(), "ca", "-nmin 60 -rmd sha384");
    let endless = world.answer(&question.request(), "ca", "-rmd sha384");
    // the responder's clock may have moved on by a few seconds since the world was made
    let table = [
        (&for_an_hour, 0, DAY, good),
        (&for_an_hour, 3600, DAY, good),
        (&for_an_hour, 3600 + 120, DAY, Err(OcspError::TooOld)),
        (&for_an_hour, -50, DAY, good),
        (&for_an_hour, -120, DAY, Err(OcspError::FromTheFuture)),
        (&for_an_hour, 900, 600, Err(OcspError::TooOld)),
        (&endless, DAY - 60, DAY, good),
        (&endless, DAY + 120, DAY, Err(OcspError::TooOld)),
    ];
    for (response, now, max_age, expected) in table {
        assert_eq!(judge(response, now, max_age), expected, "after {now} of {max_age}");
    }
}

#[test]
fn every_octet_counts() {
    let world = World::new(KeyKind::P384);
    let question = world.question(8, IssuerHash::Sha1, Some([3; 32]));
    let response = world.answer(&question.request(), "ca", "-ndays 1 -rmd sha384");
    for at in 0..response.len() {
        let mut changed = response.clone();
        changed[at] ^= 1;
        // outside what is signed only the certificates may change without harm
        let status = world.judge(&question, &changed).map(|answer| answer.status());
        assert!(matches!(status, Err(_) | Ok(OcspStatus::Revoked)), "octet {at}");
        assert!(world.judge(&question, &response[..at]).is_err());
    }
    assert!(world.judge(&question, &[&response[..], &[0]].concat()).is_err());
}

#[test]
fn refusals_of_the_responder_are_named() {
    let world = World::new(KeyKind::P384);
    let question = world.question(7, IssuerHash::Sha1, None);
    for (status, refusal) in [
        (1, ResponderRefusal::MalformedRequest),
        (2, ResponderRefusal::InternalError),
        (3, ResponderRefusal::TryLater),
        (5, ResponderRefusal::SignatureRequired),
        (6, ResponderRefusal::Unauthorized),
        (4, ResponderRefusal::Other),
    ] {
        let response = [0x30, 3, 0x0a, 1, status];
        assert_eq!(world.judge(&question, &response), Err(OcspError::Refused(refusal)));
    }
    assert_eq!(world.judge(&question, &[0x30, 3, 0x0a, 1, 0]), Err(OcspError::Malformed));
}

#[test]
fn answers_are_kept_until_they_end() {
    let world = World::new(KeyKind::P384);
    let question = world.question(7, IssuerHash::Sha1, None);
    let response = world.answer(&question.request(), "ca", "-nmin 60 -rmd sha384");
    let answer = world.judge(&question, &response).expect("an answer");
    let seen = SeenAnswers::new(10);
    assert_eq!(seen.find(&question, world.now), None);
    seen.keep(answer);
    assert_eq!(seen.find(&question, answer.until()), Some(answer));
    assert_eq!(seen.find(&question, UnixTime(answer.until().0 + 1)), None);
    assert_eq!(seen.find(&world.question(8, IssuerHash::Sha1, None), world.now), None);
}
