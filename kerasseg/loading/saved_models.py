"""SavedModels: the operations of all their functions are known before one is loaded."""

import collections
import math
import pathlib

from kerasseg.loading import folding, tensor_bundle
from kerasseg.loading.errors import ModelFileError
from kerasseg.loading.operations import COMPUTES, RESTORES, SAVES
from kerasseg.names import bounded

# An operation of 48 bytes becomes an object of 6,000 and takes 0.1 ms.
MAX_GRAPH_BYTES = 2**25
# Of constants, which may be stored as one number with any shape.
MAX_CONSTANT_BYTES = 2**30
# TensorFlow 2.21 takes 2 ms for each, and more for each of many.
MAX_FUNCTIONS = 10_000
MAX_OBJECTS = 200_000  # and references to them
KINDS = {
    *("bare_concrete_function", "captured_tensor", "constant", "function"),
    *("user_object", "variable"),
}
# Names of objects that TensorFlow makes itself, without code that is found by name.
IDENTIFIERS = {
    *("", "_generic_user_object", "signature_map", "trackable_dict_wrapper"),
    *("trackable_list_wrapper", "trackable_tuple_wrapper"),
}


def load_saved_model(path, *, operations=(), max_bytes=4 * 2**30):
    """Load a SavedModel whose operations only compute.

    Args:
        path: folder with saved_model.pb: a version folder, as of `export.saved_model`.
        operations: names of more operations that you allow, such as those of tables:
            ("HashTableV2", "LookupTableFindV2", "LookupTableImportV2"). Where there are
            any, objects that own such resources are loaded too.
        max_bytes: refuse models whose variables need more.

    Returns:
        What `tf.saved_model.load` returns; its `signatures` are functions.

    Raises:
        ModelFileError: as of `check_saved_model`, or if TensorFlow cannot load it.
    """
    import tensorflow as tf

    check_saved_model(path, operations=operations, max_bytes=max_bytes)
    try:
        return tf.saved_model.load(str(path))
    except Exception as error:  # no list holds all that TensorFlow raises
        raise ModelFileError(
            f"TensorFlow cannot load it ({type(error).__name__}: "
            f"{bounded(error, 500)}). Export it again.",
            path,
        ) from error


def check_saved_model(path, *, operations=(), max_bytes=4 * 2**30):
    """Refuse a SavedModel with operations that do more than compute.

    Allowed are operations from tensors to tensors, calls of the model's own functions,
    random numbers and variables: a closed list, `loading.operations`. The functions
    that write and read the checkpoint are left to TensorFlow, and to nothing else.

    Args:
        path: folder with saved_model.pb.
        operations: see `load_saved_model`.
        max_bytes: see `load_saved_model`.

    Raises:
        ModelFileError: if there is none, it is damaged, has no object graph (TensorFlow
            1), holds anything but files and folders, holds another operation (the
            message names it), or claims more memory than it stores.
    """
    path = pathlib.Path(path)
    operations = frozenset([operations] if isinstance(operations, str) else operations)
    try:
        _check_files(path)
        meta_graph = _parse(path / "saved_model.pb")
        _check_objects(meta_graph.object_graph_def, operations, path)
        for asset in meta_graph.asset_file_def:
            if pathlib.PurePath(asset.filename).name != asset.filename:
                raise ModelFileError(
                    f"assets lie in its folder. Received: {asset.filename!r}.", path
                )
        _Graph(meta_graph, operations, path).check()
        tensor_bundle.check(path / "variables", max_bytes)
    except ModelFileError:
        raise
    except Exception as error:
        raise ModelFileError(
            f"not a readable SavedModel ({type(error).__name__}: "
            f"{bounded(error, 500)}). Export it again.",
            path,
        ) from error


def _check_files(path):
    if not (path / "saved_model.pb").is_file():
        raise ModelFileError("a SavedModel is a folder with saved_model.pb.", path)
    for entry in path.rglob("*"):
        if entry.is_symlink():
            raise ModelFileError(f"{entry.name} is a link, files are expected.", path)
        if not (entry.is_file() or entry.is_dir()):
            raise ModelFileError(f"{entry.name} is neither file nor folder.", path)
    debug = path / "debug/saved_model_debug_info.pb"  # TensorFlow parses it, too
    if debug.is_file() and debug.stat().st_size > MAX_GRAPH_BYTES:
        raise ModelFileError(f"is larger than {MAX_GRAPH_BYTES} bytes.", debug)


def _parse(file):
    from google.protobuf import message
    from tensorflow.core.protobuf import saved_model_pb2

    if file.stat().st_size > MAX_GRAPH_BYTES:
        raise ModelFileError(f"is larger than {MAX_GRAPH_BYTES} bytes.", file)
    try:
        saved = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    except (message.DecodeError, RecursionError) as error:
        raise ModelFileError(f"is damaged ({error}).", file) from error
    if not saved.meta_graphs:
        raise ModelFileError("holds no graph.", file)
    # With several graphs, or none of objects, TensorFlow 2.21 runs what the file calls
    # its restore operation and its initialiser.
    if len(saved.meta_graphs) > 1 or not saved.meta_graphs[0].HasField(
        "object_graph_def"
    ):
        raise ModelFileError(
            "one graph with its objects is required, as TensorFlow 2 and Keras write "
            f"it. Received: {len(saved.meta_graphs)} graphs, of TensorFlow 1 or of "
            "several devices. Load it with tf.saved_model.load if you trust it, and "
            "save it again.",
            file,
        )
    return saved.meta_graphs[0]


def _check_objects(objects, operations, path):
    """Refuse objects that own resources or are made by code found by name."""
    num = sum(1 + len(node.children) for node in objects.nodes)
    if num > MAX_OBJECTS:
        raise ModelFileError(f"at most {MAX_OBJECTS} objects, not {num}.", path)
    for node in objects.nodes:
        kind = node.WhichOneof("kind")
        with_tables = kind in ("asset", "resource") and operations
        if kind not in KINDS and not with_tables:
            raise ModelFileError(
                "its objects must be variables, constants and functions. Received: "
                f"{kind}. Name the operations that it needs (`operations=`), or load "
                "it with tf.saved_model.load if you trust it.",
                path,
            )
        identifier = node.user_object.identifier if kind == "user_object" else ""
        if identifier not in IDENTIFIERS or node.registered_name:
            raise ModelFileError(
                "its objects must be plain ones. Received: "
                f"{bounded(node.registered_name or identifier, 100)!r}. Export it by "
                "`model.export` or `export.saved_model`.",
                path,
            )
        if node.children and kind not in ("function", "resource", "user_object"):
            # Set on what TensorFlow shares with others: the class of its tensors.
            raise ModelFileError(f"a {kind} must have no attributes.", path)
        if node.saveable_objects or node.registered_saver:
            raise ModelFileError(
                "its objects must be restored from the checkpoint alone. Received: an "
                "object that brings its own function to restore it.",
                path,
            )


class _Graph:
    """Nodes and functions of one graph, and which of them write and read files."""

    def __init__(self, meta_graph, operations, path):
        self.path, self.allowed = path, COMPUTES | operations
        library = meta_graph.graph_def.library
        self.functions = {f.signature.name: f for f in library.function}
        self.nodes = meta_graph.graph_def.node
        self.meta_graph = meta_graph

    def check(self):
        from tensorflow.python.framework import op_def_registry

        functions = self.meta_graph.graph_def.library.function
        if len(functions) > MAX_FUNCTIONS:
            raise ModelFileError(
                f"at most {MAX_FUNCTIONS} functions, not {len(functions)}.", self.path
            )
        if len(self.functions) != len(functions):
            raise ModelFileError("two of its functions have one name.", self.path)
        for name in self.functions:
            if op_def_registry.get(name) is not None:
                raise ModelFileError(
                    f"a function is called like the operation {name!r}.", self.path
                )
        saver = self.meta_graph.saver_def
        writers = self._called_by(saver.save_tensor_name.partition(":")[0])
        readers = self._called_by(saver.restore_op_name)
        own = {saver.save_tensor_name.partition(":")[0], saver.restore_op_name}
        self._check_entries(writers | readers, own)
        self._check_restore(saver, readers)
        for node in self.nodes:
            if self._calls(node) & (writers | readers) and node.name not in own:
                raise ModelFileError("its graph calls its saver.", self.path)
            self._check_node(node, "the graph", self.allowed)
        for name, function in self.functions.items():
            allowed = self.allowed
            if name in readers:
                allowed = RESTORES
            elif name in writers:
                allowed = self.allowed | SAVES
            for node in function.node_def:
                if name not in (writers | readers) and self._calls(node) & (
                    writers | readers
                ):
                    raise ModelFileError(f"{name} calls its saver.", self.path)
                self._check_node(node, name, allowed)
        self._check_constants()
        folding.check(self.functions.values(), self.path)

    def _called_by(self, node_name):
        """Names of the functions that a node of the graph reaches."""
        found = set()
        todo = [node for node in self.nodes if node.name == node_name]
        while todo:
            for name in self._calls(todo.pop()) - found:
                found.add(name)
                todo += self.functions[name].node_def
        return found

    def _calls(self, node):
        """Names of the functions that a node refers to."""
        found, todo = set(), list(node.attr.values())
        while todo:
            value = todo.pop()
            for function in (value.func, *value.list.func):
                if function.name:
                    found.add(function.name)
                todo += function.attr.values()
        if foreign := found - self.functions.keys():
            # The program that loads the model may have one of that name.
            raise ModelFileError(
                "its functions must be its own. Received: a call of "
                f"{bounded(min(foreign), 100)!r}.",
                self.path,
            )
        return found | ({node.op} & self.functions.keys())

    def _check_restore(self, saver, readers):
        """The file that is read must be the one that TensorFlow names."""
        name = saver.filename_tensor_name.partition(":")[0]
        entries = [node for node in self.nodes if node.name == saver.restore_op_name]
        first = {function for node in entries for function in self._calls(node)}
        given = all(list(node.input[:1]) == [name] for node in entries)
        for function in (self.functions[reader] for reader in readers):
            arguments = [one.name for one in function.signature.input_arg[:1]]
            reads = [node for node in function.node_def if node.op == "RestoreV2"]
            given &= not reads or function.signature.name in first
            given &= all(list(node.input[:1]) == arguments for node in reads)
        placeholders = [node.op for node in self.nodes if node.name == name]
        if not given or placeholders not in ([], ["Placeholder"]):
            raise ModelFileError("its restore reads another file.", self.path)

    def _check_entries(self, savers, own):
        """Nothing that a user can call is a function of the saver."""
        for signature in self.meta_graph.signature_def.values():
            for info in signature.outputs.values():
                if info.name.partition(":")[0] in own:
                    raise ModelFileError("a signature calls its saver.", self.path)
        objects = self.meta_graph.object_graph_def
        named = set(objects.concrete_functions)
        for node in objects.nodes:
            named |= set(node.function.concrete_functions)
            named.add(node.bare_concrete_function.concrete_function_name)
        if named & savers:
            raise ModelFileError("one of its objects calls its saver.", self.path)

    def _check_node(self, node, owner, allowed):
        if node.op not in allowed and node.op not in self.functions:
            raise ModelFileError(
                "operations must only compute. Received: "
                f"{bounded(node.op, 100)!r} in {bounded(owner, 100)}. If you trust the "
                "model, allow it by `operations`, or load it with tf.saved_model.load.",
                self.path,
            )

    def _check_constants(self):
        """Constants may be one number with a shape: the shapes are counted."""
        objects = self.meta_graph.object_graph_def.nodes
        users = collections.Counter(node.constant.operation for node in objects)
        total, bodies = 0, [self.nodes]
        bodies += [function.node_def for function in self.functions.values()]
        for nodes in bodies:
            for node in nodes:
                times = users[node.name] if nodes is self.nodes else 1
                for value in node.attr.values():
                    for tensor in (value.tensor, *value.list.tensor):
                        total += max(times, 1) * self._bytes_of(tensor)
        if total > MAX_CONSTANT_BYTES:
            raise ModelFileError(
                f"its constants claim {total} bytes, at most {MAX_CONSTANT_BYTES} are "
                "read.",
                self.path,
            )

    def _bytes_of(self, tensor):
        """Bytes of a constant once it is made."""
        import tensorflow as tf

        if not tensor.dtype:
            return 0
        dtype = tf.as_dtype(tensor.dtype)
        if dtype in (tf.resource, tf.variant):
            raise ModelFileError(
                f"constants are numbers and texts. Received: {dtype.name}.", self.path
            )
        size = dtype.size or 1
        if dtype == tf.string:  # an object of Python, and one of TensorFlow
            size = 32 + max(map(len, tensor.string_val), default=0)
        return math.prod(abs(dim.size) for dim in tensor.tensor_shape.dim) * size
