"""SavedModels: the operations of all their functions are known before one is loaded."""

import pathlib
import re

from kerasseg.loading.errors import ModelFileError

MAX_BYTES = 2**31 - 1  # of a protocol buffer
# Of the operations without state, those that reach beyond their tensors.
REACHES_OUT = re.compile(
    "File|Dataset|Reader|Record|PyFunc|Save|Restore|Checkpoint|Proto|Debug|Print|"
    "Summary|Rpc|Send|Recv|Load|Dump|Custom|Library|Remote|Plugin|Host"
)
WITH_STATE = {
    *("AssignAddVariableOp", "AssignSubVariableOp", "AssignVariableOp"),
    *(
        "DestroyResourceOp",
        "DisableCopyOnRead",
        "ReadVariableOp",
        "VarHandleOp",
        "VarIsInitializedOp",
    ),
    *("ResourceGather", "ResourceGatherNd", "VariableShape"),
    *("Assert", "StatefulPartitionedCall", "If", "While", "Case"),
    *("RandomUniform", "RandomUniformInt", "RandomStandardNormal", "TruncatedNormal"),
    *("HashTableV2", "MutableHashTableV2", "LookupTableImportV2"),
}
# What the functions that write and restore checkpoints use, and no other may.
OF_THE_SAVER = {"MergeV2Checkpoints", "RestoreV2", "SaveV2", "ShardedFilename"}


def load_saved_model(path):
    """Load a SavedModel whose operations only compute.

    Args:
        path: folder with saved_model.pb: a version folder, as of `export.saved_model`.

    Returns:
        What `tf.saved_model.load` returns; its `export` are functions.

    Raises:
        ModelFileError: as of `check_saved_model`, or if TensorFlow cannot load it.
    """
    import tensorflow as tf

    check_saved_model(path)
    try:
        return tf.saved_model.load(str(path))
    except (OSError, ValueError, KeyError, RuntimeError, tf.errors.OpError) as error:
        raise ModelFileError(
            f"TensorFlow cannot load it ({type(error).__name__}: {error}).", path
        ) from error


def check_saved_model(path):
    """Refuse a SavedModel with operations that do more than compute.

    Allowed are registered operations without state that touch no file, process, device
    or network, and a short list of those with state (variables, calls, random numbers).
    Reading and writing checkpoints is left to the two functions that TensorFlow itself
    calls for that, and these to TensorFlow.

    Args:
        path: folder with saved_model.pb.

    Raises:
        ModelFileError: if there is none, it is damaged, links out of its folder, or
            holds such an operation; the message names it.
    """
    path = pathlib.Path(path)
    file = path / "saved_model.pb"
    if not file.is_file():
        raise ModelFileError("a SavedModel is a folder with saved_model.pb.", path)
    for entry in path.rglob("*"):
        if entry.is_symlink():
            raise ModelFileError(f"{entry.name} is a link, files are expected.", path)
    for meta_graph in _parse(file).meta_graphs:
        _check_graph(meta_graph, path)


def _parse(file):
    from google.protobuf import message
    from tensorflow.core.protobuf import saved_model_pb2

    if file.stat().st_size > MAX_BYTES:
        raise ModelFileError(f"is larger than {MAX_BYTES} bytes.", file)
    try:
        saved = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    except (message.DecodeError, RecursionError) as error:
        raise ModelFileError(f"is damaged ({error}).", file) from error
    if not saved.meta_graphs:
        raise ModelFileError("holds no graph.", file)
    return saved


def _check_graph(meta_graph, path):
    graph = meta_graph.graph_def
    functions = {f.signature.name: f.node_def for f in graph.library.function}
    # The nodes that call the functions that write and restore checkpoints.
    names = {meta_graph.saver_def.save_tensor_name.partition(":")[0]}
    names.add(meta_graph.saver_def.restore_op_name)
    for signature in meta_graph.signature_def.values():
        outputs = {info.name.partition(":")[0] for info in signature.outputs.values()}
        if outputs & names:
            raise ModelFileError("a signature calls its saver.", path)
    savers = {
        called
        for node in graph.node
        if node.name in names
        for called in _calls(node, functions)
    }
    bodies = {None: graph.node, **functions}
    for owner, nodes in bodies.items():
        for node in nodes:
            calls = _calls(node, functions)
            by_saver = owner is None and node.name in names
            if calls & savers and not by_saver:
                raise ModelFileError(f"{owner or 'the graph'} calls its saver.", path)
            if not _is_allowed(node.op, owner in savers, functions):
                raise ModelFileError(
                    f"operations must only compute. Received: {node.op!r} in "
                    f"{owner or 'the graph'}. If you trust the model, load it with "
                    "tf.saved_model.load.",
                    path,
                )


def _calls(node, functions):
    """Names of the library's functions that a node refers to."""
    found = {node.op} & functions.keys()
    for value in node.attr.values():
        found |= {value.func.name} | {func.name for func in value.list.func}
    return found & functions.keys()


def _is_allowed(op, in_saver, functions):
    from tensorflow.python.framework import op_def_registry

    if op in functions or op in WITH_STATE:
        return True
    if op in OF_THE_SAVER:
        return in_saver
    definition = op_def_registry.get(op)
    if definition is None or definition.is_stateful:
        return False
    return not REACHES_OUT.search(op)
