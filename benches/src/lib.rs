//! What the benches share: a gateway in process, without sockets, over a demonstration's folder.

use eligibility::day::Timestamp;
use eligibility::number::InsurerNumber;
use eligibility::query::NumberQuery;
use gateway::commands::demo::{Made, Prepared, prepare};
use gateway::gateway::Gateway;
use gateway::path::Request;
use gateway::peer::Peer;
use population::Population;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// A gateway in process with its folder, and a reception desk that asks it.
pub struct World {
    folder: tempfile::TempDir,
    /// The nation it holds.
    pub population: Population,
    /// The gateway.
    pub gateway: Gateway,
    /// The desk.
    pub peer: Peer,
    /// The time at which everything is asked.
    pub now: Timestamp,
}

impl World {
    /// A nation of so many people.
    ///
    /// # Panics
    /// When the folder cannot be made: a bench cannot go on then.
    #[must_use]
    pub fn new(people: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let nowhere = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let Prepared { population, config, .. } =
            prepare(folder.path(), Made { people, seed: 1 }, nowhere, nowhere).expect("a demonstration");
        let gateway = Gateway::start(&config).expect("a gateway");
        let certificate =
            CertificateDer::from_pem_file(folder.path().join("clients/reception.pem")).expect("a client");
        let peer = Peer::of(&certificate, &gateway.roles);
        let now = gateway.clock.now();
        Self { folder, population, gateway, peer, now }
    }

    /// A request of the desk.
    #[must_use]
    pub fn request(&self) -> Request<'_> {
        Request { peer: &self.peer, id: uuid::Uuid::max(), now: self.now, trace: None }
    }

    /// The question by number of the plain employee, who has one valid coverage.
    #[must_use]
    pub fn query(&self) -> NumberQuery {
        let employee = self.population.situations().iter().find(|one| one.name == "employee");
        employee.and_then(|one| one.question.as_ref()).expect("the employee").query()
    }

    /// An insurer's name.
    #[must_use]
    pub fn insurer_name(&self, number: InsurerNumber) -> Option<&str> {
        self.gateway.desk.insurers.name(number)
    }

    /// Certificate and key of the employee's card.
    ///
    /// # Panics
    /// When the demonstration made none.
    #[must_use]
    pub fn card(&self) -> (Vec<u8>, String) {
        let file = |name: &str| self.folder.path().join("cards").join(name);
        let certificate = std::fs::read(file("employee.der")).expect("a certificate");
        (certificate, std::fs::read_to_string(file("employee.key.pem")).expect("a key"))
    }
}
