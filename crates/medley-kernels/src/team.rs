//! Loops of some tenths of a millisecond, shared by threads that stay awake from one to the next.
//!
//! Rayon's threads fall asleep after a few microseconds without work, and waking one takes as long as half a layer. Here
//! the first loop of a pass asks rayon for helpers; they watch for the next loop for a while before they go back to rayon.

use crate::parallel::threads;

/// Pieces that a loop is cut into for each thread, at least: threads do not begin at the same time.
const PIECES: usize = 3;

/// How many of `count` units, a multiple of `unit` and at most `most`, make a piece.
pub(crate) fn share(count: usize, unit: usize, most: usize) -> usize {
    let pieces = if threads() == 1 { 1 } else { PIECES * threads() };
    count.div_ceil(pieces).next_multiple_of(unit).min(most)
}

/// Has the other threads begin to watch for loops, for it takes them a while: to be called some milliseconds before the first loop.
pub fn wake_threads() {
    #[cfg(feature = "rayon")]
    shared::ask(threads() - 1);
}

/// Calls `body` with each piece of `size` values and its number. A loop within a shared loop stays on its thread.
pub(crate) fn for_each_piece<T: Send>(
    values: &mut [T],
    size: usize,
    body: impl Fn(usize, &mut [T]) + Send + Sync,
) {
    #[cfg(feature = "rayon")]
    if threads() > 1 && values.len() > size {
        use std::sync::{Mutex, PoisonError};
        let pieces: Vec<Mutex<&mut [T]>> = values.chunks_mut(size).map(Mutex::new).collect();
        return shared::run(pieces.len(), &|index| {
            // No one else asks for this piece.
            let mut piece = pieces[index].lock().unwrap_or_else(PoisonError::into_inner);
            body(index, &mut piece);
        });
    }
    values.chunks_mut(size).enumerate().for_each(|(index, piece)| body(index, piece));
}

#[cfg(feature = "rayon")]
mod shared {
    use std::cell::UnsafeCell;
    use std::hint::spin_loop;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::Ordering::SeqCst;
    use std::sync::atomic::{AtomicBool, AtomicUsize};

    use super::threads;

    type Body<'a> = &'a (dyn Fn(usize) + Sync);

    /// How often a helper looks for a loop before it goes: for some milliseconds, as a picture is prepared between
    /// [`wake_threads`](super::wake_threads) and the first loop. In WebAssembly a look takes a few nanoseconds, elsewhere it
    /// tells the processor to wait a little.
    const PATIENCE: usize = if cfg!(target_arch = "wasm32") { 1 << 20 } else { 1 << 16 };

    /// How often the thread of the loop looks for the helpers' end before it lets others of its machine run.
    const LOOKS: usize = 1 << 12;

    /// The loop that is open to helpers, if one is.
    struct Team {
        /// Whether a thread has the helpers, or wants them.
        taken: AtomicBool,
        /// Odd while a loop is open; another number for each.
        turn: AtomicUsize,
        /// Written only by the thread that has `taken`, while the loop is closed and nobody is `inside`.
        job: UnsafeCell<Option<(Body<'static>, usize)>>,
        /// The piece that is taken next.
        next: AtomicUsize,
        /// Helpers that may be looking at `job`.
        inside: AtomicUsize,
        /// Helpers that are watching, or were asked for.
        helpers: AtomicUsize,
        /// Whether a helper's piece panicked.
        panicked: AtomicBool,
    }

    // SAFETY: `job` is read only by who is `inside` an open turn and written only as it says there.
    #[allow(unsafe_code)]
    unsafe impl Sync for Team {}

    static TEAM: Team = Team {
        taken: AtomicBool::new(false),
        turn: AtomicUsize::new(0),
        job: UnsafeCell::new(None),
        next: AtomicUsize::new(0),
        inside: AtomicUsize::new(0),
        helpers: AtomicUsize::new(0),
        panicked: AtomicBool::new(false),
    };

    /// Calls `body` with 0..count, on several threads. Returns when all calls have.
    ///
    /// # Panics
    /// Where a call does.
    pub(super) fn run(count: usize, body: Body<'_>) {
        if TEAM.taken.swap(true, SeqCst) {
            return (0..count).for_each(body);
        }
        // SAFETY: `Open` waits until nobody looks at it before this function ends, in whatever way.
        #[allow(unsafe_code)]
        let lasting = unsafe { std::mem::transmute::<Body<'_>, Body<'static>>(body) };
        // SAFETY: this thread has `taken`, the last loop was closed, and left when nobody was inside.
        #[allow(unsafe_code)]
        unsafe {
            *TEAM.job.get() = Some((lasting, count));
        }
        TEAM.next.store(0, SeqCst);
        TEAM.panicked.store(false, SeqCst);
        TEAM.turn.fetch_add(1, SeqCst);
        let open = Open;
        ask((threads() - 1).min(count - 1));
        work(count, body);
        drop(open);
        assert!(!TEAM.panicked.load(SeqCst), "a piece of a loop panicked on another thread");
    }

    /// Asks rayon for helpers, if fewer are watching.
    pub(super) fn ask(wanted: usize) {
        let caller = rayon::current_thread_index();
        for _ in TEAM.helpers.load(SeqCst)..wanted {
            TEAM.helpers.fetch_add(1, SeqCst);
            rayon::spawn(move || help(caller));
        }
    }

    /// Closes the loop when dropped, and waits for who is still inside.
    struct Open;

    impl Drop for Open {
        fn drop(&mut self) {
            TEAM.turn.fetch_add(1, SeqCst);
            let mut looks = 0usize;
            while TEAM.inside.load(SeqCst) != 0 {
                looks += 1;
                if looks.is_multiple_of(LOOKS) { std::thread::yield_now() } else { spin_loop() }
            }
            TEAM.taken.store(false, SeqCst);
        }
    }

    fn work(count: usize, body: Body<'_>) {
        loop {
            let index = TEAM.next.fetch_add(1, SeqCst);
            if index >= count {
                return;
            }
            body(index);
        }
    }

    /// On another thread than the `caller`'s: works on every loop that opens, until none has for a while.
    fn help(caller: Option<usize>) {
        let here = rayon::current_thread_index();
        let (mut seen, mut idle) = (0, 0);
        // Rayon may hand the call back to the thread that asked for it.
        while here != caller && idle < PATIENCE {
            let turn = TEAM.turn.load(SeqCst);
            if turn.is_multiple_of(2) || turn == seen {
                idle += 1;
                spin_loop();
                continue;
            }
            TEAM.inside.fetch_add(1, SeqCst);
            // The loop's thread first closes its turn and then counts who is inside: if it is open still, it will wait.
            if TEAM.turn.load(SeqCst) == turn {
                // SAFETY: nobody writes it while this thread is inside an open turn.
                #[allow(unsafe_code)]
                let job = unsafe { *TEAM.job.get() };
                let done = catch_unwind(AssertUnwindSafe(|| {
                    if let Some((body, count)) = job {
                        work(count, body);
                    }
                }));
                if done.is_err() {
                    TEAM.panicked.store(true, SeqCst);
                }
            }
            TEAM.inside.fetch_sub(1, SeqCst);
            (seen, idle) = (turn, 0);
        }
        TEAM.helpers.fetch_sub(1, SeqCst);
    }
}

#[cfg(all(test, feature = "rayon"))]
mod tests {
    use std::collections::HashSet;
    use std::sync::Mutex;
    use std::thread::{ThreadId, current, scope, sleep};
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_piece_is_visited_once_loop_after_loop_from_several_threads() {
        scope(|scope| {
            for thread in 0..3 {
                scope.spawn(move || {
                    for round in 0..2000 {
                        let mut values = vec![0; 1 + (round * 7 + thread) % 50];
                        for_each_piece(&mut values, 3, |index, piece| {
                            for value in piece {
                                *value += index + round;
                            }
                        });
                        for (at, value) in values.iter().enumerate() {
                            assert_eq!(*value, at / 3 + round);
                        }
                    }
                });
            }
        });
    }

    #[test]
    fn threads_share_a_loop_and_loops_within_it_are_whole() {
        if threads() == 1 {
            return;
        }
        let seen: Mutex<HashSet<ThreadId>> = Mutex::default();
        // Other tests may have the helpers for a moment.
        for _ in 0..100 {
            for_each_piece(&mut [0; 8], 1, |_, _| {
                seen.lock().unwrap().insert(current().id());
                let mut within = [0; 4];
                for_each_piece(&mut within, 1, |index, piece| piece[0] = index);
                assert_eq!(within, [0, 1, 2, 3]);
                sleep(Duration::from_millis(1));
            });
            if seen.lock().unwrap().len() > 1 {
                return;
            }
        }
        panic!("a single thread took all pieces");
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_next_loop_runs() {
        for _ in 0..20 {
            let outcome = std::panic::catch_unwind(|| {
                for_each_piece(&mut [0; 16], 1, |index, _| {
                    sleep(Duration::from_micros(50));
                    assert_ne!(index, 11, "the piece that is wrong");
                });
            });
            assert!(outcome.is_err());
            let mut values = [0; 16];
            for_each_piece(&mut values, 1, |index, piece| piece[0] = index);
            assert!(values.iter().copied().eq(0..16));
        }
    }
}
