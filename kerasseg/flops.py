"""Counts the arithmetic of a model: multiplications and additions of its graph."""

import math


def gflops(model, height, width):
    """Operations of one forward pass, in 1e9: two for each multiply-add.

    Counts convolutions (of all kinds) and matrix products, as papers do;
    normalisation, activations and resizing are left out.

    Args:
        model: keras.Model of one image input [N, H, W, C]; TensorFlow backend.
        height, width: size of the image, px.

    Returns:
        float.

    Example:
        >>> import keras
        >>> layers = [keras.Input((None, None, 3)), keras.layers.Conv2D(8, 1)]
        >>> 1e9 * gflops(keras.Sequential(layers), 10, 10)  # 100 px, 3 x 8 products
        4800.0
    """
    import tensorflow as tf

    spec = tf.TensorSpec([1, height, width, model.input_shape[-1]], tf.float32)
    function = tf.function(lambda image: model(image, training=False))
    graph = function.get_concrete_function(spec).graph
    return sum(2 * _products(operation) for operation in graph.get_operations()) / 1e9


def _products(operation):
    """Multiplications of one TensorFlow operation."""
    kind = operation.type
    if kind in ("Conv2D", "DepthwiseConv2dNative"):
        *window, channels, _ = operation.inputs[1].shape
        window = math.prod(window) * (channels if kind == "Conv2D" else 1)
        return _size(operation.outputs[0]) * window
    if kind == "Conv2DBackpropInput":  # a transposed convolution, from its input
        *window, channels, _ = operation.inputs[1].shape
        return _size(operation.inputs[2]) * math.prod(window) * channels
    if kind in ("MatMul", "BatchMatMulV2", "BatchMatMulV3"):
        flipped = operation.get_attr("transpose_a" if kind == "MatMul" else "adj_x")
        shared = operation.inputs[0].shape[-2 if flipped else -1]
        return _size(operation.outputs[0]) * shared
    if kind == "Einsum":
        left = operation.get_attr("equation").decode().split("->")[0].split(",")
        sizes = {
            axis: size
            for axes, tensor in zip(left, operation.inputs)
            for axis, size in zip(axes, tensor.shape)
        }
        return math.prod(sizes.values())
    return 0


def _size(tensor):
    return math.prod(tensor.shape)
