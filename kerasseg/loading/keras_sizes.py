"""Sizes of models before they are built: what their configuration asks for."""

import contextlib
import copy
import math

from kerasseg.loading.errors import ModelFileError

# Keras 3.15 does not store the states of random numbers, and its Bidirectional layer
# makes one layer more than it keeps.
NOT_STORED = 100_000
# Of tensors that layers make for themselves when they are built.
MAX_CONSTANT_BYTES = 2**28


def check_sizes(config, arrays, path):
    """Refuse a configuration that asks for more numbers than the archive stores.

    The model is built once without memory: in a graph, where tensors have shapes only,
    and with variables that wait for their values.

    Args:
        config: dict, checked by `keras_config.check_config`.
        arrays: dict of name to array, the weights of the archive.
        path: for messages.

    Raises:
        ModelFileError: says what is asked for and what is stored.
    """
    variables, constants = _rehearse(config)
    asked = sum(math.prod(variable.shape) for variable in variables)
    stored = sum(array.size for array in arrays.values())
    if asked > 2 * stored + NOT_STORED:
        raise ModelFileError(
            f"its layers ask for {asked} numbers. Received: {stored} in the file. It "
            "is damaged or was changed; save it again.",
            path,
        )
    if constants > MAX_CONSTANT_BYTES:
        raise ModelFileError(
            f"its layers make constants of {constants} bytes, at most "
            f"{MAX_CONSTANT_BYTES} are allowed.",
            path,
        )


def make(config):
    """The model of a configuration, which is left as it is."""
    import keras
    from keras.src.backend.common import global_state
    from keras.src.saving.serialization_lib import ObjectSharingScope

    scopes = global_state.get_global_attribute("name_scope_stack")
    # A copy: Keras 3.15 never leaves the scope of a layer whose name TensorFlow
    # refuses, and every variable made afterwards would bear that name.
    global_state.set_global_attribute("name_scope_stack", list(scopes or []))
    try:
        # As Keras' own loader: a layer at two places stays one.
        with ObjectSharingScope():
            config = copy.deepcopy(config)
            return keras.saving.deserialize_keras_object(config, safe_mode=True)
    finally:
        global_state.set_global_attribute("name_scope_stack", scopes)


def _rehearse(config):
    """Variables that a model makes, without values, and bytes of its other tensors."""
    import keras
    from keras.src.backend.common import global_state

    waiting = global_state.get_global_attribute("uninitialized_variables")
    global_state.set_global_attribute("uninitialized_variables", [])
    try:
        with _graph() as graph, keras.StatelessScope(initialize_variables=False):
            make(config)
        variables = global_state.get_global_attribute("uninitialized_variables")
    finally:
        global_state.set_global_attribute("uninitialized_variables", waiting or [])
    return variables, _bytes_of(graph)


@contextlib.contextmanager
def _graph():
    """A graph of TensorFlow; None with the other backends."""
    import keras

    if keras.backend.backend() != "tensorflow":
        yield None
        return
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        yield graph


def _bytes_of(graph):
    """Bytes of all tensors of a graph; an unknown size counts as too much."""
    operations = graph.get_operations() if graph is not None else ()
    total = 0
    for output in (output for operation in operations for output in operation.outputs):
        num = output.shape.num_elements()
        if num is None:
            return MAX_CONSTANT_BYTES + 1
        total += num * (output.dtype.size or 1)
    return total
