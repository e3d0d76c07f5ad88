//! Threads: workers of the browser that share this module's memory.
//!
//! The crate `wasm-bindgen-rayon` does the same, but starts its workers from a blob, which a strict content policy
//! forbids, or by an import that only a bundler resolves. Here the workers are the package's own file
//! (`web/ts/thread.ts`): each starts this module on the shared memory, says that it is there, and calls [`run_thread`];
//! when all are there, [`start_threads`] gives them their work.

use std::sync::{Condvar, Mutex, PoisonError};

use rayon::{ThreadBuilder, ThreadPoolBuilder};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::WebError;

/// Threads that were asked for and that no worker has taken up yet.
static ASKED: Mutex<Vec<ThreadBuilder>> = Mutex::new(Vec::new());
static ADDED: Condvar = Condvar::new();

/// Spreads all further work over so many threads, of which the calling one is the first. All the others must have called
/// [`run_thread`] or be about to: this waits for them.
///
/// # Errors
/// Threads were started before.
#[wasm_bindgen(js_name = startThreads)]
pub fn start_threads(threads: usize) -> Result<(), WebError> {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .use_current_thread()
        .spawn_handler(|thread| {
            ASKED.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
            ADDED.notify_one();
            Ok(())
        })
        .build_global()
        .map_err(|error| WebError::Threads(error.to_string()))
}

/// In a worker: computes what the other threads hand over, for as long as the worker lives. Does not return, and blocks the
/// worker's event loop.
#[wasm_bindgen(js_name = runThread)]
pub fn run_thread() {
    let mut asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
    let thread = loop {
        match asked.pop() {
            Some(thread) => break thread,
            None => asked = ADDED.wait(asked).unwrap_or_else(PoisonError::into_inner),
        }
    };
    drop(asked);
    thread.run();
}
