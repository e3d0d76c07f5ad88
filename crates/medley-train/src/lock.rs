//! One process trains a run at a time. The system takes the lock back however the process ends.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::error::TrainError;

const LOCK: &str = "lock";

/// Holds a run until dropped.
#[derive(Debug)]
pub(crate) struct RunLock {
    _file: File,
}

impl RunLock {
    /// Takes the run in `folder`.
    ///
    /// # Errors
    /// Another process trains it.
    pub(crate) fn take(folder: &Path) -> Result<Self, TrainError> {
        let path = folder.join(LOCK);
        let file = File::create(&path).map_err(|error| TrainError::write(&path, error))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(TrainError::Busy { path: folder.to_owned() }),
            // A file system without locks: the run goes on unguarded.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Self { _file: file }),
        }
    }
}

/// Whether a process trains the run in `folder` now.
pub fn is_training(folder: &Path) -> bool {
    let Ok(file) = File::open(folder.join(LOCK)) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}
