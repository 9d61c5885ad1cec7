"""SavedModels: ours load, those that touch files are refused before loading."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from kerasseg import export, loading, zoo
from kerasseg.loading import operations
from tests.contracts import cases, discs, objects
from tests.loading.written import save


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    model = zoo.unet(2, encoder="tiny", decoder_filters=[4] * 5)
    path = tmp_path_factory.mktemp("exported")
    return export.saved_model(model, path / "model", warm_up_sizes=())


def test_an_exported_model_loads_and_answers(exported, rng):
    serve = loading.load_saved_model(exported).signatures["serving_default"]
    image = rng.integers(0, 255, [1, 32, 48, 3]).astype("uint8")
    answer = serve(images=tf.constant(image))
    assert answer["class_ids"].shape == (1, 32, 48)


def test_its_encoded_signature_and_twin_are_allowed_too(exported):
    twin = exported.parent.with_name(exported.parent.name + "_float") / exported.name
    loading.check_saved_model(twin)


def build(name):
    """Any builder's model, small."""
    if name in objects.SMALL:
        return objects.build(name)
    return discs.build(name) if name in discs.SMALL else cases.build(name, "tiny")


ONE_OF_EACH_TASK = ["fast_scnn", "center_mask", "stardist", "panoptic_deeplab"]


# The first, the smallest, is tried by the quick tests.
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] * (name != "fast_scnn"))
        for name in ONE_OF_EACH_TASK
    ],
)
def test_our_exports_load(tmp_path, name):
    names = ["disc", "square"] if name in objects.SMALL else None
    ours = export.saved_model(
        build(name), tmp_path / "ours", class_names=names, warm_up_sizes=()
    )
    assert loading.load_saved_model(ours).signatures
    loading.check_saved_model(tmp_path / "ours_float" / ours.name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_OF_EACH_TASK)
def test_exports_by_keras_load(tmp_path, name):
    build(name).export(str(tmp_path / "keras"), verbose=False)
    assert loading.load_saved_model(tmp_path / "keras").signatures


@pytest.mark.slow
@pytest.mark.parametrize("name", zoo.BUILDERS)
def test_operations_of_every_builder_are_allowed(name):
    model = build(name)
    size = tf.TensorSpec([None, *model.input_shape[1:]])
    graph = tf.function(model).get_concrete_function(size).graph.as_graph_def()
    functions = graph.library.function
    nodes = [*graph.node, *(node for one in functions for node in one.node_def)]
    assert {node.op for node in nodes} <= operations.COMPUTES


@pytest.mark.slow
def test_an_export_of_many_layers_of_keras_loads(tmp_path, rng):
    layers = keras.layers
    x = inputs = keras.Input((16, 16, 3))
    for layer in (
        *(layers.RandomFlip(), layers.Resizing(16, 16), layers.ZeroPadding2D(1)),
        *(layers.Conv2D(8, 3, activation="gelu"), layers.SeparableConv2D(8, 3)),
        *(layers.LayerNormalization(), layers.GroupNormalization(2)),
        *(layers.UnitNormalization(), layers.PReLU(), layers.SpatialDropout2D(0.1)),
        *(layers.Conv2DTranspose(8, 3), layers.AveragePooling2D(2)),
        *(layers.Reshape((-1, 8)), layers.GRU(8, return_sequences=True)),
        *(layers.Bidirectional(layers.LSTM(4, return_sequences=True)), layers.Dense(8)),
    ):
        x = layer(x)
    x = layers.MultiHeadAttention(2, 4)(x, x)
    model = keras.Model(inputs, layers.Softmax()(layers.GlobalMaxPooling1D()(x)))
    model.export(str(tmp_path / "model"), verbose=False)
    served = loading.load_saved_model(tmp_path / "model").signatures["serving_default"]
    image = rng.uniform(0, 1, [2, 16, 16, 3]).astype("float32")
    (answer,) = served(tf.constant(image)).values()
    np.testing.assert_allclose(answer, model(image), rtol=1e-4, atol=1e-6)


def changed(path, change):
    """The SavedModel of a folder after `change(meta_graph, saver function's name)`."""
    file = path / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    graph = saved.meta_graphs[0]
    names = [f.signature.name for f in graph.graph_def.library.function]
    change(graph, next(name for name in names if "traced_save" in name))
    file.write_bytes(saved.SerializeToString())
    return path


def function(graph, word, absent="traced"):
    library = graph.graph_def.library.function
    names = {f.signature.name: f for f in library}
    return next(f for n, f in names.items() if word in n and absent not in n)


def call_in_a_function(graph, saver):
    call = function(graph, "").node_def.add(name="sneaky", op="PartitionedCall")
    call.attr["f"].func.name = saver


def call_in_a_branch(graph, saver):
    """Behind the attribute of a function in an attribute."""
    call = function(graph, "").node_def.add(name="sneaky", op="If")
    call.attr["then_branch"].func.attr["inner"].func.name = saver


def call_by_name(graph, saver):
    function(graph, "").node_def.add(name="sneaky", op=saver)


def call_in_the_graph(graph, saver):
    graph.graph_def.node.add(name="sneaky", op=saver)


def as_an_object(graph, saver):
    node = graph.object_graph_def.nodes.add()
    node.function.concrete_functions.append(saver)


def as_a_bare_function(graph, saver):
    node = graph.object_graph_def.nodes.add()
    node.bare_concrete_function.concrete_function_name = saver


def as_a_concrete_function(graph, saver):
    graph.object_graph_def.concrete_functions[saver].bound_inputs.append(0)


def as_a_signature(graph, saver):
    output = graph.signature_def["serving_default"].outputs["x"]
    output.name = graph.saver_def.save_tensor_name


def as_the_restore(graph, saver):
    graph.saver_def.restore_op_name = graph.saver_def.save_tensor_name[:-2]


def in_the_restore(graph, saver):
    function(graph, "traced_restore", "sav_").node_def.add(name="x", op="SaveV2")


def as_a_restore_of_an_object(graph, saver):
    node = graph.object_graph_def.nodes.add()
    node.variable.SetInParent()
    node.saveable_objects["x"].restore_function = 1


def in_a_table(graph, saver):
    graph.object_graph_def.nodes.add().resource.device = "CPU"


def in_an_asset(graph, saver):
    graph.asset_file_def.add().filename = "../../../etc/passwd"


def by_code_found_by_name(graph, saver):
    graph.object_graph_def.nodes[0].user_object.identifier = "_tf_keras_layer"


def under_the_name_of_an_operation(graph, saver):
    function(graph, "").signature.name = "ReadFile"


def without_objects(graph, saver):
    graph.ClearField("object_graph_def")


def in_a_large_constant(graph, saver):
    value = function(graph, "").node_def.add(name="big", op="Const").attr["value"]
    value.tensor.dtype = 1
    value.tensor.tensor_shape.dim.add().size = 10**10
    value.tensor.float_val.append(0)


def in_a_constant_of_many_objects(graph, saver):
    node = graph.graph_def.node.add(name="big", op="Const")
    value = node.attr["value"].tensor
    value.dtype = 1
    value.tensor_shape.dim.add().size = 2**25
    value.float_val.append(0)
    for _ in range(9):
        graph.object_graph_def.nodes.add().constant.operation = "big"


def in_a_constant_of_texts(graph, saver):
    node = graph.graph_def.node.add(name="big", op="Const")
    value = node.attr["value"].tensor
    value.dtype = 7
    value.tensor_shape.dim.add().size = 2**24
    value.string_val.append(b"x" * 60)


def in_a_constant_that_is_a_resource(graph, saver):
    """TensorFlow 2.21 ends the process for some that are read from a file."""
    value = function(graph, "").node_def.add(name="x", op="Const").attr["value"]
    value.tensor.dtype = 21
    value.tensor.variant_val.add().type_name = "tensorflow::TensorList"


def on_the_class_of_tensors(graph, saver):
    objects = graph.object_graph_def.nodes
    variable = next(n for n in objects if n.WhichOneof("kind") == "variable")
    variable.children.add().local_name = "__call__"


def in_many_functions(graph, saver):
    for i in range(10_000):
        graph.graph_def.library.function.add().signature.name = f"f{i}"


def in_many_objects(graph, saver):
    for _ in range(200_000):
        graph.object_graph_def.nodes.add().user_object.identifier = ""


def in_a_gradient(graph, saver):
    body = graph.graph_def.library.function.add()
    body.signature.name = "never_called"
    body.node_def.add(name="x", op="ImmutableConst")


def by_a_function_of_the_program(graph, saver):
    call = function(graph, "").node_def.add(name="sneaky", op="PartitionedCall")
    call.attr["f"].func.name = "__inference_delete_all_7"


def in_a_restore_of_another_file(graph, saver):
    body = function(graph, "traced_restore", "sav_")
    value = body.node_def.add(name="other", op="Const").attr["value"].tensor
    value.dtype = 7
    value.string_val.append(b"/home/me/secret/variables")
    next(n for n in body.node_def if n.op == "RestoreV2").input[0] = "other:output:0"


def in_a_restore_that_is_given_another_file(graph, saver):
    node = graph.graph_def.node.add(name="other", op="Const")
    node.attr["value"].tensor.dtype = 7
    names = {n.name: n for n in graph.graph_def.node}
    names[graph.saver_def.restore_op_name].input[0] = "other"


CHANGES = [
    *(call_in_a_function, call_in_a_branch, call_by_name, call_in_the_graph),
    *(as_an_object, as_a_bare_function, as_a_concrete_function, as_a_signature),
    *(as_the_restore, in_the_restore, as_a_restore_of_an_object, in_a_table),
    *(in_an_asset, by_code_found_by_name, under_the_name_of_an_operation),
    *(without_objects, in_a_large_constant, in_a_gradient),
    *(by_a_function_of_the_program, in_a_restore_of_another_file),
    *(in_a_restore_that_is_given_another_file, in_a_constant_of_many_objects),
    *(in_a_constant_of_texts, in_a_constant_that_is_a_resource),
    *(on_the_class_of_tensors, in_many_functions, in_many_objects),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_way_around_the_lists_is_refused(tmp_path, change):
    path = save(tf.strings.upper, tmp_path / "model")
    loading.check_saved_model(path)
    with pytest.raises(loading.ModelFileError) as info:
        loading.load_saved_model(changed(path, change))
    assert "not a readable" not in str(info.value)
    assert len(str(info.value)) < 1000


def test_a_constant_that_is_a_local_file_is_refused_even_where_it_is_used(tmp_path):
    def leak(x):
        return tf.raw_ops.ImmutableConst(
            dtype=tf.uint8, shape=[8], memory_region_name="/etc/passwd"
        )

    path = save(leak, tmp_path / "model")
    with pytest.raises(loading.ModelFileError, match="'ImmutableConst'"):
        loading.load_saved_model(path)
    loading.check_saved_model(path, operations=["ImmutableConst"])  # at your own risk


def test_a_second_graph_or_file_format_is_refused(tmp_path):
    path = save(tf.strings.upper, tmp_path / "model")
    file = path / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    saved.meta_graphs.append(saved.meta_graphs[0])
    file.write_bytes(saved.SerializeToString())
    with pytest.raises(loading.ModelFileError, match="Received: 2 graphs"):
        loading.load_saved_model(path)


def test_a_checkpoint_that_claims_more_than_it_stores_is_refused(tmp_path):
    path = save(tf.strings.upper, tmp_path / "model")
    (data,) = (path / "variables").glob("*.data*")
    data.write_bytes(b"")
    with pytest.raises(loading.ModelFileError, match="its variables claim"):
        loading.load_saved_model(path)


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
