//! The demonstration's TLS: a CA, the server, and one client a role.

use eligibility::day::Timestamp;
use pki::UnixTime;
use pki::issuing::{ClientName, TlsAuthority, Validity};

use super::folder::Folder;
use crate::commands::CommandError;
use crate::peer::{CodeAttribute, Role, RoleRule};

/// Name, organizational unit and codes of each client.
const CLIENTS: &[(&str, &str, &str)] = &[
    ("reception", "reception", "1312345679"),
    ("reception-2", "reception", "1411234568"),
    ("review", "review", ""),
    ("insurer-06132013", "insurer", "06132013"),
    ("insurer-138057", "insurer", "138057"),
    ("portal", "portal", ""),
    ("jlis", "jlis", ""),
    ("city-131016", "city", "131016"),
    ("operator", "operator", ""),
    // Of the right CA, and without any role.
    ("stranger", "stranger", ""),
];

/// Twenty years: a demonstration shall not end by its TLS.
const LIFETIME: i64 = 20 * 365 * 86_400;

/// Makes the certificates that are not there yet.
pub(super) fn make(folder: &Folder, now: Timestamp) -> Result<(), CommandError> {
    let today = now.millis() / 1000;
    let validity = Validity { not_before: UnixTime(today - 86_400), not_after: UnixTime(today + LIFETIME) };
    let authority = authority(folder, validity)?;
    if folder.read("tls/server.pem")?.is_none() {
        let server = authority.server(validity).map_err(CommandError::usage)?;
        folder.write_private("tls/server-key.pem", server.key_pem.as_bytes())?;
        folder.write("tls/server.pem", server.certificate_pem.as_bytes())?;
    }
    for (name, unit, codes) in CLIENTS {
        let certificate = format!("clients/{name}.pem");
        if folder.read(&certificate)?.is_some() {
            continue;
        }
        let subject = ClientName {
            organization: (!codes.is_empty()).then(|| (*codes).to_owned()),
            unit: Some((*unit).to_owned()),
            common_name: (*name).to_owned(),
        };
        let client = authority.client(&subject, validity).map_err(CommandError::usage)?;
        folder.write_private(&format!("clients/{name}-key.pem"), client.key_pem.as_bytes())?;
        folder.write(&certificate, client.certificate_pem.as_bytes())?;
    }
    Ok(())
}

/// The rules by which these clients have their roles.
pub(super) fn rules() -> Vec<RoleRule> {
    let roles = [
        (Role::Reception, true),
        (Role::Review, false),
        (Role::Insurer, true),
        (Role::Portal, false),
        (Role::Jlis, false),
        (Role::City, true),
        (Role::Operator, false),
    ];
    let rule = |(role, codes): (Role, bool)| RoleRule {
        role,
        unit: role.word().to_owned(),
        issuer: None,
        codes: codes.then_some(CodeAttribute::O),
    };
    roles.into_iter().map(rule).collect()
}

fn authority(folder: &Folder, validity: Validity) -> Result<TlsAuthority, CommandError> {
    if let (Some(certificate), Some(key)) =
        (folder.read_text("tls/ca.pem")?, folder.read_text("tls/ca-key.pem")?)
    {
        return TlsAuthority::load(&certificate, &key).map_err(CommandError::usage);
    }
    let authority = TlsAuthority::new("Shikaku Demo CA", validity).map_err(CommandError::usage)?;
    folder.write_private("tls/ca-key.pem", authority.key_pem().as_bytes())?;
    folder.write("tls/ca.pem", authority.certificate_pem().as_bytes())?;
    Ok(authority)
}

#[cfg(test)]
mod tests {
    use eligibility::number::InstitutionCode;

    use super::*;

    #[test]
    fn institutions_have_right_check_digits() {
        let receptions = CLIENTS.iter().filter(|(_, unit, _)| *unit == "reception");
        for (name, _, codes) in receptions {
            assert!(InstitutionCode::parse(codes).is_ok(), "{name}");
        }
    }
}
