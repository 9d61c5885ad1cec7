"""Single images in a process whose oneDNN is slow for them."""

import functools

LAYOUTS = {b"NHWC": b"CHANNELS_LAST"}  # names of Conv2D, and of Conv


def apart(function):
    """A function of images [N, H, W, C] that computes a single one without oneDNN.

    For a batch of one, oneDNN takes convolutions on processors without AVX512 that are
    far slower than TensorFlow's own (benchmarks/README.md).

    Args:
        function: `tf.function` with an input signature; traced for the first image.
    """

    @functools.cache
    def single():
        return _with_own_convolutions(function.get_concrete_function())

    def run(images):
        return function(images) if len(images) > 1 else single()(images)

    return run


def _with_own_convolutions(traced):
    """The same function with convolutions that oneDNN leaves to TensorFlow.

    It takes over operations named "Conv2D"; "Conv" computes the same by Eigen. Those of
    functions within the graph, such as branches, stay.
    """
    import tensorflow as tf

    graph = traced.graph.as_graph_def()
    for node in graph.node:
        if node.op == "Conv2D" and _is_plain(traced.graph, node):
            node.op = "Conv"
            del node.attr["use_cudnn_on_gpu"]
            node.attr["data_format"].s = LAYOUTS[node.attr["data_format"].s]
    own = tf.compat.v1.wrap_function(
        lambda: tf.graph_util.import_graph_def(graph, name=""), []
    ).prune([x.name for x in traced.inputs], [x.name for x in traced.outputs])

    def run(images):
        found = own(tf.convert_to_tensor(images), *traced.captured_inputs)
        return tf.nest.pack_sequence_as(traced.structured_outputs, found)

    return run


def _is_plain(graph, node):
    """Whether a Conv2D is without groups, which Conv cannot tell by the kernel."""
    image, kernel = graph.get_operation_by_name(node.name).inputs
    is_known = node.attr["data_format"].s in LAYOUTS
    return is_known and image.shape[-1] == kernel.shape[-2] is not None
