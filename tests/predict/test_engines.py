"""Models computed by other runtimes, in prediction and scores."""

import json

import keras
import numpy as np
import pytest

from kerasseg import datasets, evaluate, predict, tasks, zoo
from kerasseg.layers import ResizeLike
from kerasseg.predict import converted, forward, options, runtimes, trials


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASSEG_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/engines"


def needs(name):
    if missing := runtimes.missing(*runtimes.RUNTIMES[name].packages):
        pytest.skip(f"needs {', '.join(missing)}")


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, 2, "same", activation="relu")(image)
    return keras.Model(image, ResizeLike()([keras.layers.Conv2D(3, 1)(x), image]))


@pytest.fixture
def image(rng):
    return rng.integers(0, 256, (45, 64, 3), "uint8")


@pytest.mark.parametrize("name", list(runtimes.RUNTIMES))
def test_prediction_by_an_engine_is_that_of_the_model(name, model, image):
    needs(name)
    fast = predict.engine(model, name)
    expected = predict.class_ids(model, image)
    np.testing.assert_array_equal(predict.class_ids(fast, image), expected)
    np.testing.assert_array_equal(tasks.predict(fast, image), expected)
    options = {"tile_px": 32, "flips": True}
    np.testing.assert_allclose(
        predict.probabilities(fast, image, **options),
        predict.probabilities(model, image, **options),
        atol=1e-5,
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", list(runtimes.RUNTIMES))
def test_scores_by_an_engine_are_those_of_the_model(name):
    needs(name)
    model, samples = zoo.load("shapes"), datasets.shapes(6, size=(64, 80), seed=1)
    scores = [
        evaluate.score(x, samples)["mean_iou"]
        for x in (model, predict.engine(model, name))
    ]
    assert scores[0] == pytest.approx(scores[1], abs=1e-4)


@pytest.fixture
def runtime(monkeypatch):
    """A runtime "litert" that needs no package and computes with `answer`."""

    def pretend(answer):
        calls = []

        def write(model, function, path, format):
            calls.append(function)
            path.write_bytes(b"file")

        def load(path):
            return runtimes.Program(
                lambda images: answer(calls[-1], images), "float32", {}, {}
            )

        row = runtimes.RUNTIMES["litert"]._replace(module="json", load=load)
        for name in runtimes.RUNTIMES:
            absent = runtimes.RUNTIMES[name]._replace(module="no_such_module")
            monkeypatch.setitem(runtimes.RUNTIMES, name, absent)
        monkeypatch.setitem(runtimes.RUNTIMES, "litert", row)
        monkeypatch.setattr("importlib.metadata.version", lambda name: "1")
        monkeypatch.setattr("kerasseg.predict.converters.convert", write)
        return calls

    return pretend


def truthful(function, images):
    return {key: x.numpy() for key, x in function(images).items()}


def test_an_engine_that_answers_otherwise_is_refused(runtime, model, image):
    def wrong(function, images):
        answer = truthful(function, images)["answer"]
        return {"answer": 1 - answer}

    runtime(wrong)
    fast = predict.engine(model, "litert")
    with pytest.raises(converted.EngineError, match=r"differs from TensorFlow's by"):
        predict.class_ids(fast, image)
    with pytest.raises(converted.EngineError, match="Use engine='tensorflow'"):
        predict.probabilities(fast, image)


def test_an_engine_that_fails_says_so(runtime, model, image):
    runtime(lambda function, images: 1 / 0)
    with pytest.raises(converted.EngineError, match=r"46, 64.*division by zero"):
        predict.class_ids(predict.engine(model, "litert"), image)


def test_converted_files_are_kept_for_the_same_weights_only(
    runtime, model, image, cache
):
    written = runtime(truthful)
    for _ in range(2):
        predict.class_ids(predict.engine(model, "litert"), image)
    assert len(written) == 1 and len(list(cache.glob("*/*.tflite"))) == 1
    model.layers[1].bias.assign(keras.ops.ones([4]))
    found = predict.class_ids(predict.engine(model, "litert"), image)
    assert len(written) == 2
    np.testing.assert_array_equal(found, predict.class_ids(model, image))


def test_few_converted_files_are_kept(runtime, model, image, cache, monkeypatch):
    monkeypatch.setattr(converted, "MOST", 2)
    runtime(truthful)
    for value in range(4):
        model.layers[1].bias.assign(keras.ops.full([4], float(value)))
        predict.class_ids(predict.engine(model, "litert"), image)
    assert len(list(cache.glob("*/*.tflite"))) == 2


def test_auto_takes_the_fastest_and_remembers_it(
    runtime, model, image, cache, monkeypatch
):
    runtime(truthful)
    tried = []

    def medians(cases, repeats=5):
        tried.append(list(cases))
        return {"tensorflow": 2.0, "litert": 1.0}

    monkeypatch.setattr(trials, "medians", medians)
    for _ in range(2):
        fast = predict.engine(model)
        np.testing.assert_array_equal(
            predict.class_ids(fast, image), predict.class_ids(model, image)
        )
    assert tried == [["tensorflow", "litert"]]
    (known,) = json.loads((cache / "trials.json").read_text()).values()
    assert known == {"engine": "litert", "ms": {"tensorflow": 2.0, "litert": 1.0}}
    predict.class_ids(fast, np.tile(image, (2, 2, 1)))  # another size
    assert len(tried) == 2


def test_auto_does_without_engines_that_fail(runtime, model, image):
    runtime(lambda function, images: 1 / 0)
    found = predict.class_ids(predict.engine(model), image)
    np.testing.assert_array_equal(found, predict.class_ids(model, image))


def test_a_cache_that_cannot_be_written_is_no_obstacle(
    runtime, model, image, monkeypatch, tmp_path
):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("KERASSEG_HOME", str(tmp_path / "file"))
    runtime(truthful)
    for name in ("litert", "auto"):
        predict.class_ids(predict.engine(model, name), image)


def test_engines_are_named(model):
    assert predict.engine(model, "tensorflow") is model
    with pytest.raises(ValueError, match="Did you mean 'openvino'"):
        predict.engine(model, "openvno")


def test_a_missing_engine_is_named_with_its_extra(runtime, model):
    runtime(truthful)
    with pytest.raises(ImportError, match=r"'kerasseg\[openvino\]'"):
        predict.engine(model, "openvino")


def test_only_tensorflow_builds_models_of_other_sizes(runtime, model):
    runtime(truthful)
    with pytest.raises(ValueError, match="Only TensorFlow"):
        forward.of_size(predict.engine(model, "litert"), None, image_size=(64, 64))


def test_names_of_engines_are_those_of_the_runtimes():
    assert {*options.ENGINES} == {"auto", "tensorflow", *runtimes.RUNTIMES}
