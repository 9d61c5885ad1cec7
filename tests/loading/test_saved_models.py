"""SavedModels: ours load, those that touch files are refused before loading."""

import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from kerasseg import export, loading, zoo


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    model = zoo.unet(2, encoder="tiny", decoder_filters=[4] * 5)
    path = tmp_path_factory.mktemp("exported")
    return export.saved_model(model, path / "model", warm_up_sizes=())


def save(function, folder):
    """A SavedModel of one function of a string."""
    module = tf.Module()
    module.weight = tf.Variable(1.0)
    signature = [tf.TensorSpec([], "string")]
    module.call = tf.function(function, input_signature=signature, autograph=False)
    tf.saved_model.save(module, str(folder))
    return folder


def test_an_exported_model_loads_and_answers(exported, rng):
    serve = loading.load_saved_model(exported).signatures["serving_default"]
    image = rng.integers(0, 255, [1, 32, 48, 3]).astype("uint8")
    answer = serve(images=tf.constant(image))
    assert answer["class_ids"].shape == (1, 32, 48)


def test_its_encoded_signature_and_twin_are_allowed_too(exported):
    twin = exported.parent.with_name(exported.parent.name + "_float") / exported.name
    loading.check_saved_model(twin)


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


def test_a_function_that_calls_the_saver_is_refused(tmp_path):
    path = save(tf.strings.upper, tmp_path / "model")
    loading.check_saved_model(path)
    file = path / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    library = saved.meta_graphs[0].graph_def.library.function
    name = next(f.signature.name for f in library if "traced_save" in f.signature.name)
    victim = next(f for f in library if "traced" not in f.signature.name)
    call = victim.node_def.add(name="sneaky", op="StatefulPartitionedCall")
    call.attr["f"].func.name = name
    file.write_bytes(saved.SerializeToString())
    with pytest.raises(loading.ModelFileError, match="calls its saver"):
        loading.check_saved_model(path)


def test_links_and_damaged_files_are_refused(tmp_path):
    with pytest.raises(loading.ModelFileError, match="a SavedModel is a folder"):
        loading.check_saved_model(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"\xff\xff")
    with pytest.raises(loading.ModelFileError, match="is damaged"):
        loading.check_saved_model(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(loading.ModelFileError, match="holds no graph"):
        loading.check_saved_model(tmp_path)
    (tmp_path / "variables").symlink_to("/etc")
    with pytest.raises(loading.ModelFileError, match="is a link"):
        loading.check_saved_model(tmp_path)
