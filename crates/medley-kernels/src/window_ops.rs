//! A map of tokens cut into windows, and windows joined to a map, as one operation each: each is the other's gradient.
//!
//! burn rolls a map by slices and a concatenation for each side and lays it out anew for the windows, and the gradient of a
//! slice is as large as what it was cut from.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{Shape, Tensor};

use crate::extension::{Float, float, values};
use crate::gradients::finish;
use crate::packed::WindowGrid;

/// What devices learn to do, with gradients where they have them.
#[backend_extension(
    Flex,
    Autodiff,
    Cube: cfg(any(feature = "cuda", feature = "vulkan")),
    Fusion: cfg(feature = "fusion")
)]
pub(crate) trait WindowOps: Backend {
    /// See [`cut_windows`].
    #[fusion(dtype = map, shape = grid.windows_shape(map))]
    fn cut(map: FloatTensor<Self>, grid: WindowGrid) -> FloatTensor<Self>;

    /// See [`join_windows`].
    #[fusion(dtype = windows, shape = grid.map_shape(windows))]
    fn join(windows: FloatTensor<Self>, grid: WindowGrid) -> FloatTensor<Self>;
}

impl WindowGrid {
    /// Windows of one map.
    fn count(&self) -> usize {
        self.windows().iter().product()
    }

    /// `[batch·windows, window², channels]` of `[batch, height, width, channels]`.
    pub(crate) fn windows_shape(&self, map: &Shape) -> Shape {
        Shape::new([map[0] * self.count(), self.window * self.window, map[3]])
    }

    /// The reverse of [`Self::windows_shape`].
    pub(crate) fn map_shape(&self, windows: &Shape) -> Shape {
        Shape::new([windows[0] / self.count().max(1), self.height, self.width, windows[2]])
    }
}

/// Windows of a map, rolled as `grid` says, with zeros where they reach beyond it; in training: on a device with gradients.
///
/// # Shapes
/// - map: `[batch, height, width, channels]`
/// - output: `[batch·windows, window², channels]`, row after row
///
/// # Panics
/// A map of other sides than those of `grid`, other numbers than f32 on the CPU: mistakes of the program.
pub fn cut_windows(map: Tensor<4>, grid: WindowGrid) -> Tensor<3> {
    let [_, height, width, _] = map.dims();
    assert_eq!([height, width], [grid.height, grid.width], "the sides of a map");
    Tensor::from_dispatch(Dispatch::cut(map.into_dispatch(), grid))
}

/// Undoes [`cut_windows`]; what lies beyond the map is dropped.
///
/// # Panics
/// Windows of another size than those of `grid`, other numbers than f32 on the CPU: mistakes of the program.
pub fn join_windows(windows: Tensor<3>, grid: WindowGrid) -> Tensor<4> {
    let [count, tokens, _] = windows.dims();
    assert!(
        tokens == grid.window * grid.window && count.is_multiple_of(grid.count()),
        "{count} windows of {tokens} tokens for {grid:?}"
    );
    Tensor::from_dispatch(Dispatch::join(windows.into_dispatch(), grid))
}

impl WindowOps for Flex {
    fn cut(map: Float, grid: WindowGrid) -> Float {
        let shape = grid.windows_shape(&map.shape());
        let map = map.to_contiguous();
        let channels = shape[2];
        let mut windows = vec![0.0; shape.num_elements()];
        for_each_token(grid, shape[0], |window, token| {
            let window = &mut windows[window * channels..][..channels];
            window.copy_from_slice(&values(&map)[token * channels..][..channels]);
        });
        float(windows, shape.to_vec())
    }

    fn join(windows: Float, grid: WindowGrid) -> Float {
        let of_windows = windows.shape();
        let shape = grid.map_shape(&of_windows);
        let windows = windows.to_contiguous();
        let channels = shape[3];
        let mut map = vec![0.0; shape.num_elements()];
        for_each_token(grid, of_windows[0], |window, token| {
            let map = &mut map[token * channels..][..channels];
            map.copy_from_slice(&values(&windows)[window * channels..][..channels]);
        });
        float(map, shape.to_vec())
    }
}

/// Hands over the place of each token in all windows, and in all maps. `count`: windows of all maps.
fn for_each_token(grid: WindowGrid, count: usize, mut found: impl FnMut(usize, usize)) {
    let tokens = grid.window * grid.window;
    let of_map = grid.count().max(1);
    for window in 0..count {
        let (map, inside) = (window / of_map, window % of_map);
        for (token, place) in grid.places(inside).into_iter().enumerate() {
            if let Some(place) = place {
                found(window * tokens + token, map * grid.height * grid.width + place);
            }
        }
    }
}

#[derive(Debug)]
struct CutGradient;

#[derive(Debug)]
struct JoinGradient;

impl<B: WindowOps> Backward<B, 1> for CutGradient {
    type State = WindowGrid;

    fn backward(self, ops: Ops<WindowGrid, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let [map] = ops.parents;
        if let Some(node) = map {
            grads.register::<B>(node.id, B::join(gradient, ops.state));
        }
    }
}

impl<B: WindowOps> Backward<B, 1> for JoinGradient {
    type State = WindowGrid;

    fn backward(self, ops: Ops<WindowGrid, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let [windows] = ops.parents;
        if let Some(node) = windows {
            grads.register::<B>(node.id, B::cut(gradient, ops.state));
        }
    }
}

impl<B: WindowOps, C: CheckpointStrategy> WindowOps for Autodiff<B, C> {
    fn cut(map: FloatTensor<Self>, grid: WindowGrid) -> FloatTensor<Self> {
        let (map, of_map) = map.into_parts();
        let output = B::cut(map, grid);
        finish::<B, C, _, _>(CutGradient, [of_map], grid, output)
    }

    fn join(windows: FloatTensor<Self>, grid: WindowGrid) -> FloatTensor<Self> {
        let (windows, of_windows) = windows.into_parts();
        let output = B::join(windows, grid);
        finish::<B, C, _, _>(JoinGradient, [of_windows], grid, output)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution};

    use super::*;

    #[test]
    fn each_is_the_transpose_of_the_other_and_joining_undoes_cutting() {
        let device = Device::flex().autodiff();
        let drawn = |shape: [usize; 4]| {
            Tensor::<4>::random(shape, Distribution::Default, &device).require_grad()
        };
        for (height, width, shift) in
            [(8, 8, [0, 0]), (5, 9, [2, 2]), (4, 12, [0, 2]), (3, 2, [0, 0])]
        {
            let grid = WindowGrid { height, width, window: 4, shift };
            let map = drawn([2, height, width, 3]);
            let joined = || join_windows(cut_windows(map.clone(), grid), grid);
            joined().inner().into_data().assert_eq(&map.clone().inner().into_data(), true);

            // ⟨cut(map), factors⟩ = ⟨map, its gradient⟩, and the gradient of joining what was cut is the factor itself.
            let windows = cut_windows(map.clone(), grid);
            let factors = Tensor::<3>::random(windows.dims(), Distribution::Default, &device);
            let product = (windows * factors).sum();
            let gradient = map.grad(&product.backward()).unwrap();
            let along = (map.clone().inner() * gradient).sum().into_scalar::<f32>();
            let product = product.inner().into_scalar::<f32>();
            assert!((along - product).abs() < 1e-4 * product.abs(), "{along} {product}");
            let factors = Tensor::<4>::random(map.dims(), Distribution::Default, &device);
            let gradient = map.grad(&(joined() * factors.clone()).sum().backward()).unwrap();
            gradient.into_data().assert_eq(&factors.inner().into_data(), true);
        }
    }
}
