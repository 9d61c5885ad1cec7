"""Constants that TensorFlow computes while it loads a function, within limits.

To find the shapes in a function, TensorFlow 2.21 evaluates what depends on constants
alone: a `Range` of three numbers may ask for more memory than there is.
"""

import collections

from kerasseg.loading.errors import ModelFileError
from kerasseg.names import bounded

MAX_NODES = 1000
MAX_BYTES = 2**28  # of all that is computed
# Numbers given times numbers made: no operation takes more products.
MAX_WORK = 2**32
FEWER = {"Unique", "UniqueV2", "UniqueWithCounts", "UniqueWithCountsV2", "Where"}
_LIST = object()  # a list of tensors, which is not computed


class _TooMuchError(Exception):
    """More than a function may compute, and why."""


def check(functions, path):
    """Refuse functions that compute much from constants alone.

    Args:
        functions: their messages (FunctionDef), with operations that only compute.
        path: for messages.

    Raises:
        ModelFileError: names the operation and its function.
    """
    spent = collections.Counter()
    for function in functions:
        values = {}
        for node in _foldable(function.node_def):
            try:
                values[node.name] = _evaluate(node, values, spent)
            except _TooMuchError as error:
                owner = bounded(function.signature.name, 100)
                raise ModelFileError(
                    f"{bounded(node.op, 100)} in {owner} {error} when it is loaded.",
                    path,
                ) from None


def _foldable(nodes):
    """Nodes that depend on constants alone, and those constants; needed ones first."""
    from tensorflow.python.framework import op_def_registry

    users, missing, ready = collections.defaultdict(list), {}, []
    by_name = {node.name: node for node in nodes}
    for node in by_name.values():
        definition = op_def_registry.get(node.op)
        if definition is None or definition.is_stateful or _calls(node):
            continue
        sources = _sources(node)
        missing[node.name] = len(sources)
        for source in sources:
            users[source].append(node.name)
        if node.op == "Const":
            ready.append(node.name)
    found = []
    while ready:
        name = ready.pop()
        found.append(by_name[name])
        for user in users[name]:
            missing[user] -= 1
            if not missing[user]:
                ready.append(user)
    computed = [node for node in found if node.op != "Const"]
    needed = set().union(*map(_sources, computed))
    return [node for node in found if node.op != "Const" or node.name in needed]


def _calls(node):
    return any(value.HasField("func") for value in node.attr.values())


def _inputs(node):
    """Where a node's inputs come from: node, output, number."""
    return [tuple(name.split(":")) for name in node.input if not name.startswith("^")]


def _sources(node):
    return {name[0] for name in _inputs(node)}


def _evaluate(node, values, spent):
    """Values of a node's outputs by their name; None if TensorFlow fails at it."""
    import tensorflow as tf

    if node.op == "Const":
        return {"output": [tf.make_ndarray(node.attr["value"].tensor)]}
    spent["nodes"] += 1
    if spent["nodes"] > MAX_NODES:
        raise _TooMuchError(f"is one of more than {MAX_NODES} that are computed")
    try:
        given = [values[name][output][int(i)] for name, output, i in _inputs(node)]
    except (IndexError, KeyError, TypeError, ValueError):
        return None
    definition = _definition(node)
    if all(output.type == tf.variant.as_datatype_enum for output in definition):
        return {output.name: [_LIST] for output in definition}
    if any(value is _LIST for value in given):
        raise _TooMuchError("takes tensors out of a list")
    try:
        operation = _operation(node, given)
    except (TypeError, ValueError, tf.errors.OpError):
        return None
    _check_size(operation, given, spent)
    return _outputs(operation, _run(operation))


def _definition(node):
    from tensorflow.python.framework import op_def_registry

    return op_def_registry.get(node.op).output_arg


def _operation(node, given):
    """The node in a graph of its own, which computes the shapes of its outputs."""
    import tensorflow as tf

    definition = tf.compat.v1.GraphDef()
    for i, value in enumerate(given):
        source = definition.node.add(name=f"input{i}", op="Const")
        tensor = tf.make_tensor_proto(value)
        source.attr["value"].tensor.CopyFrom(tensor)
        source.attr["dtype"].type = tensor.dtype
    copy = definition.node.add()
    copy.CopyFrom(node)
    copy.ClearField("device")
    copy.name = "output"
    copy.input[:] = [f"input{i}" for i in range(len(given))]
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition, name="")
    return graph.get_operation_by_name("output")


def _check_size(operation, given, spent):
    import tensorflow as tf

    num_given = sum(value.size for value in given)
    num_made = 0
    for output in operation.outputs:
        if output.dtype == tf.string:
            raise _TooMuchError("makes texts of any length")
        num = output.shape.num_elements()
        if num is None and operation.type not in FEWER:
            raise _TooMuchError("makes a tensor of any size")
        num = num_given * max(value.ndim for value in given) if num is None else num
        num_made += num
        spent["bytes"] += num * output.dtype.size
    spent["work"] += num_given * num_made
    if spent["bytes"] > MAX_BYTES or spent["work"] > MAX_WORK:
        raise _TooMuchError(f"computes {num_made} numbers of {num_given}")


def _run(operation):
    import tensorflow as tf

    options = tf.compat.v1.ConfigProto(device_count={"GPU": 0})
    try:
        with tf.compat.v1.Session(graph=operation.graph, config=options) as session:
            return session.run(operation.outputs)
    except tf.errors.OpError:
        return None


def _outputs(operation, values):
    """Values by the names of outputs, of which some are lists."""
    if values is None:
        return None
    found = {}
    for output in operation.op_def.output_arg:
        num = 1
        if output.number_attr:
            num = operation.get_attr(output.number_attr)
        elif output.type_list_attr:
            num = len(operation.get_attr(output.type_list_attr))
        found[output.name], values = values[:num], values[num:]
    return found
