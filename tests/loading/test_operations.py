"""Operations of SavedModels: those that compute, and none that reach out."""

import pytest
import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from kerasseg import loading
from kerasseg.loading import operations
from tests.loading.written import save


def test_operations_of_the_lists_exist_and_do_not_reach_out():
    lists = (operations.COMPUTES, operations.SAVES, operations.RESTORES)
    for name in frozenset.union(*lists):
        assert op_def_registry.get(name) is not None, name
    for part in ("File", "Immutable", "Dataset", "Print", "Func", "Table", "Proto"):
        assert not [name for name in operations.COMPUTES if part in name]
    assert not operations.COMPUTES & (operations.SAVES | {"RestoreV2"})


def after(effect):
    """A function that returns its argument, after an effect."""

    def function(x):
        with tf.control_dependencies([effect(x)]):
            return tf.identity(x)

    return function


@pytest.mark.parametrize(
    "function, operation",
    [
        (tf.io.read_file, "ReadFile"),
        (after(lambda name: tf.io.write_file(name, "x")), "WriteFile"),
        (tf.io.matching_files, "MatchingFiles"),
        (after(lambda text: tf.print(text)), "PrintV2"),
        (lambda x: tf.py_function(lambda y: y, [x], "string"), "EagerPyFunc"),
        (lambda x: tf.raw_ops.Restore(file_pattern=x, tensor_name="a", dt=1), "Rest"),
    ],
)
def test_operations_that_reach_out_are_refused_by_name(tmp_path, function, operation):
    path = save(function, tmp_path / "model")
    with pytest.raises(loading.ModelFileError, match=f"Received: '{operation}"):
        loading.load_saved_model(path)


def test_an_operation_inside_a_branch_is_found(tmp_path):
    def choose(x):
        return tf.cond(tf.strings.length(x) > 3, lambda: tf.io.read_file(x), lambda: x)

    path = save(choose, tmp_path / "model")
    with pytest.raises(loading.ModelFileError, match="'ReadFile'"):
        loading.load_saved_model(path)


def function(graph, word, absent="traced"):
    library = graph.graph_def.library.function
    names = {f.signature.name: f for f in library}
    return next(f for n, f in names.items() if word in n and absent not in n)
