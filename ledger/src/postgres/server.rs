//! Where the server is, how it is spoken to, and the thread on which that is done.

use std::fmt;
use std::future::{Future, poll_fn};
use std::path::PathBuf;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{away, failed};
use crate::error::LedgerError;

/// For how long a host may take to take a connection; the next of the URL's hosts is tried then.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// For how long connecting may take with all hosts, TLS and log-in.
const LOG_IN_WITHIN: Duration = Duration::from_secs(10);
/// What the server does for itself when one of us is gone or stuck: it gives up waiting for another's
/// turn, a statement, and a turn in which nothing is said.
const SESSION: &str = "-c search_path=shikaku -c lock_timeout=8000 -c statement_timeout=20000 \
     -c idle_in_transaction_session_timeout=5000 -c client_min_messages=warning";

/// A PostgreSQL server, or several of which the one that takes writes is meant. Cheap to clone; prints
/// no password.
#[derive(Clone)]
pub struct Server(Arc<Inner>);

struct Inner {
    /// Hosts and database, as a person would name them.
    name: String,
    gateway: String,
    config: Config,
    tls: Option<MakeRustlsConnect>,
    driver: Mutex<Option<Driver>>,
}

/// What is not part of the URL.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The name under which this gateway tells how far it follows.
    pub gateway: String,
    /// PEM file of the authorities of the server's certificate.
    pub ca: Option<PathBuf>,
    /// File whose first line is the password.
    pub password: Option<PathBuf>,
}

impl Server {
    /// The server of a URL `postgres://USER@HOST[:PORT][,HOST…]/DATABASE`.
    ///
    /// # Errors
    /// [`LedgerError::Url`] when the URL or what goes with it cannot be used.
    pub fn new(url: &str, access: &Access) -> Result<Self, LedgerError> {
        let wrong = |reason: String| LedgerError::Url { reason };
        let mut config: Config =
            url.parse().map_err(|_| wrong("it is not postgres://USER@HOST[:PORT]/DATABASE".to_owned()))?;
        if config.get_password().is_some() {
            return Err(wrong("a password stands in a file of its own, not in the URL".to_owned()));
        }
        if let Some(path) = &access.password {
            let text = std::fs::read_to_string(path)
                .map_err(|error| wrong(format!("password file {}: {error}", path.display())))?;
            config.password(text.lines().next().unwrap_or_default());
        }
        let local = config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)));
        let tls = match (&access.ca, config.get_ssl_mode()) {
            _ if local => None,
            (_, SslMode::Disable) => None,
            (None, _) => {
                return Err(wrong(
                    "no CA file for the server's certificate; without TLS it needs ?sslmode=disable"
                        .to_owned(),
                ));
            }
            (Some(path), _) => {
                let tls = tls(path).map_err(|error| wrong(format!("CA file {}: {error}", path.display())))?;
                Some(MakeRustlsConnect::new(tls))
            }
        };
        config.ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
        let options = [config.get_options().unwrap_or_default(), SESSION].join(" ");
        config
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .options(options)
            .application_name(format!("shikaku {}", access.gateway))
            .connect_timeout(CONNECT_WITHIN)
            .tcp_user_timeout(Duration::from_secs(10))
            .keepalives_idle(Duration::from_secs(5))
            .keepalives_interval(Duration::from_secs(2))
            .keepalives_retries(3);
        let (name, gateway) = (name(&config), access.gateway.clone());
        Ok(Self(Arc::new(Inner { name, gateway, config, tls, driver: Mutex::default() })))
    }

    /// The name under which this gateway tells how far it follows.
    pub(super) fn gateway(&self) -> &str {
        &self.0.gateway
    }

    /// Does this on the server's thread and waits for it. A reply that does not come in time counts as
    /// none.
    pub(super) fn wait<T: Send + 'static>(
        &self,
        within: Duration,
        work: impl Future<Output = Result<T, LedgerError>> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (give, done) = sync_channel(1);
        self.handle()?.spawn(async move {
            let late = |_| Err(away("the database does not reply in time"));
            drop(give.send(tokio::time::timeout(within, work).await.unwrap_or_else(late)));
        });
        done.recv().unwrap_or(Err(LedgerError::Closed))
    }

    /// The thread on which all is said to the server; begun when it is first needed.
    pub(super) fn handle(&self) -> Result<Handle, LedgerError> {
        let mut driver = self.0.driver.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(driver) = &*driver {
            return Ok(driver.handle.clone());
        }
        let no_thread = |error: std::io::Error| away(&error.to_string());
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(no_thread)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let run = move || drop(runtime.block_on(stopped));
        std::thread::Builder::new().name("ledger-server".to_owned()).spawn(run).map_err(no_thread)?;
        *driver = Some(Driver { handle: handle.clone(), _stop: stop });
        Ok(handle)
    }

    /// Connects; `hear` is told what the server says of itself. The connection ends when it is aborted.
    pub(super) async fn connect(
        self,
        hear: impl FnMut(AsyncMessage) + Send + 'static,
    ) -> Result<(Client, AbortHandle), LedgerError> {
        let Inner { config, tls, .. } = &*self.0;
        let connect = async {
            Ok::<_, tokio_postgres::Error>(match tls {
                Some(tls) => {
                    let (client, connection) = config.connect(tls.clone()).await?;
                    (client, drive(connection, hear))
                }
                None => {
                    let (client, connection) = config.connect(NoTls).await?;
                    (client, drive(connection, hear))
                }
            })
        };
        let connected = tokio::time::timeout(LOG_IN_WITHIN, connect).await;
        connected.map_err(|_| away("connecting takes too long"))?.map_err(|error| failed(&error))
    }
}

/// Ends the thread when it is dropped.
struct Driver {
    handle: Handle,
    _stop: oneshot::Sender<()>,
}

fn drive<S, T>(
    mut connection: Connection<S, T>,
    mut hear: impl FnMut(AsyncMessage) + Send + 'static,
) -> AbortHandle
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let run = async move {
        while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
            hear(message);
        }
    };
    tokio::spawn(run).abort_handle()
}

fn tls(ca: &PathBuf) -> Result<ClientConfig, Box<dyn std::error::Error>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca)? {
        roots.add(certificate?)?;
    }
    if roots.is_empty() {
        return Err("it holds no certificate".into());
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13])?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn name(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(at, host)| {
        let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(host) => format!("{host}:{port}"),
            Host::Unix(path) => path.display().to_string(),
        }
    });
    format!("postgres://{}/{}", hosts.collect::<Vec<_>>().join(","), config.get_dbname().unwrap_or_default())
}

impl PartialEq for Server {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Server {}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.name)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.name)
    }
}
