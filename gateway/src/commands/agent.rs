//! `shikaku agent`: the terminal agent, and a card laid on its reader.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::CommandError;
use super::card;
use super::serve::log_to_stderr;
use crate::agent::{self, FaceError, Folders, Line, LineError, Watch};

/// Carries a claim computer's files to the service and its answers back
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Example:\n  shikaku agent --req /oqs/req --res /oqs/res --face /oqs/face --server https://localhost:8443 \\\n    --ca demo-data/tls/ca.pem --client demo-data/clients/reception.pem --client-key demo-data/clients/reception-key.pem"
)]
pub(super) struct Agent {
    #[command(subcommand)]
    command: Option<AgentCommand>,
    /// Folder in which requests appear (`OQS…req….xml`)
    #[arg(long, required = true)]
    req: Option<PathBuf>,
    /// Folder into which their answers go (`OQS…res….xml`)
    #[arg(long, required = true)]
    res: Option<PathBuf>,
    /// Folder into which `agent card` leaves answers; made when it is not there
    #[arg(long)]
    face: Option<PathBuf>,
    #[command(flatten)]
    line: Option<LineArgs>,
    /// Messages under way at once
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    connections: u8,
    /// End when no request waits any more
    #[arg(long)]
    once: bool,
    /// What is logged: error, warn, info, debug
    #[arg(long, default_value = "info")]
    log: String,
}

#[derive(Subcommand)]
enum AgentCommand {
    Card(CardArgs),
}

/// The service, and who we are to it.
#[derive(Args)]
struct LineArgs {
    /// The service, such as https://localhost:8443
    #[arg(long)]
    server: String,
    /// CA of the service's certificate, PEM
    #[arg(long)]
    ca: PathBuf,
    /// Our client certificate, PEM
    #[arg(long)]
    client: PathBuf,
    /// Its private key, PEM
    #[arg(long)]
    client_key: PathBuf,
}

/// Lays a card on the reader: asks with it and leaves the answer as a `face` file
#[derive(Args)]
#[command(
    after_help = "Example:\n  shikaku agent card --certificate demo-data/cards/good.der --key demo-data/cards/good.key.pem --face /oqs/face \\\n    --server https://localhost:8443 --ca demo-data/tls/ca.pem --client demo-data/clients/reception.pem --client-key demo-data/clients/reception-key.pem"
)]
struct CardArgs {
    /// The card's certificate, DER
    #[arg(long)]
    certificate: PathBuf,
    /// The card's private key, PEM
    #[arg(long)]
    key: PathBuf,
    /// How the visitor's identity was checked: pin, face, visual, device_biometric
    #[arg(long, default_value = "face")]
    identity_check: String,
    /// Folder into which the answer goes
    #[arg(long)]
    face: PathBuf,
    /// Encoding of the answer: UTF-8 or Shift_JIS
    #[arg(long, default_value = "UTF-8")]
    encoding: String,
    #[command(flatten)]
    line: LineArgs,
}

impl Agent {
    pub(super) fn run(&self) -> Result<(), CommandError> {
        match (&self.command, &self.req, &self.res, &self.line) {
            (Some(AgentCommand::Card(card)), ..) => card.run(),
            (None, Some(req), Some(res), Some(line)) => self.watch(req, res, line),
            _ => Err(CommandError::Usage("--req, --res and --server are needed".to_owned())),
        }
    }

    fn watch(&self, req: &Path, res: &Path, line: &LineArgs) -> Result<(), CommandError> {
        log_to_stderr(&self.log)?;
        let line = line.open()?;
        if let Some(face) = &self.face {
            std::fs::create_dir_all(face)
                .map_err(|error| CommandError::Environment(format!("{}: {error}", face.display())))?;
        }
        let folders = Folders::open(req, res).map_err(CommandError::environment)?;
        let how = Watch { connections: usize::from(self.connections), once: self.once };
        tracing::info!(req = %req.display(), res = %res.display(), "watching");
        agent::watch(&folders, &line, how).map_err(CommandError::environment)
    }
}

impl LineArgs {
    fn open(&self) -> Result<Line, CommandError> {
        Line::new(&self.server, &self.ca, &self.client, &self.client_key).map_err(CommandError::usage)
    }
}

impl CardArgs {
    fn run(&self) -> Result<(), CommandError> {
        let mut connection = self.line.open()?.connection().map_err(CommandError::environment)?;
        let query = |challenge: &str| {
            card::query(&self.certificate, &self.key, challenge, &self.identity_check)
                .map_err(|error| error.to_string())
        };
        let left = agent::leave(&mut connection, &self.face, &self.encoding, query);
        let path = left.map_err(|error| match error {
            FaceError::Refused(_) => CommandError::No(error.to_string()),
            FaceError::Card(_) | FaceError::Line(LineError::Setup { .. }) => CommandError::usage(error),
            FaceError::Line(LineError::Broken(_)) | FaceError::Folder { .. } => {
                CommandError::environment(error)
            }
        })?;
        println!("{}", path.display());
        Ok(())
    }
}
