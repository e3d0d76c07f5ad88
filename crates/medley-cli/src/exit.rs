//! How the program ends: one exit code for each kind of end, decided by the error's type.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use medley_data::DataError;
use medley_data::import::ImportError;
use medley_dicom::DicomError;
use medley_export::ExportError;
use medley_infer::{ImageError, InferError};
use medley_package::PackageError;
use medley_train::TrainError;

use crate::say;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All was done.
    Done,
    /// Something failed that is not the input's fault.
    Failed,
    /// An image, a package, a file or a name is not what it should be.
    BadInput,
    /// Stopped by Ctrl-C, as shells count it: 128 + SIGINT.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::BadInput => 2,
            Exit::Interrupted => 130,
        })
    }
}

/// Input that the command line itself finds wrong; the text says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadInput(pub String);

/// What ends a whole run: where results go cannot take them any more.
#[derive(Debug, thiserror::Error)]
#[error("the results cannot be written")]
pub struct Fatal;

impl Exit {
    /// The end of a run over many inputs, after one more: bad input is what the caller can mend, so it wins over
    /// another failure.
    pub fn worse(self, other: Self) -> Self {
        if self == Self::Done || other == Self::BadInput { other } else { self }
    }

    /// The end that an error asks for: that of the first cause whose type says whose fault it is.
    pub fn of(error: &anyhow::Error) -> Self {
        error.chain().find_map(of_cause).unwrap_or(Self::Failed)
    }
}

/// Says on stderr what went wrong.
pub fn report(error: &anyhow::Error) -> Exit {
    let exit = Exit::of(error);
    // Whoever read stdout has gone, as `head` does: they have all they wanted.
    if exit != Exit::Done {
        say::note(format_args!("medley: {}", message(error)));
    }
    exit
}

/// The error and its causes on one line; a cause that the text before it quotes is not repeated.
pub fn message(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        let cause = cause.trim_end();
        if text.is_empty() {
            text = cause.to_owned();
        } else if !text.contains(cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

fn of_cause(cause: &(dyn Error + 'static)) -> Option<Exit> {
    if cause.is::<BadInput>() || cause.is::<ImageError>() || cause.is::<DicomError>() {
        return Some(Exit::BadInput);
    }
    if let Some(error) = cause.downcast_ref::<PackageError>() {
        return Some(of_package(error));
    }
    if let Some(error) = cause.downcast_ref::<InferError>() {
        return Some(of_inference(error));
    }
    if let Some(error) = cause.downcast_ref::<ImportError>() {
        return Some(match error {
            ImportError::Stopped => Exit::Interrupted,
            ImportError::Write { .. } => Exit::Failed,
            ImportError::Data(error) => of_data(error),
            _ => Exit::BadInput,
        });
    }
    if let Some(error) = cause.downcast_ref::<DataError>() {
        return Some(of_data(error));
    }
    if let Some(error) = cause.downcast_ref::<TrainError>() {
        return Some(match error {
            TrainError::Config { .. }
            | TrainError::Model(_)
            | TrainError::File { .. }
            | TrainError::Protocol(_)
            | TrainError::Leak { .. }
            | TrainError::ForeignCheckpoint { .. } => Exit::BadInput,
            TrainError::Data(error) => of_data(error),
            TrainError::Infer(error) => of_inference(error),
            _ => Exit::Failed,
        });
    }
    if cause.is::<ExportError>() {
        return Some(Exit::Failed);
    }
    let pipe = cause.downcast_ref::<io::Error>()?.kind() == io::ErrorKind::BrokenPipe;
    pipe.then_some(Exit::Done)
}

fn of_package(error: &PackageError) -> Exit {
    match error {
        PackageError::Io { action: "opening" | "reading", .. } => Exit::BadInput,
        PackageError::Io { .. } => Exit::Failed,
        _ => Exit::BadInput,
    }
}

fn of_inference(error: &InferError) -> Exit {
    match error {
        InferError::Device { .. }
        | InferError::NotFinite { .. }
        | InferError::Cancelled
        | InferError::Report { .. } => Exit::Failed,
        _ => Exit::BadInput,
    }
}

fn of_data(error: &DataError) -> Exit {
    match error {
        DataError::Worker(_) => Exit::Failed,
        _ => Exit::BadInput,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;

    #[test]
    fn the_type_of_a_cause_decides_also_below_context() {
        let image = || ImageError::Empty { width: 0, height: 1 };
        assert_eq!(Exit::of(&anyhow!(image())), Exit::BadInput);
        assert_eq!(Exit::of(&anyhow!(image()).context("a.png")), Exit::BadInput);
        let unknown = InferError::UnknownTask { name: "x".into(), existing: vec![] };
        assert_eq!(Exit::of(&TrainError::from(unknown).into()), Exit::BadInput);
        assert_eq!(Exit::of(&InferError::Cancelled.into()), Exit::Failed);
        assert_eq!(Exit::of(&anyhow!("anything else")), Exit::Failed);
        let pipe = io::Error::from(io::ErrorKind::BrokenPipe);
        assert_eq!(Exit::of(&pipe.into()), Exit::Done);
        let io = |action| PackageError::Io {
            path: "x".into(),
            action,
            source: io::Error::from(io::ErrorKind::NotFound),
        };
        assert_eq!(Exit::of(&io("opening").into()), Exit::BadInput);
        assert_eq!(Exit::of(&io("writing").into()), Exit::Failed);
    }

    #[test]
    fn a_cause_is_said_once() {
        let source = io::Error::new(io::ErrorKind::NotFound, "no such thing");
        let error = PackageError::Io { path: "m.json".into(), action: "opening", source };
        let text = message(&Err::<(), _>(error).context("models/x").unwrap_err());
        assert_eq!(text.matches("no such thing").count(), 1, "{text}");
        assert!(text.starts_with("models/x: m.json: opening failed"), "{text}");
    }
}
