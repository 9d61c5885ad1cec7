import pytest

from kerasseg.plan import length
from kerasseg.plan.length import Budget
from kerasseg.plan.picking import Trial

FAST = Trial(setup_s=10, step_s=0.1, batch_size=4, image_s=0.1, peak_mb=400)


def choose(trial=FAST, task="semantic", batch=None, **budget):
    known = {"seconds": 900, "check_s": 5, "num_val": 20, "num_chosen": 60}
    found = length.choose(task, trial, Budget(**{**known, **budget}), batch=batch)
    return {one.key: one.value for one in found}


def spent(found, trial, *, num_val=20, num_chosen=60, check_s=5):
    """Seconds that a training of these choices takes, reckoned from the trial."""
    steps = found["epochs"] * found["steps_per_epoch"]
    images = num_val * (found["epochs"] + 1) + num_chosen
    step_s = trial.step_s * found["batch_size"] / trial.batch_size
    return check_s + trial.setup_s + steps * step_s + images * trial.image_s


@pytest.mark.parametrize("seconds", [60, 180, 900, 2700])
@pytest.mark.parametrize("step_s", [0.02, 0.1, 0.5])
def test_the_schedule_ends_when_the_time_ends(seconds, step_s):
    trial = Trial(setup_s=10, step_s=step_s, batch_size=4, image_s=0.1)
    found = choose(trial, seconds=seconds)
    assert 0.8 * seconds <= spent(found, trial) <= seconds


def test_validations_take_a_small_part_of_the_time():
    slow = Trial(setup_s=10, step_s=0.1, batch_size=4, image_s=2.0)
    found = choose(slow)
    # 40 s each, of 680 s that are left: 15 % are 102 s.
    assert found["epochs"] == 2
    assert choose()["epochs"] == 10


def test_batches_grow_while_there_are_steps_enough():
    assert choose()["batch_size"] == 32  # 25 ms per crop: 0.8 s, 1000 steps
    assert choose(seconds=60)["batch_size"] == 4
    assert choose(batch=6)["batch_size"] == 6


def test_batches_fit_into_the_memory():
    # 100 MB per crop of at most 70 % of 1200 MB.
    assert choose(free_mb=1200)["batch_size"] == 8


def test_too_little_time_is_told_with_what_takes_it():
    slow = Trial(setup_s=30, step_s=1.0, batch_size=4, image_s=5.0)
    with pytest.raises(
        ValueError,
        match=r"setting up takes 30 s.*20 images 5\.00 s each.*at least 8 min",
    ):
        choose(slow, seconds=120)


def test_averages_and_warm_up_follow_from_the_steps():
    few, many = choose(seconds=60), choose(FAST, seconds=36_000)
    assert 0.9 <= few["ema_decay"] < many["ema_decay"] == 0.998
    assert few["warmup_epochs"] * few["steps_per_epoch"] < 30


def test_without_validation_images_there_is_still_an_end():
    found = choose(num_val=0, num_chosen=0)
    assert found["epochs"] == 10
