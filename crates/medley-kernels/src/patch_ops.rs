//! Patches under a convolution's kernel, side by side, and their sum back into a map: each is the other's gradient.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::Tensor;

use crate::extension::{Float, float, values};
use crate::gradients::finish;
use crate::patches::Geometry;

/// What devices learn to do.
#[backend_extension(
    Flex,
    Autodiff,
    Cube: cfg(any(feature = "cuda", feature = "vulkan")),
    Fusion: cfg(feature = "fusion")
)]
pub(crate) trait PatchOps: Backend {
    /// See [`unroll`].
    #[fusion(dtype = map, shape = geometry.patches_shape(map[0]).into())]
    fn unroll(map: FloatTensor<Self>, geometry: Geometry) -> FloatTensor<Self>;

    /// Adds each value of the patches to the place of the map that it came from.
    #[fusion(dtype = patches, shape = geometry.map_shape(patches[0]).into())]
    fn roll(patches: FloatTensor<Self>, geometry: Geometry) -> FloatTensor<Self>;
}

impl Geometry {
    /// `[batch, patch, places]`
    pub(crate) fn patches_shape(&self, batch: usize) -> [usize; 3] {
        [batch, self.patch(), self.out_height() * self.out_width()]
    }

    /// `[batch, channels, height, width]`
    pub(crate) fn map_shape(&self, batch: usize) -> [usize; 4] {
        [batch, self.channels, self.height, self.width]
    }
}

/// What a kernel meets at each place of a map, with zeros around it: `[batch, channels · kernel², places]`, in the order of a
/// convolution's weights.
///
/// # Shapes
/// - map: `[batch, channels, height, width]`
pub(crate) fn unroll(map: Tensor<4>, kernel: usize, stride: usize) -> Tensor<3> {
    let [_, channels, height, width] = map.dims();
    let geometry = Geometry { channels, height, width, kernel, stride };
    Tensor::from_dispatch(Dispatch::unroll(map.into_dispatch(), geometry))
}

impl PatchOps for Flex {
    fn unroll(map: Float, geometry: Geometry) -> Float {
        let [batch, patch, places] = geometry.patches_shape(map.shape()[0]);
        let map = map.to_contiguous();
        let mut patches = vec![0.0; batch * patch * places];
        let one = (geometry.channels * geometry.height * geometry.width).max(1);
        for (map, patches) in
            values(&map).chunks_exact(one).zip(patches.chunks_exact_mut((patch * places).max(1)))
        {
            geometry.gather(map, 0..geometry.out_height(), patches);
        }
        float(patches, vec![batch, patch, places])
    }

    fn roll(patches: Float, geometry: Geometry) -> Float {
        let shape = geometry.map_shape(patches.shape()[0]);
        let patches = patches.to_contiguous();
        let mut map = vec![0.0; shape.iter().product()];
        let one = (geometry.patch() * geometry.out_height() * geometry.out_width()).max(1);
        let size = (geometry.channels * geometry.height * geometry.width).max(1);
        for (patches, map) in values(&patches).chunks_exact(one).zip(map.chunks_exact_mut(size)) {
            geometry.scatter(patches, 0..geometry.out_height(), map);
        }
        float(map, shape.to_vec())
    }
}

#[derive(Debug)]
struct UnrollGradient;

#[derive(Debug)]
struct RollGradient;

impl<B: PatchOps> Backward<B, 1> for UnrollGradient {
    type State = Geometry;

    fn backward(self, ops: Ops<Geometry, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let [map] = ops.parents;
        if let Some(node) = map {
            grads.register::<B>(node.id, B::roll(gradient, ops.state));
        }
    }
}

impl<B: PatchOps> Backward<B, 1> for RollGradient {
    type State = Geometry;

    fn backward(self, ops: Ops<Geometry, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let [patches] = ops.parents;
        if let Some(node) = patches {
            grads.register::<B>(node.id, B::unroll(gradient, ops.state));
        }
    }
}

impl<B: PatchOps, C: CheckpointStrategy> PatchOps for Autodiff<B, C> {
    fn unroll(map: FloatTensor<Self>, geometry: Geometry) -> FloatTensor<Self> {
        let (map, of_map) = map.into_parts();
        let output = B::unroll(map, geometry);
        finish::<B, C, _, _>(UnrollGradient, [of_map], geometry, output)
    }

    fn roll(patches: FloatTensor<Self>, geometry: Geometry) -> FloatTensor<Self> {
        let (patches, of_patches) = patches.into_parts();
        let output = B::roll(patches, geometry);
        finish::<B, C, _, _>(RollGradient, [of_patches], geometry, output)
    }
}
