"""The files of a run folder."""

import os
import resource
import warnings

import numpy as np
import pytest

from kerasseg import files, zoo
from kerasseg.training import checkpoints, run_files
from tests.training import training_cases as cases


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    cases.fit(cases.make_step(), tmp_path, steps=4)
    other = cases.make_step(cases.network(norm=True))
    with pytest.raises(checkpoints.CheckpointError, match=r"Missing.*gamma"):
        cases.fit(other, tmp_path)


def test_a_full_disk_stops_the_run_and_spares_what_is_saved(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    cases.fit(cases.make_step(), tmp_path, steps=4)
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(files.WriteError, match="No space left"):
        cases.fit(cases.make_step(), tmp_path, steps=8)
    monkeypatch.undo()
    path = checkpoints.latest(tmp_path / "checkpoints")
    assert checkpoints.read(path).step == 4


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = cases.fit(cases.make_step(), steps=4, validate=cases.scores(0.5))
    assert (result.best, list(tmp_path.iterdir())) == (0.5, [])


def test_the_best_weights_are_the_averaged_ones_of_the_best_epoch(tmp_path):
    step, seen = cases.full_step(), []

    def validate():
        seen.append(step.model.get_weights())
        return {"mean_iou": (0.1, 0.9, float("nan"))[len(seen) - 1]}

    result = cases.fit(step, tmp_path, validate=validate)
    assert (result.best, result.best_step) == (0.9, 8)
    model = cases.network(norm=True, dropout=0.3)
    model.load_weights(tmp_path / "best.weights.h5")
    for saved, wanted in zip(model.get_weights(), seen[1]):
        np.testing.assert_array_equal(saved, wanted)


def test_best_weights_that_are_gone_are_made_again_from_the_last_step(tmp_path):
    path = tmp_path / "best.weights.h5"
    step = cases.full_step()
    cases.fit(step, tmp_path, steps=8, validate=cases.scores(0.5, 0.6))
    model = cases.network(norm=True, dropout=0.3)
    model.load_weights(path)
    best = model.get_weights()
    path.unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        cases.fit(cases.full_step(), tmp_path, steps=8, validate=cases.scores())
    model.load_weights(path)
    for saved, wanted in zip(model.get_weights(), best):
        np.testing.assert_array_equal(saved, wanted)


@pytest.mark.parametrize(
    "numbers, message",
    [((0.9, 0.5), "step 4 with 0.9 are lost"), ((float("nan"),) * 2, "no epoch had")],
)
def test_best_weights_that_are_lost_are_said_to_be(tmp_path, numbers, message):
    options = {"steps": 8, "folder": tmp_path}

    def fit():
        cases.fit(cases.make_step(), validate=cases.scores(*numbers), **options)

    if numbers[0] > 0:
        fit()
        (tmp_path / "best.weights.h5").unlink()
    with pytest.warns(UserWarning, match=rf"{message}.*Those of the last step, 8"):
        fit()
    assert (tmp_path / "best.weights.h5").exists()
    fit()  # without a warning


def test_a_third_checkpoint_left_by_a_kill_goes_at_the_next_start(tmp_path):
    cases.fit(cases.make_step(), tmp_path, steps=8)
    (tmp_path / "checkpoints/checkpoint-000000001.safetensors").touch()
    cases.fit(cases.make_step(), tmp_path, steps=8)
    assert len(list((tmp_path / "checkpoints").iterdir())) == 2


@pytest.mark.parametrize("limit", [0, 100, 3000, 9000, 12000])
def test_best_weights_on_a_full_disk_are_an_error_and_no_crash(tmp_path, limit):
    model, folder = cases.network(), run_files.RunFolder(tmp_path)
    access = run_files.RunFiles(folder, is_writer=True)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(files.WriteError, match=r"best.weights.h5: File too large"):
            access.save_best_weights(model)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())
    model.load_weights(access.save_best_weights(model))


def test_the_space_reserved_for_the_best_weights_is_enough(tmp_path, monkeypatch):
    reserved = []
    monkeypatch.setattr(files, "reserve", lambda path, size: reserved.append(size))
    access = run_files.RunFiles(run_files.RunFolder(tmp_path), is_writer=True)
    model = zoo.unet(3, "tiny", encoder_weights=None)
    assert access.save_best_weights(model).stat().st_size < reserved[0]
