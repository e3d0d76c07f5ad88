//! Work that may panic because a machine lacks something: burn starts devices so.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::{Arc, Mutex, PoisonError};

/// What is said of a panic is set for the whole process.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Does it without a word on the terminal, and answers what it answers.
///
/// # Errors
/// The first line of what the first panic said, on whichever thread: those after it only tell that somebody was waiting.
pub fn quietly<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let first = Arc::new(Mutex::new(None));
    let said = Arc::clone(&first);
    let loud = take_hook();
    set_hook(Box::new(move |panic| {
        let text = panic.payload_as_str().unwrap_or("no reason given");
        let mut first = said.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| text.lines().next().unwrap_or_default().to_owned());
    }));
    let done = catch_unwind(AssertUnwindSafe(work));
    set_hook(loud);
    let first = first.lock().unwrap_or_else(PoisonError::into_inner).take();
    done.map_err(|_| first.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_panic_is_told_and_not_who_waited_for_it() {
        let waits = || {
            let thread = std::thread::spawn(|| panic!("no driver\nsearched here and there"));
            thread.join().expect("an answer")
        };
        assert_eq!(quietly(waits), Err("no driver".into()));
        assert_eq!(quietly(|| 3), Ok(3));
    }
}
