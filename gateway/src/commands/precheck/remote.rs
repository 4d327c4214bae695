//! A check by a server: hand in the file, wait, take the results.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use ::claims::Summary;
use eligibility::day::Timestamp;
use http_body_util::BodyExt;
use hyper::{Method, StatusCode};
use indicatif::ProgressBar;
use serde::Deserialize;

use super::files::{Files, failed, is_uke};
use super::{CommandError, open, progress};
use crate::commands::remote::{Calls, FileBody, TRIES, pause};

/// How often a job is asked how far it is.
const ASK_EVERY: Duration = Duration::from_millis(500);

#[derive(Deserialize)]
struct Taken {
    id: String,
}

#[derive(Deserialize)]
struct JobState {
    state: String,
    progress: Progress,
    summary: Summary,
}

#[derive(Deserialize)]
struct Progress {
    claims: u64,
    judged: u64,
}

impl Calls {
    /// Hands the file in, waits for the end and stores the results.
    pub(super) async fn check(
        mut self,
        file: &Path,
        files: &Files,
        known_at: Option<Timestamp>,
    ) -> Result<Summary, CommandError> {
        let taken = self.hand_in(file, known_at).await?;
        let path = format!("/v1/prechecks/{}", taken.id);
        let summary = self.wait(&path).await?;
        self.fetch(&format!("{path}/results?format=ndjson"), files).await?;
        Ok(summary)
    }

    async fn hand_in(&mut self, file: &Path, known_at: Option<Timestamp>) -> Result<Taken, CommandError> {
        let asked = known_at.map(|at| format!("?known_at={}", at.to_string().replace('+', "%2B")));
        let path = format!("/v1/prechecks{}", asked.unwrap_or_default());
        let kind = if is_uke(file)? { "application/vnd.jp.uke" } else { "application/x-ndjson" };
        for _ in 0..TRIES {
            let opened = open(file)?;
            let octets = opened.metadata().map_or(0, |metadata| metadata.len());
            let bar = progress(file, octets);
            let body = FileBody::of(bar.wrap_read(opened));
            let reply = self.call(Method::POST, &path, Some(kind), body).await?;
            bar.finish_and_clear();
            if reply.status() == StatusCode::SERVICE_UNAVAILABLE {
                pause(&reply).await;
                continue;
            }
            return self.json(reply, StatusCode::ACCEPTED).await;
        }
        Err(CommandError::Environment(format!("{}: is busy; try again later", self.address)))
    }

    async fn wait(&mut self, path: &str) -> Result<Summary, CommandError> {
        let bar = ProgressBar::no_length();
        loop {
            let reply = self.get(path).await?;
            let job: JobState = self.json(reply, StatusCode::OK).await?;
            bar.set_length(job.progress.claims);
            bar.set_position(job.progress.judged);
            match job.state.as_str() {
                "done" => {
                    bar.finish_and_clear();
                    return Ok(job.summary);
                }
                "waiting" | "running" => tokio::time::sleep(ASK_EVERY).await,
                ended => return Err(CommandError::Environment(format!("{}: the job {ended}", self.address))),
            }
        }
    }

    async fn fetch(&mut self, path: &str, files: &Files) -> Result<(), CommandError> {
        let reply = self.get(path).await?;
        if reply.status() != StatusCode::OK {
            return Err(self.refused(reply).await);
        }
        let (store, mut body) = (files.results_path(), reply.into_body());
        let mut results = files.results()?;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| self.broken(&error))?;
            let octets = frame.into_data().unwrap_or_default();
            results.write_all(&octets).map_err(|error| failed(&store, &error))?;
        }
        results.flush().map_err(|error| failed(&store, &error))
    }
}
