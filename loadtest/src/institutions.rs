//! Who asks: institutions by the proportions of the country, each with a certificate of its own.

use std::sync::Arc;

use eligibility::day::Timestamp;
use eligibility::number::check_digit;
use pki::UnixTime;
use pki::issuing::{ClientName, TlsAuthority, Validity};
use rustls::ClientConfig;

use crate::folder::Folder;
use crate::scenario::{self, Scenario};
use crate::target::{self, ClientPem, read};

/// Checks a month for each institution of a kind, from the checks of October 2025 (hospitals 23.34,
/// clinics 115.72, dental 24.01, pharmacies 111.51 million) and the institutions of June 2025
/// (7 984, 83 370, 61 124, 60 494).
const MONTHLY: [f64; 4] = [2923.0, 1388.0, 393.0, 1843.0];
/// 点数表 of each kind: 1 医科, 3 歯科, 4 調剤.
const TABLES: [u64; 4] = [1, 1, 3, 4];

/// One institution.
#[derive(Clone)]
pub struct Institution {
    /// Ten digits, or a name.
    pub code: String,
    /// Its TLS; `None` for a server without.
    pub tls: Option<Arc<ClientConfig>>,
    /// Connections it keeps.
    pub connections: u32,
    /// Its part of the requests.
    pub weight: f64,
}

/// The institutions of a scenario.
///
/// # Errors
/// The file that is missing or does not do.
pub fn of(
    scenario: &Scenario,
    folder: Option<&Folder>,
    secure: bool,
    now: Timestamp,
) -> Result<Vec<Institution>, String> {
    let target = &scenario.target;
    let kinds = scenario.institutions;
    let alone = |tls| {
        vec![Institution {
            code: "alone".to_owned(),
            tls,
            connections: kinds.connections.max(1),
            weight: 1.0,
        }]
    };
    if !secure {
        return Ok(alone(None));
    }
    let ca = target.ca.clone().or_else(|| Some(folder?.file("tls/ca.pem")));
    let ca = ca.ok_or("target.ca: the server's CA, or a folder that has it")?;
    let counts = [kinds.hospitals, kinds.clinics, kinds.dental, kinds.pharmacies];
    if let Some(files) = &target.client {
        let pem = ClientPem::read(&files.certificate, &files.key)?;
        return Ok(alone(Some(target::tls(&ca, Some(&pem), target.resumption)?)));
    }
    let Some(folder) = folder else {
        return Ok(alone(Some(target::tls(&ca, None, target.resumption)?)));
    };
    if counts.iter().sum::<u32>() == 0 {
        let pem = ClientPem::read(
            &folder.file("clients/reception.pem"),
            &folder.file("clients/reception-key.pem"),
        )?;
        return Ok(alone(Some(target::tls(&ca, Some(&pem), target.resumption)?)));
    }
    let authority = authority(folder)?;
    let mut all = Vec::new();
    for (kind, count) in counts.into_iter().enumerate() {
        for at in 0..count {
            let code = code(TABLES[kind], kind as u64 * 2500 + u64::from(at));
            let pem = certificate(&authority, &code, now)?;
            let connections =
                if kind == 0 { kinds.connections.max(1) } else { (kinds.connections / 4).max(1) };
            let tls = Some(target::tls(&ca, Some(&pem), target.resumption)?);
            all.push(Institution { code, tls, connections, weight: MONTHLY[kind] });
        }
    }
    Ok(all)
}

/// The sums of weights up to each.
#[must_use]
pub fn weights(all: &[Institution]) -> Vec<f64> {
    all.iter()
        .scan(0.0, |sum, one| {
            *sum += one.weight;
            Some(*sum)
        })
        .collect()
}

/// 都道府県 13, 点数表, 郡市区 and 機関 counted up, check digit over all nine.
fn code(table: u64, at: u64) -> String {
    let body = 13 * 10_000_000 + table * 1_000_000 + at % 1_000_000;
    format!("{body}{}", check_digit(body))
}

fn authority(folder: &Folder) -> Result<TlsAuthority, String> {
    let text = |name: &str| Ok::<_, String>(String::from_utf8_lossy(&read(&folder.file(name))?).into_owned());
    TlsAuthority::load(&text("tls/ca.pem")?, &text("tls/ca-key.pem")?)
        .map_err(|error| format!("tls/ca.pem: {error}"))
}

fn certificate(authority: &TlsAuthority, code: &str, now: Timestamp) -> Result<ClientPem, String> {
    let today = now.millis() / 1000;
    let name = ClientName {
        organization: Some(code.to_owned()),
        unit: Some(scenario::UNIT.to_owned()),
        common_name: format!("load-{code}"),
    };
    let validity =
        Validity { not_before: UnixTime(today - 86_400), not_after: UnixTime(today + 30 * 86_400) };
    let identity = authority.client(&name, validity).map_err(|error| error.to_string())?;
    Ok(ClientPem { certificate: identity.certificate_pem.into_bytes(), key: identity.key_pem.into_bytes() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use eligibility::number::InstitutionCode;

    #[test]
    fn codes_have_right_check_digits() {
        for (at, table) in TABLES.into_iter().enumerate() {
            assert!(InstitutionCode::parse(&code(table, at as u64 * 777)).is_ok());
        }
    }
}
