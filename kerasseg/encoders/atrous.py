"""Dense (atrous) features: strides given up become dilation of the later layers."""

import copy

import keras
from keras import layers

CONVOLUTIONS = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)
POOLINGS = (layers.MaxPooling2D, layers.AveragePooling2D)


def check_output_stride(output_stride, name, choices=(8, 16, 32)):
    """Refuse an output stride that the encoder `name` does not have.

    Raises:
        ValueError: if `output_stride` is not in `choices`.
    """
    if output_stride not in choices:
        raise ValueError(
            f"`output_stride` of {name} must be one of {choices}. "
            f"Received: output_stride={output_stride!r}."
        )


def stage_plan(strides, output_stride, *, start=1, dilate_first=False):
    """Strides and dilations by which each stage keeps to `output_stride`.

    The layer that gives up its stride still sees its input at the old spacing and
    keeps the previous dilation; only the layers after it are dilated. Then dense
    features, subsampled, equal the strided ones.

    Args:
        strides: stride of each stage, first to last.
        output_stride: the stride at which the features stop shrinking.
        start: stride at which the first stage begins.
        dilate_first: dilate the layer that gave up its stride, too, as some references
            do; then the features are others.

    Returns:
        List of (stride, first dilation, dilation of the stage's other layers).

    Example:
        >>> stage_plan([1, 2, 2, 2], 8, start=4)
        [(1, 1, 1), (2, 1, 1), (1, 1, 2), (1, 2, 4)]
    """
    plan, current, dilation = [], start, 1
    for stride in strides:
        first = dilation
        if current * stride > output_stride:
            dilation, stride = dilation * stride, 1
            first = dilation if dilate_first else first
        current *= stride
        plan.append((stride, first, dilation))
    return plan


def dilate(model, output_stride):
    """Rewrite a functional model so that its features stop shrinking, weights kept.

    For models that were not written with `output_stride`, those of keras.applications
    above all. Subsampled, the new features equal the old ones where batch statistics
    and global pooling (squeeze-excite) do not see the larger map. A ZeroPadding2D in
    front of a dilated convolution becomes symmetric; where it was one-sided, as in
    MobileNet, the old features are found at the last position of each cell
    ([r - 1 :: r]), not at the first. Xception is of no use here: its poolings and its
    shortcuts look at different positions; take `kerasseg.encoders.xception65`.

    Args:
        model: functional keras.Model on images [N, H, W, C].
        output_stride: 2, 4, 8, 16 or 32: where the features stop shrinking.

    Returns:
        keras.Model of the same layers and outputs, with its own copy of the weights.

    Raises:
        ValueError: if a layer cannot be dilated: a pooling behind a layer that gave up
            its stride, a strided layer of another kind, a nested model (ConvNeXt).
    """
    check_output_stride(output_stride, "dilate", choices=(2, 4, 8, 16, 32))
    plan = plan_dilation(model, output_stride)
    config = copy.deepcopy(model.get_config())
    for entry in config["layers"]:
        changes = plan.get(entry["name"], {})
        if "pool_size" in entry["config"] and "dilation_rate" in changes:
            raise ValueError(
                f"Keras cannot dilate the pooling {entry['name']!r}. Use a larger "
                "`output_stride`."
            )
        entry["config"].update(changes)
    dense = model.__class__.from_config(config)
    dense.set_weights(model.get_weights())
    return dense


def plan_dilation(model, output_stride):
    """Plan the changes of `dilate`.

    Returns:
        dict of layer name to its new configuration entries. A "dilation_rate" of a
        pooling, which Keras does not have, is the distance of the values to pool.

    Raises:
        ValueError: for a strided layer of another kind, or a nested model.
    """
    states = {}  # name of an operation -> (stride, dilation) of its output
    plan = {}
    for operation in model.operations:
        parents = parents_of(operation)
        # A product with a squeeze-excite gate has the state of the features.
        known = [states[parent.name] for parent in parents if states[parent.name]]
        state = max(known, default=None if parents else (1, 1))
        if _collapses(operation):
            state = None  # no image any more, as inside a squeeze-excite gate
        elif state and isinstance(operation, (*CONVOLUTIONS, *POOLINGS)):
            state, changes = _dilate_layer(operation, *state, output_stride)
            if changes:
                plan[operation.name] = changes
                plan.update(_pad(parents[0], operation, changes))
        elif isinstance(operation, keras.Model) or _strides(operation) > 1:
            raise ValueError(
                f"`dilate` needs plain strided layers. Received: {operation.name!r} of "
                f"type {type(operation).__name__} in model {model.name!r}."
            )
        states[operation.name] = state
    return plan


def parents_of(operation):
    """Operations that feed one of a functional model; none for inputs."""
    if isinstance(operation, layers.InputLayer):
        return []
    return [t._keras_history.operation for t in keras.tree.flatten(operation.input)]


def _collapses(operation):
    return isinstance(
        operation,
        (layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D, layers.Flatten),
    )


def _strides(operation):
    return max(keras.tree.flatten(getattr(operation, "strides", 1)))


def _dilate_layer(layer, stride, dilation, output_stride):
    """Return ((stride, dilation) behind the layer, what to change in it)."""
    step = _strides(layer)
    gives_up = stride * step > output_stride
    after = (stride, dilation * step) if gives_up else (stride * step, dilation)
    if not gives_up and dilation == 1:
        return after, {}
    changes = {"strides": 1} if gives_up else {}
    if isinstance(layer, CONVOLUTIONS):
        changes["dilation_rate"] = [rate * dilation for rate in layer.dilation_rate]
    # A pooling of single pixels only strides: there is nothing to pad.
    elif max(layer.pool_size) > 1:
        changes["padding"] = "same"  # keep the size: at stride 1 "valid" would not
        if dilation > 1:
            changes["dilation_rate"] = dilation
    return after, changes


def _pad(parent, layer, changes):
    """Let a ZeroPadding2D in front keep the size at the layer's new dilation."""
    if not isinstance(parent, layers.ZeroPadding2D):
        return {}
    if isinstance(layer, POOLINGS):
        return {parent.name: {"padding": [[0, 0], [0, 0]]}}
    margins = [
        (size - 1) * rate // 2
        for size, rate in zip(layer.kernel_size, changes["dilation_rate"])
    ]
    return {parent.name: {"padding": [[margin, margin] for margin in margins]}}
