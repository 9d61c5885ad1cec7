"""Configurations of `.keras` files: the classes, functions and numbers they name."""

import json

from kerasseg.loading.errors import ModelFileError
from kerasseg.names import bounded

PUBLIC = ("constraints", "dtype_policies", "initializers", "layers", "regularizers")
# Layers that run code of the file or read other files.
REFUSED = {
    *("FlaxLayer", "IndexLookup", "IntegerLookup", "JaxLayer", "Lambda"),
    *("StringLookup", "TFSMLayer", "TextVectorization", "TorchModuleWrapper"),
}
# Values that Keras writes as dictionaries of one class name.
VALUES = {"__ellipsis__", "__keras_tensor__", "__numpy__", "__slice__", "__tensor__"}
DTYPES = {
    *("bfloat16", "bool", "float16", "float32", "float64", "int8", "int16", "int32"),
    *("int64", "uint8", "uint16", "uint32", "uint64"),
}
# Modules of objects that take no time.
QUICK = {"builtins", "keras", "keras.constraints", "keras.dtype_policies", None}
QUICK |= {"keras.activations", "keras.initializers", "keras.regularizers"}
MAX_NUMBER = 2**24
# Numbers of rounds of a loop that is written out in the graph of a layer.
ROUNDS = {"chain_depth", "num_chains", "num_ops", "power_iterations", "sampling_ratio"}
MAX_ROUNDS = 64
ANY = {"seed", "shared_object_id"}  # whole numbers that are no sizes
# Calls of layers while the model is built: a model called ten times by one that is
# called ten times by ... needs 10^n of them.
MAX_CALLS = 10_000
MAX_LAYERS = 10_000  # cells and wrapped ones, too, which are not called by themselves
TWICE = {"Bidirectional", "TimeDistributed"}


def check_config(config, path):
    """Refuse a configuration that names anything but known layers and functions.

    Args:
        config: dict, as Keras writes it; what models were compiled with is taken out.
        path: for messages.

    Raises:
        ModelFileError: names the class, or the number that is too large.
    """
    import keras

    try:
        json.dumps(config, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        # Messages and paths of such names could not be written anywhere.
        raise ModelFileError(
            f"its texts must be Unicode ({error.reason}).", path
        ) from None
    classes = known_classes()
    registered = keras.saving.get_custom_objects()
    stack, num_layers = [config], 0
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            node.pop("compile_config", None)  # never read
            if "class_name" in node:
                _check_class(node, classes, registered, path)
                num_layers += node.get("module") not in QUICK
            for key, value in node.items():
                _check_value(key, value, registered, path)
            stack += node.values()
        elif isinstance(node, list):
            for value in node:
                _check_value(None, value, registered, path)
            stack += node
    for num, most, what in (
        (num_layers, MAX_LAYERS, "layers"),
        (_calls(config), MAX_CALLS, "calls of layers"),
    ):
        if num > most:
            raise ModelFileError(
                f"at most {most} {what} are built. Received: {num}.", path
            )


def known_classes():
    """Classes that compute and do nothing else, by (module, name) as files name them.

    Layers, initialisers, regularisers and constraints of Keras, its operations, and the
    layers of kerasseg under their registered names: (None, "kerasseg>ResizeLike").
    """
    import keras

    from kerasseg import zoo  # registers what is ours, layers too

    del zoo
    found = {
        (f"keras.{part}", name): value
        for part in PUBLIC
        for name, value in vars(getattr(keras, part)).items()
        if isinstance(value, type) and hasattr(value, "from_config")
    }
    for cls in (keras.Model, keras.Sequential, type(_functional())):
        found["keras", cls.__name__] = found[cls.__module__, cls.__name__] = cls
    for name in ("DTypePolicy", "FloatDTypePolicy"):
        found["keras", name] = getattr(keras.dtype_policies, name)
    todo = [keras.Operation]
    while todo:
        cls = todo.pop()
        todo += cls.__subclasses__()
        if cls.__module__.startswith("keras.src.ops."):
            found[cls.__module__, cls.__name__] = cls
    for name, cls in keras.saving.get_custom_objects().items():
        ours = name.startswith("kerasseg>") and isinstance(cls, type)
        if ours and issubclass(cls, keras.layers.Layer):
            found[None, name] = cls
    return {key: cls for key, cls in found.items() if cls.__name__ not in REFUSED}


def _functional():
    """A model of the class that Keras makes of inputs and outputs."""
    import keras

    x = keras.Input((1,))
    return keras.Model(x, x)


def _check_class(node, classes, registered, path):
    """Refuse a dictionary unless Keras would make one of the known classes of it."""
    name, module = node["class_name"], node.get("module")
    given = node.get("registered_name") or name
    known = all(isinstance(text, str) for text in (name, module or "", given))
    if known and name in VALUES:
        inner = node.get("config")
        dtype = inner.get("dtype", "bool") if isinstance(inner, dict) else "bool"
        known = given == name and (name == "__slice__" or _is_dtype(dtype))
    elif known and name == "function":
        known = _is_activation(node.get("config"), module, registered)
    elif known and given in registered:
        # Keras takes what is registered, whatever the module and the class are called.
        cls = classes.get((None, given))
        known = cls is not None and cls is registered[given] and cls.__name__ == name
        known = known and str(module).partition(".")[0] == "kerasseg"
    elif known:
        known = (module, name) in classes and given == name
    if not known:
        raise ModelFileError(
            "only layers of Keras and kerasseg that compute and do nothing else are "
            f"loaded. Received: class {bounded(name, 100)!r} of module "
            f"{bounded(module, 100)!r}. If you trust the file, load it with "
            "keras.saving.load_model.",
            path,
        )


def _is_dtype(dtype):
    if isinstance(dtype, dict):  # a policy, which is checked by itself
        return True
    return dtype is None or (isinstance(dtype, str) and dtype in DTYPES)


def _is_activation(name, module, registered):
    import keras

    return (
        isinstance(name, str)
        and name not in registered
        and module in ("builtins", "keras.activations")
        and name not in ("deserialize", "get", "serialize")
        and callable(vars(keras.activations).get(name))
    )


def _check_value(key, value, registered, path):
    """Refuse numbers that no model has, and names of the user's own functions."""
    if isinstance(value, str) and key != "registered_name" and value in registered:
        raise ModelFileError(
            f"{bounded(value, 100)!r} names an object that this program registered; "
            "only classes are found by their registered name.",
            path,
        )
    if key == "unroll" and value:
        raise ModelFileError("recurrent layers must not be unrolled.", path)
    if isinstance(value, bool) or not isinstance(value, int) or key in ANY:
        return
    limit = MAX_ROUNDS if key in ROUNDS else MAX_NUMBER
    if abs(value) > limit:
        raise ModelFileError(
            f"whole numbers up to {limit} are read here. Received: "
            f"{bounded(value, 100)}{f' for {bounded(key, 100)!r}' if key else ''}.",
            path,
        )


def _calls(node):
    """Number of calls of layers that building a configuration takes."""
    if isinstance(node, list):
        return sum(map(_calls, node))
    if not isinstance(node, dict):
        return 0
    calls = 0
    for key, value in node.items():
        if key == "layers" and isinstance(value, list):
            for layer in value:
                nodes = layer.get("inbound_nodes") if isinstance(layer, dict) else None
                times = max(len(nodes), 1) if isinstance(nodes, list) else 1
                # Built once, then called as often as it stands in the graph.
                calls += (1 + times) * max(_calls(layer), 1)
        else:
            calls += _calls(value)
    return calls * (2 if node.get("class_name") in TWICE else 1)
