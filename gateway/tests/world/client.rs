//! A client with a certificate that says exactly what it is told to, and reads one reply.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme, StreamOwned,
};
use serde_json::Value;

/// One reply.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// Reads a whole reply from what the server sent until it closed.
    pub(crate) fn parse(octets: &[u8]) -> Option<Self> {
        let end = octets.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&octets[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let body = &octets[end + 4..];
        Some(Self { status, headers, body: if chunked { unchunked(body)? } else { body.to_vec() } })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// The problem's code, or the answer's status.
    pub(crate) fn word(&self) -> String {
        let json = self.json();
        // Each wire has its own place for it.
        let refused = [
            &json["code"],
            &json["XmlMsg"]["MessageHeader"]["ErrorCode"],
            &json["issue"][0]["details"]["coding"][0]["code"],
        ];
        let word = if self.status < 300 {
            json["status"].as_str()
        } else {
            refused.iter().find_map(|one| one.as_str())
        };
        word.unwrap_or_default().to_owned()
    }
}

/// The octets of a body that came in chunks; `None` when the last of them did not come.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut octets = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?, 16).ok()?;
        rest = &rest[end + 2..];
        if length == 0 {
            return Some(octets);
        }
        octets.extend_from_slice(rest.get(..length)?);
        rest = rest.get(length + 2..)?;
    }
}

/// A caller of the service.
#[derive(Clone)]
pub(crate) struct Client {
    address: SocketAddr,
    tls: Arc<ClientConfig>,
}

impl Client {
    /// With the certificate of this name, or with none.
    pub(crate) fn new(address: SocketAddr, folder: &Path, name: Option<&str>) -> Self {
        Self::with_provider(address, folder, name, rustls::crypto::aws_lc_rs::default_provider())
    }

    /// The same, with cryptography of its own choice.
    pub(crate) fn with_provider(
        address: SocketAddr,
        folder: &Path,
        name: Option<&str>,
        provider: CryptoProvider,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(folder.join("tls/ca.pem")).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let tls = match name {
            None => builder.with_no_client_auth(),
            Some(name) => {
                let certificate =
                    CertificateDer::from_pem_file(folder.join(format!("clients/{name}.pem"))).unwrap();
                let key =
                    PrivateKeyDer::from_pem_file(folder.join(format!("clients/{name}-key.pem"))).unwrap();
                builder.with_client_auth_cert(vec![certificate], key).unwrap()
            }
        };
        Self { address, tls: Arc::new(tls) }
    }

    /// The same caller, offering this protocol.
    pub(crate) fn with_protocol(&self, protocol: &[u8]) -> Self {
        let mut tls = ClientConfig::clone(&self.tls);
        tls.alpn_protocols = vec![protocol.to_vec()];
        Self { tls: Arc::new(tls), ..self.clone() }
    }

    /// A TLS connection.
    pub(crate) fn connect(&self) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
        let socket = TcpStream::connect(self.address)?;
        socket.set_read_timeout(Some(Duration::from_secs(30)))?;
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::clone(&self.tls), name).unwrap();
        Ok(StreamOwned::new(connection, socket))
    }

    /// A TLS connection that asks for another host, and takes whoever answers.
    pub(crate) fn connect_as(&self, host: &str) -> StreamOwned<ClientConnection, TcpStream> {
        let mut tls = ClientConfig::clone(&self.tls);
        let provider = Arc::clone(tls.crypto_provider());
        tls.dangerous().set_certificate_verifier(Arc::new(Anybody(provider)));
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let connection = ClientConnection::new(Arc::new(tls), name).unwrap();
        StreamOwned::new(connection, TcpStream::connect(self.address).unwrap())
    }

    /// Sends these octets on a connection of their own and reads the reply; `None` when there is none.
    pub(crate) fn raw(&self, octets: &[u8]) -> Option<Reply> {
        let mut stream = self.connect().ok()?;
        stream.write_all(octets).ok()?;
        Reply::parse(&read_to_end(&mut stream))
    }

    pub(crate) fn try_send(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Option<Reply> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.raw(&[head.as_bytes(), body].concat())
    }

    /// As a program in the field does it: comes again when the gateway, on a machine that stands still now and
    /// then, has too much to do.
    pub(crate) fn send(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Reply {
        for _ in 0..100 {
            let reply = self.send_once(method, path, kind, body);
            if reply.status != 503 || !String::from_utf8_lossy(&reply.body).contains("overloaded") {
                return reply;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        self.send_once(method, path, kind, body)
    }

    pub(crate) fn send_once(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Reply {
        self.try_send(method, path, kind, body).unwrap_or_else(|| panic!("no reply to {method} {path}"))
    }

    pub(crate) fn post(&self, path: &str, json: &Value) -> Reply {
        self.send("POST", path, "application/json", json.to_string().as_bytes())
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send("GET", path, "application/json", b"")
    }

    pub(crate) fn try_feed(&self, source: &str, lines: &str) -> Option<Reply> {
        self.try_send("POST", &format!("/v1/feeds/{source}"), "application/x-ndjson", lines.as_bytes())
    }

    pub(crate) fn feed(&self, source: &str, lines: &str) -> Reply {
        self.send("POST", &format!("/v1/feeds/{source}"), "application/x-ndjson", lines.as_bytes())
    }

    pub(crate) fn challenge(&self) -> String {
        let reply = self.post("/v1/challenges", &serde_json::json!({}));
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.json()["challenges"][0]["challenge"].as_str().unwrap().to_owned()
    }
}

/// Takes whoever answers.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// One reply over plain HTTP.
pub(crate) fn plain(address: SocketAddr, request: &str) -> Option<Reply> {
    let mut socket = TcpStream::connect(address).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    socket.write_all(request.as_bytes()).ok()?;
    Reply::parse(&read_to_end(&mut socket))
}

/// Everything until the other side closes, whatever way it does.
fn read_to_end(stream: &mut impl Read) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut buffer = [0; 16 * 1024];
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        octets.extend_from_slice(&buffer[..read]);
    }
    octets
}
