//! A map of tokens cut into windows, and joined again: a thread for each value of what is made.

use burn::backend::TensorMetadata;
use burn::tensor::Shape;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeBackend, cubecl};
use cubecl::prelude::*;
use cubecl::std::tensor::layout::linear::{LinearView, LinearViewMut};

use super::Threads;
use crate::cube::of_shape;
use crate::packed::WindowGrid;
use crate::window_ops::WindowOps;

/// A [`WindowGrid`], in tokens but for `down` and `across`, the windows of each side.
#[derive(CubeLaunch, CubeType)]
struct Grid {
    height: usize,
    width: usize,
    down: usize,
    across: usize,
    shift_down: usize,
    shift_across: usize,
    channels: usize,
}

#[cube(launch)]
fn cut_kernel<F: Float>(
    map: LinearView<'_, F>,
    mut windows: LinearViewMut<'_, F>,
    grid: &Grid,
    #[comptime] window: usize,
    #[define(F)] _dtype: ElemType,
) {
    let place = ABSOLUTE_POS;
    if !windows.is_in_bounds(place) {
        terminate!();
    }
    let channel = place % grid.channels;
    let rest = place / grid.channels;
    let token = rest % (window * window);
    let rest = rest / (window * window);
    let column = rest % grid.across;
    let rest = rest / grid.across;
    let row = rest % grid.down;
    let batch = rest / grid.down;
    let y = (row * window + token / window + grid.shift_down) % (grid.down * window);
    let x = (column * window + token % window + grid.shift_across) % (grid.across * window);
    let mut value = F::new(0.0);
    if y < grid.height && x < grid.width {
        value = map.read(((batch * grid.height + y) * grid.width + x) * grid.channels + channel);
    }
    windows.write(place, value);
}

#[cube(launch)]
fn join_kernel<F: Float>(
    windows: LinearView<'_, F>,
    mut map: LinearViewMut<'_, F>,
    grid: &Grid,
    #[comptime] window: usize,
    #[define(F)] _dtype: ElemType,
) {
    let place = ABSOLUTE_POS;
    if !map.is_in_bounds(place) {
        terminate!();
    }
    let channel = place % grid.channels;
    let rest = place / grid.channels;
    let x = rest % grid.width;
    let rest = rest / grid.width;
    let y = rest % grid.height;
    let batch = rest / grid.height;
    // In the rolled map.
    let down = grid.down * window;
    let across = grid.across * window;
    let y = (y + down - grid.shift_down) % down;
    let x = (x + across - grid.shift_across) % across;
    let index = (batch * grid.down + y / window) * grid.across + x / window;
    let token = y % window * window + x % window;
    let from = (index * window * window + token) * grid.channels + channel;
    map.write(place, windows.read(from));
}

impl WindowOps for CubeBackend {
    fn cut(map: CubeTensor, grid: WindowGrid) -> CubeTensor {
        let output = of_shape(&map, grid.windows_shape(&map.shape()));
        if let Some(Threads { client, count, dim, dtype }) = Threads::of(&output) {
            let sides = sides(grid, &map.shape());
            cut_kernel::launch(
                &client,
                count,
                dim,
                map.into_linear_view(),
                output.clone().into_linear_view(),
                sides,
                grid.window,
                dtype,
            );
        }
        output
    }

    fn join(windows: CubeTensor, grid: WindowGrid) -> CubeTensor {
        let output = of_shape(&windows, grid.map_shape(&windows.shape()));
        if let Some(Threads { client, count, dim, dtype }) = Threads::of(&output) {
            let sides = sides(grid, &output.shape());
            join_kernel::launch(
                &client,
                count,
                dim,
                windows.into_linear_view(),
                output.clone().into_linear_view(),
                sides,
                grid.window,
                dtype,
            );
        }
        output
    }
}

fn sides(grid: WindowGrid, map: &Shape) -> GridLaunch {
    let [down, across] = grid.windows();
    let [shift_down, shift_across] = grid.shift;
    GridLaunch::new(grid.height, grid.width, down, across, shift_down, shift_across, map[3])
}
