//! The replicas on a run's further devices, each on a thread of its own.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use medley_data::MixedBatch;

use crate::error::TrainError;
use crate::replica::{NamedLosses, Replica};

/// All replicas but the first, which the trainer keeps.
pub(crate) struct Crew {
    hands: Vec<Hand>,
}

struct Hand {
    orders: Option<Sender<Order>>,
    answers: Receiver<Result<NamedLosses, TrainError>>,
    thread: Option<JoinHandle<()>>,
}

/// A step, its number from 0, and its batches.
struct Order {
    step: u64,
    batches: Vec<MixedBatch>,
}

impl Crew {
    /// Starts a thread for each. It stays for the whole run: burn keeps memory and a queue of work for each thread.
    pub(crate) fn start(replicas: Vec<Replica>) -> Self {
        Self { hands: replicas.into_iter().map(Hand::start).collect() }
    }

    /// How many they are.
    pub(crate) fn len(&self) -> usize {
        self.hands.len()
    }

    /// Begins a step on all of them; `batches`: for each its own.
    pub(crate) fn begin(&self, step: u64, batches: Vec<Vec<MixedBatch>>) {
        for (hand, batches) in self.hands.iter().zip(batches) {
            // One that is gone is heard of when its answer is asked for.
            let _ = hand.orders.as_ref().map(|orders| orders.send(Order { step, batches }));
        }
    }

    /// The losses of each once its step is done.
    ///
    /// # Errors
    /// The first that failed for a reason of its own, or else that another one ended.
    pub(crate) fn end(&self) -> Result<Vec<NamedLosses>, TrainError> {
        let answers: Vec<_> = self.hands.iter().map(Hand::answer).collect();
        let mut all = Vec::with_capacity(answers.len());
        let mut alone = None;
        for answer in answers {
            match answer {
                Ok(losses) => all.push(losses),
                Err(TrainError::Alone) => alone = Some(TrainError::Alone),
                Err(error) => return Err(error),
            }
        }
        alone.map_or(Ok(all), Err)
    }
}

impl Hand {
    fn start(mut replica: Replica) -> Self {
        let (orders, taken) = channel::<Order>();
        let (answer, answers) = channel();
        let thread = std::thread::spawn(move || {
            while let Ok(Order { step, batches }) = taken.recv() {
                let mut batches = batches.into_iter();
                let mut next = || batches.next().ok_or(TrainError::Alone);
                if answer.send(replica.step(step, &mut next)).is_err() {
                    break;
                }
            }
        });
        Self { orders: Some(orders), answers, thread: Some(thread) }
    }

    fn answer(&self) -> Result<NamedLosses, TrainError> {
        let gone = |_| {
            TrainError::Device(
                "the thread of a further device ended; its message stands above".into(),
            )
        };
        self.answers.recv().map_err(gone)?
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        // Without orders the thread ends.
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
