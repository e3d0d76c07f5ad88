//! A convolution, or a linear layer as one of a single pixel, with what follows it: each thread computes four channels of some
//! places, from registers.

use burn::backend::cubecl::dtype_to_storage_type;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata, backend_extension};
use burn::tensor::Shape as Dimensions;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeBackend, cubecl};
use cubecl::prelude::*;

use super::LANES;
use crate::cube::of_shape;
use crate::packed::{Activation, Shape};

/// Places of a thread: each vector of weights is read once for all of them.
const PLACES: usize = 8;

/// Threads of a block, side by side and one below the other: 32 channels of 64 places.
const BLOCK: [u32; 2] = [8, 8];

/// What devices learn to do; see [`super::GpuConv`].
#[backend_extension(Cube)]
pub(crate) trait ProductOps: Backend {
    fn convolve(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        shape: Shape,
        activation: Activation,
    ) -> FloatTensor<Self>;

    fn convolve_and_add(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        shape: Shape,
        activation: Activation,
    ) -> FloatTensor<Self>;
}

impl ProductOps for CubeBackend {
    fn convolve(
        input: CubeTensor,
        weight: CubeTensor,
        bias: CubeTensor,
        shape: Shape,
        activation: Activation,
    ) -> CubeTensor {
        convolve(input, weight, bias, None, shape, activation)
    }

    fn convolve_and_add(
        input: CubeTensor,
        weight: CubeTensor,
        bias: CubeTensor,
        residual: CubeTensor,
        shape: Shape,
        activation: Activation,
    ) -> CubeTensor {
        convolve(input, weight, bias, Some(residual), shape, activation)
    }
}

/// Sides of a map, in pixels, and how the kernel goes over it.
#[derive(CubeLaunch, CubeType)]
struct Way {
    height: usize,
    width: usize,
    out_height: usize,
    out_width: usize,
    kernel: usize,
    stride: usize,
    pad: usize,
}

#[cube(launch_unchecked)]
fn convolve_kernel<F: Float, N: Size>(
    // `[batch, height, width, channels]`
    input: &Tensor<Vector<F, N>>,
    // `[kernel, kernel, channels, channels_out]`
    weight: &Tensor<Vector<F, N>>,
    bias: &Tensor<Vector<F, N>>,
    residual: &Tensor<Vector<F, N>>,
    output: &mut Tensor<Vector<F, N>>,
    way: &Way,
    // Places of the output, in all maps.
    places: usize,
    // Vectors of a place of the input, and of the output.
    depth: usize,
    columns: usize,
    // Whether the output's places are the input's.
    #[comptime] pointwise: bool,
    #[comptime] added: bool,
    #[comptime] activation: Activation,
    #[define(F)] _dtype: ElemType,
) {
    let column = ABSOLUTE_POS_X as usize;
    let first = ABSOLUTE_POS_Y as usize * PLACES;
    if column >= columns || first >= places {
        terminate!();
    }
    let mut sums = Array::<Vector<F, N>>::new(PLACES);
    // Of each place: its map's first pixel, and its corner in that map, one more than the border further.
    let mut maps = Array::<usize>::new(PLACES);
    let mut tops = Array::<usize>::new(PLACES);
    let mut lefts = Array::<usize>::new(PLACES);
    #[unroll]
    for index in 0..PLACES {
        sums[index] = bias[column];
        // Beyond the last place it is computed once more, and not written.
        let mut place = first + index;
        if place >= places {
            place = places - 1;
        }
        if pointwise {
            maps[index] = place;
            tops[index] = 0usize;
            lefts[index] = 0usize;
        } else {
            let in_map = place % (way.out_height * way.out_width);
            maps[index] = place / (way.out_height * way.out_width) * way.height * way.width;
            tops[index] = in_map / way.out_width * way.stride;
            lefts[index] = in_map % way.out_width * way.stride;
        }
    }
    let mut at = column;
    for tap in 0..way.kernel * way.kernel {
        let mut starts = Array::<usize>::new(PLACES);
        let mut inside = Array::<bool>::new(PLACES);
        #[unroll]
        for index in 0..PLACES {
            if pointwise {
                starts[index] = maps[index] * depth;
                inside[index] = true;
            } else {
                let y = tops[index] + tap / way.kernel;
                let x = lefts[index] + tap % way.kernel;
                let there = y >= way.pad
                    && y < way.height + way.pad
                    && x >= way.pad
                    && x < way.width + way.pad;
                let mut start = 0usize;
                if there {
                    start = (maps[index] + (y - way.pad) * way.width + x - way.pad) * depth;
                }
                starts[index] = start;
                inside[index] = there;
            }
        }
        for step in 0..depth {
            let mut weights = Array::<Vector<F, N>>::new(LANES);
            #[unroll]
            for lane in 0..LANES {
                weights[lane] = weight[at];
                at += columns;
            }
            #[unroll]
            for index in 0..PLACES {
                let mut values = Vector::<F, N>::new(F::new(0.0));
                if pointwise {
                    values = input[starts[index] + step];
                } else {
                    if inside[index] {
                        values = input[starts[index] + step];
                    }
                }
                let mut sum = sums[index];
                #[unroll]
                for lane in 0..LANES {
                    sum = fma(Vector::<F, N>::new(values.extract(lane)), weights[lane], sum);
                }
                sums[index] = sum;
            }
        }
    }
    #[unroll]
    for index in 0..PLACES {
        if first + index < places {
            let target = (first + index) * columns + column;
            let mut sum = sums[index];
            if added {
                sum += residual[target];
            }
            if comptime!(activation == Activation::Relu) {
                sum = sum.max(Vector::<F, N>::new(F::new(0.0)));
            }
            if comptime!(activation == Activation::Gelu) {
                let half = Vector::<F, N>::new(F::new(0.5));
                let inner = sum * Vector::<F, N>::new(F::new(0.707_106_77));
                sum = half * sum * (Vector::<F, N>::new(F::new(1.0)) + Erf::erf(inner));
            }
            output[target] = sum;
        }
    }
}

/// One layer on maps whose channels lie side by side.
///
/// - input: `[batch, height, width, channels]`; weight: `[kernel² · channels, channels_out]`; bias: `[channels_out]`
/// - residual, added before the activation, and output: `[batch, out_height, out_width, channels_out]`
fn convolve(
    input: CubeTensor,
    weight: CubeTensor,
    bias: CubeTensor,
    residual: Option<CubeTensor>,
    shape: Shape,
    activation: Activation,
) -> CubeTensor {
    let [batch, height, width, channels] = input.shape().dims();
    let Shape { channels_out, kernel, stride, pad, .. } = shape;
    let [out_height, out_width] = [height, width].map(|side| shape.out(side));
    let output = of_shape(&input, Dimensions::new([batch, out_height, out_width, channels_out]));
    let places = batch * out_height * out_width;
    if places == 0 {
        return output;
    }
    let added = residual.is_some();
    let client = input.client.clone();
    let dtype = dtype_to_storage_type(input.dtype);
    let [input, weight, bias] = [input, weight, bias].map(into_contiguous);
    let residual = residual.map_or_else(|| bias.clone(), into_contiguous);
    let columns = channels_out / LANES;
    let blocks = |of: usize, units: u32| of.div_ceil(units as usize) as u32;
    let count =
        CubeCount::new_2d(blocks(columns, BLOCK[0]), blocks(places.div_ceil(PLACES), BLOCK[1]));
    // SAFETY: the kernel reads pixels inside the map only, and reads and writes places and channels of the output only; its
    // tensors are made of them.
    #[allow(unsafe_code)]
    unsafe {
        convolve_kernel::launch_unchecked(
            &client,
            count,
            CubeDim::new_2d(BLOCK[0], BLOCK[1]),
            LANES,
            input.into_tensor_arg(),
            weight.into_tensor_arg(),
            bias.into_tensor_arg(),
            residual.into_tensor_arg(),
            output.clone().into_tensor_arg(),
            WayLaunch::new(height, width, out_height, out_width, kernel, stride, pad),
            places,
            channels / LANES,
            columns,
            (kernel, stride, pad) == (1, 1, 0),
            added,
            activation,
            dtype,
        );
    }
    output
}
