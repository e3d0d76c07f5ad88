//! The mean of the gradients over the replicas of a model, one on each device.
//!
//! Every replica has its own part of a step's images and the same weights; with the mean of all gradients each of them takes
//! the same step. From card to card it goes by burn's collective operation, which is NCCL's all-reduce, and through the
//! processor's memory where there is none.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::distributed::{ReduceOperation, all_reduce};
use burn::tensor::{Device, Tensor, TensorData};
use medley_model::MedleyModel;

use crate::error::TrainError;
use crate::quietly::quietly;
use crate::step::floats;

/// How gradients come from one device to the others.
#[derive(Debug, Clone, PartialEq)]
enum Road {
    /// By NCCL, among these devices.
    Collective(Vec<Device>),
    /// Through the processor's memory.
    Memory,
}

impl Road {
    /// NCCL where every device has it and no device stands twice, which NCCL refuses.
    fn between(devices: &[Device]) -> Self {
        let once = (1..devices.len()).all(|i| !devices[..i].contains(&devices[i]));
        if once && devices.iter().all(has_collectives) {
            Self::Collective(devices.to_vec())
        } else {
            Self::Memory
        }
    }
}

/// Whether burn moves values from this device to others by itself: tried with the device alone, as burn panics where it
/// does not.
pub(crate) fn has_collectives(device: &Device) -> bool {
    let tried = quietly(|| {
        let two = Tensor::<1>::ones([1], device) * 2.0;
        let mean = all_reduce(two, ReduceOperation::Mean, vec![device.clone()]).resolve();
        mean.try_into_scalar::<f32>().is_ok_and(|value| value == 2.0)
    });
    tried.unwrap_or(false)
}

/// What the replicas of one training share.
struct Group {
    replicas: usize,
    road: Road,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// How often all of them have met.
    meetings: u64,
    /// Those that wait for the others.
    arrived: usize,
    /// One of them will not come any more.
    broken: bool,
    /// By rank, what came through memory.
    parts: Vec<Vec<f32>>,
}

/// One replica's place among all.
pub(crate) struct Member {
    group: Arc<Group>,
    rank: usize,
}

impl Member {
    /// A place for each of these devices, which are without autodiff.
    pub(crate) fn of_all(devices: &[Device]) -> Vec<Self> {
        Self::on(Road::between(devices), devices.len())
    }

    fn on(road: Road, replicas: usize) -> Vec<Self> {
        let state = State { parts: vec![Vec::new(); replicas], ..State::default() };
        let changed = Condvar::new();
        let group = Arc::new(Group { replicas, road, state: Mutex::new(state), changed });
        (0..replicas).map(|rank| Self { group: Arc::clone(&group), rank }).collect()
    }

    /// The mean of every replica's gradients of `model`'s parameters. All replicas have to ask for it, in the same order, with
    /// gradients of the same parameters.
    ///
    /// # Errors
    /// Another replica that ended, gradients of other parameters, a device that does not answer.
    pub(crate) fn mean(
        &self,
        gradients: GradientsParams,
        model: &MedleyModel,
    ) -> Result<GradientsParams, TrainError> {
        let Some(flat) = flat(&gradients, model) else { return Ok(gradients) };
        let mean = match &self.group.road {
            Road::Collective(devices) => {
                // Nobody begins who would wait for one that is gone: NCCL never gives up.
                self.meet()?;
                all_reduce(flat, ReduceOperation::Mean, devices.clone()).resolve()
            }
            Road::Memory => self.mean_in_memory(flat)?,
        };
        let mut put = Put { old: gradients, mean, at: 0, new: GradientsParams::new() };
        model.visit(&mut put);
        Ok(put.new)
    }

    /// In the order of the ranks, so that each replica adds up the same numbers in the same order.
    fn mean_in_memory(&self, flat: Tensor<1>) -> Result<Tensor<1>, TrainError> {
        let device = flat.device();
        let own = floats(flat)?;
        let count = own.len();
        self.state().parts[self.rank] = own;
        self.meet()?;
        let mut mean = vec![0.0; count];
        {
            let state = self.state();
            for part in &state.parts {
                if part.len() != count {
                    return Err(TrainError::Device(format!(
                        "replicas have gradients of {} and {count} weights; their batches must hold the same tasks",
                        part.len()
                    )));
                }
                mean.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
            }
        }
        let share = 1.0 / self.group.replicas as f32;
        mean.iter_mut().for_each(|sum| *sum *= share);
        // Until all have read, nobody puts the next ones there.
        self.meet()?;
        Ok(Tensor::from_data(TensorData::new(mean, [count]), &device))
    }

    /// Waits until every replica is here.
    fn meet(&self) -> Result<(), TrainError> {
        let mut state = self.state();
        state.arrived += 1;
        if state.arrived == self.group.replicas && !state.broken {
            state.arrived = 0;
            state.meetings += 1;
            self.group.changed.notify_all();
            return Ok(());
        }
        let meeting = state.meetings;
        while state.meetings == meeting {
            if state.broken {
                return Err(TrainError::Alone);
            }
            state = self.group.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// Tells the others not to wait for this one any more.
    pub(crate) fn leave(&self) {
        self.state().broken = true;
        self.group.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is whole at every point at which a thread could panic.
        self.group.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.leave();
    }
}

/// All gradients of a model's parameters in one row, or none if there is none.
pub(crate) fn flat(gradients: &GradientsParams, model: &MedleyModel) -> Option<Tensor<1>> {
    let mut taken = Take { gradients, flat: Vec::new() };
    model.visit(&mut taken);
    (!taken.flat.is_empty()).then(|| Tensor::cat(taken.flat, 0))
}

/// Takes a model's gradients, flat, in the order in which modules are walked: every replica has identifiers of its own.
struct Take<'a> {
    gradients: &'a GradientsParams,
    flat: Vec<Tensor<1>>,
}

impl ModuleVisitor for Take<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            let count = gradient.shape().num_elements();
            self.flat.push(gradient.reshape([count]));
        }
    }
}

/// Puts the mean in their place.
struct Put {
    old: GradientsParams,
    mean: Tensor<1>,
    at: usize,
    new: GradientsParams,
}

impl ModuleVisitor for Put {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(old) = self.old.remove::<D>(param.id) {
            let shape = old.shape();
            let count = shape.num_elements();
            let mean: Tensor<D> = self.mean.clone().narrow(0, self.at, count).reshape(shape);
            self.new.register(param.id, mean);
            self.at += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    use medley_model::ModelConfig;

    /// A model whose every parameter has this number as its gradient, but for the first `without`.
    fn with_gradients(value: f32, without: usize) -> (MedleyModel, GradientsParams) {
        struct Fill(f32, usize, GradientsParams);
        impl ModuleVisitor for Fill {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                if self.1 > 0 {
                    self.1 -= 1;
                } else if param.is_require_grad() {
                    self.2.register(param.id, param.val().inner().full_like(self.0));
                }
            }
        }
        let device = Device::flex().autodiff();
        let model = ModelConfig::micro(Vec::new()).init(&device).expect("a model");
        let mut fill = Fill(value, without, GradientsParams::new());
        model.visit(&mut fill);
        (model, fill.2)
    }

    fn all(model: &MedleyModel, gradients: &GradientsParams) -> Vec<f32> {
        let flat = flat(gradients, model).expect("gradients");
        flat.into_data().try_into_vec::<f32>().expect("f32")
    }

    #[test]
    fn every_replica_has_the_mean_again_and_again() {
        let _alone = crate::alone::alone();
        let members = Member::on(Road::Memory, 3);
        let means: Vec<Vec<f32>> = thread::scope(|scope| {
            let threads: Vec<_> = members
                .iter()
                .map(|member| {
                    scope.spawn(move || {
                        let mut found = Vec::new();
                        for round in 0..4 {
                            let value = (member.rank * 3 + round) as f32;
                            let (model, gradients) = with_gradients(value, 0);
                            let count = all(&model, &gradients).len();
                            let mean = member.mean(gradients, &model).expect("the mean");
                            let mean = all(&model, &mean);
                            assert_eq!(mean.len(), count);
                            assert!(mean.iter().all(|value| *value == mean[0]));
                            found.push(mean[0]);
                        }
                        found
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("a thread")).collect()
        });
        // (0 + 3 + 6) / 3 and the round's number.
        assert_eq!(means, vec![vec![3.0, 4.0, 5.0, 6.0]; 3]);
    }

    #[test]
    fn nobody_waits_for_one_that_left() {
        let _alone = crate::alone::alone();
        let mut members = Member::on(Road::Memory, 2);
        let gone = members.pop();
        thread::scope(|scope| {
            let waits = scope.spawn(|| {
                let (model, gradients) = with_gradients(1.0, 0);
                members[0].mean(gradients, &model).err()
            });
            drop(gone);
            let found = waits.join().expect("a thread");
            assert!(matches!(found, Some(TrainError::Alone)), "{found:?}");
        });
    }

    #[test]
    fn gradients_of_other_parameters_are_an_error_for_all() {
        let _alone = crate::alone::alone();
        let members = Member::on(Road::Memory, 2);
        let found: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = members
                .iter()
                .map(|member| {
                    scope.spawn(move || {
                        let (model, gradients) = with_gradients(1.0, member.rank);
                        member.mean(gradients, &model).err().map(|error| error.to_string())
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("a thread")).collect()
        });
        for error in found {
            assert!(error.expect("an error").contains("must hold the same tasks"));
        }
    }

    #[test]
    fn a_device_that_stands_twice_and_the_processor_have_no_collectives() {
        let _alone = crate::alone::alone();
        let cpu = Device::flex();
        assert_eq!(Road::between(&[cpu.clone(), cpu.clone()]), Road::Memory);
        assert!(!has_collectives(&cpu));
    }
}
