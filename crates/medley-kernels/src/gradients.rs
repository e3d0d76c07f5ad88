//! The operations' gradients, as burn's automatic differentiation asks for them.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex};

use crate::conv;
use crate::extension::{Convolution, Float, KernelOps, float, values};

type Tracked<C> = FloatTensor<Autodiff<Flex, C>>;

/// Input, weight and shapes of a convolution, kept for its gradients.
type ConvState = (Float, Float, Convolution);

#[derive(Debug)]
struct ConvGradient;

#[derive(Debug)]
struct ConvBiasGradient;

impl Backward<Flex, 2> for ConvGradient {
    type State = ConvState;

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let [input, weight] = ops.parents;
        if let Some(node) = input {
            grads.register::<Flex>(node.id, input_gradient(&ops.state, &gradient));
        }
        if let Some(node) = weight {
            grads.register::<Flex>(node.id, weight_gradient(&ops.state, &gradient));
        }
    }
}

impl Backward<Flex, 3> for ConvBiasGradient {
    type State = ConvState;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let [input, weight, bias] = ops.parents;
        if let Some(node) = input {
            grads.register::<Flex>(node.id, input_gradient(&ops.state, &gradient));
        }
        if let Some(node) = weight {
            grads.register::<Flex>(node.id, weight_gradient(&ops.state, &gradient));
        }
        if let Some(node) = bias {
            let call = ops.state.2;
            let [_, channels, height, width] = call.output_shape();
            let sums = conv::bias_gradient(values(&gradient), channels, height * width);
            grads.register::<Flex>(node.id, float(sums, vec![channels]));
        }
    }
}

#[derive(Debug)]
struct DepthwiseGradient;

impl Backward<Flex, 2> for DepthwiseGradient {
    type State = ConvState;

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let (input, weight, call) = ops.state;
        let [of_input, of_weight] = ops.parents;
        if let Some(node) = of_input {
            let result = call.depthwise().input_gradient(values(&weight), values(&gradient));
            let shape = [call.batch, call.channels_out, call.geometry.height, call.geometry.width];
            grads.register::<Flex>(node.id, float(result, shape.to_vec()));
        }
        if let Some(node) = of_weight {
            let result = call.depthwise().weight_gradient(values(&input), values(&gradient));
            let shape = [call.channels_out, 1, call.geometry.kernel, call.geometry.kernel];
            grads.register::<Flex>(node.id, float(result, shape.to_vec()));
        }
    }
}

fn conv_state(input: &Float, weight: &Float, stride: usize) -> ConvState {
    let call = Convolution::of(input, weight, stride);
    (input.to_contiguous(), weight.to_contiguous(), call)
}

fn input_gradient((_, weight, call): &ConvState, gradient: &Float) -> Float {
    let result =
        conv::input_gradient(&call.geometry, values(weight), values(gradient), call.channels_out);
    float(result, call.input_shape().to_vec())
}

fn weight_gradient((input, _, call): &ConvState, gradient: &Float) -> Float {
    let result =
        conv::weight_gradient(&call.geometry, values(input), values(gradient), call.channels_out);
    float(result, call.weight_shape().to_vec())
}

/// Enters an operation into the graph: `output` came from `parents`, whose gradients `gradient` finds with `state`.
/// Where no parent asks for one, nothing is kept.
pub(crate) fn finish<B, C, G, const N: usize>(
    gradient: G,
    parents: [NodeGuard; N],
    state: G::State,
    output: FloatTensor<B>,
) -> FloatTensor<Autodiff<B, C>>
where
    B: Backend,
    C: CheckpointStrategy,
    G: Backward<B, N>,
{
    match gradient.prepare::<C>(parents).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(state, output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    }
}

impl<C: CheckpointStrategy> KernelOps for Autodiff<Flex, C> {
    fn same_conv2d(input: Tracked<C>, weight: Tracked<C>, stride: usize) -> Tracked<C> {
        let (input, of_input) = input.into_parts();
        let (weight, of_weight) = weight.into_parts();
        let state = conv_state(&input, &weight, stride);
        let output = Flex::same_conv2d(input, weight, stride);
        finish::<Flex, C, _, _>(ConvGradient, [of_input, of_weight], state, output)
    }

    fn same_conv2d_bias(
        input: Tracked<C>,
        weight: Tracked<C>,
        bias: Tracked<C>,
        stride: usize,
    ) -> Tracked<C> {
        let (input, of_input) = input.into_parts();
        let (weight, of_weight) = weight.into_parts();
        let (bias, of_bias) = bias.into_parts();
        let state = conv_state(&input, &weight, stride);
        let output = Flex::same_conv2d_bias(input, weight, bias, stride);
        finish::<Flex, C, _, _>(ConvBiasGradient, [of_input, of_weight, of_bias], state, output)
    }

    fn same_depthwise(input: Tracked<C>, weight: Tracked<C>, stride: usize) -> Tracked<C> {
        let (input, of_input) = input.into_parts();
        let (weight, of_weight) = weight.into_parts();
        let state = conv_state(&input, &weight, stride);
        let output = Flex::same_depthwise(input, weight, stride);
        finish::<Flex, C, _, _>(DepthwiseGradient, [of_input, of_weight], state, output)
    }
}
