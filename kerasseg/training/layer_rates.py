"""Learning rates by layer: a pretrained part learns slower than a new one, or later."""

import keras


def scale_rates(optimizer, variables, factor, *, begin=0):
    """Let an optimizer update some variables by a part of its learning rate.

    Called for one part after the other, each with a later `begin`, it unfreezes a
    network gradually, from its head down (Howard & Ruder, 2018,
    https://arxiv.org/abs/1801.06146). Decoupled weight decay keeps the full rate, but
    nothing decays before it begins. Moving statistics of BatchNorm follow the data all
    the time, as what other layers learn from is normalised by the batch. Call it before
    the first update.

    Args:
        optimizer: keras optimizer; it is changed.
        variables: keras Variables, such as `encoders.of(model).trainable_variables`.
        factor: of the rate, 0 or more; 0.1 is usual for a pretrained encoder.
        begin: number of updates before which they keep their values.

    Returns:
        The optimizer.

    Raises:
        ValueError: if the factor or `begin` is negative.

    Example:
        >>> import keras
        >>> first, second = (keras.Variable([1.0]) for _ in range(2))
        >>> optimizer = scale_rates(keras.optimizers.SGD(0.5), [first], 0.1)
        >>> optimizer.apply([[1.0], [1.0]], [first, second])
        >>> [round(float(x[0]), 2) for x in (first, second)]
        [0.95, 0.5]
    """
    if not factor >= 0:
        raise ValueError(f"`factor` must be 0 or more. Received: factor={factor}.")
    if not begin >= 0:
        raise ValueError(f"`begin` must be 0 or more. Received: begin={begin}.")
    update = optimizer.update_step

    def scaled(gradient, variable, learning_rate):
        # Under tf.distribute it is not the variable of the model itself: only the
        # optimizer knows which it is.
        index = optimizer._get_variable_index(variable)
        known = optimizer._trainable_variables_indices
        slow = {known.get(optimizer._var_key(x)) for x in variables}
        if index in slow:
            learning_rate = learning_rate * factor
            if begin:
                learns = keras.ops.cast(optimizer.iterations >= begin, "float32")
                learning_rate = learning_rate * learns
        return update(gradient, variable, learning_rate)

    optimizer.update_step = scaled
    if begin and optimizer.weight_decay is not None:
        _hold_decay(optimizer, variables, begin)
    return optimizer


def _hold_decay(optimizer, variables, begin):
    """Let weight decay keep some variables before so many updates."""
    decay, full = optimizer._apply_weight_decay, optimizer.weight_decay

    def held(given):
        own = {optimizer._var_key(x) for x in variables}
        decay([x for x in given if optimizer._var_key(x) not in own])
        learns = keras.ops.cast(optimizer.iterations >= begin, "float32")
        try:
            optimizer.weight_decay = full * learns
            decay([x for x in given if optimizer._var_key(x) in own])
        finally:
            optimizer.weight_decay = full

    optimizer._apply_weight_decay = held
