"""The environment of a run, compared on resume."""

import numpy as np
import pytest

from kerasseg import datasets, evaluate, predict, runs, tasks, zoo
from kerasseg.images import write_image
from kerasseg.runs import devices
from tests.training import forks
from tests.training import training_cases as cases


def test_another_environment_is_reported_on_resume(tmp_path):
    cases.fit(cases.make_step(), tmp_path, steps=4)
    with pytest.warns(UserWarning, match="accumulate was 1, is 2"):
        cases.fit(cases.make_step(accumulate=2), tmp_path, steps=8)


def test_a_fork_of_a_process_that_has_used_tensorflow_is_told_what_to_do(tmp_path):
    step = cases.make_step()

    def train():
        with pytest.raises(RuntimeError, match=r"Fork before .*or start .*'spawn'"):
            cases.fit(step, tmp_path / "run")
        with pytest.raises(RuntimeError, match=r"process of its own. Received: a fork"):
            devices.prepare()
        with pytest.raises(RuntimeError, match=r"process of its own. Received: a fork"):
            runs.evaluate(tmp_path)

    assert forks.run(train) == 0
    cases.fit(step, steps=2)  # in the process itself all is well


def test_a_fork_cannot_predict_or_evaluate_and_is_told_at_once(tmp_path):
    model, samples = zoo.unet(4, base_filters=4), datasets.shapes(2, size=32)
    image = samples[0]["image"]
    write_image(tmp_path / "a.png", image)
    found = predict.class_ids(model, image)

    def use():
        for function in (
            lambda: predict.class_ids(model, image),
            lambda: predict.predict_tiled(model, image, tile_px=32),
            lambda: tasks.predict(model, image),
            lambda: predict.folder(model, tmp_path, tmp_path / "out"),
            lambda: evaluate.score(model, samples),
        ):
            with pytest.raises(RuntimeError, match=r"Fork before .*or start .*'spawn'"):
                function()

    assert forks.run(use) == 0
    np.testing.assert_array_equal(predict.class_ids(model, image), found)
