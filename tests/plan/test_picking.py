import pytest

from kerasseg.plan import picking
from kerasseg.plan.candidates import Candidate
from kerasseg.plan.length import Budget
from kerasseg.plan.picking import Trial

BUDGET = Budget(seconds=1000, check_s=0, num_val=0, num_chosen=0)


def pick(*trials, least_steps=100):
    tried = {f"{i}": x for i, x in enumerate(trials)}
    some = [
        Candidate(x, {"architecture": "unet"}, "", least_steps=least_steps)
        for x in tried
    ]
    found, why = picking.pick(some, tried, dict.fromkeys(tried, BUDGET))
    assert all(f"{name}: " in why for name in tried)
    return int(found.name)


def trial(step_s, score=None, **more):
    scores = {} if score is None else {"as it is": score}
    return Trial(step_s=step_s, batch_size=4, scores=scores, **more)


def test_the_best_score_of_equally_long_trials_wins():
    assert pick(trial(1.0, 0.5), trial(2.0, 0.7)) == 1
    assert pick(trial(2.0, 0.705), trial(1.0, 0.7)) == 1  # as good, and faster
    assert pick(trial(1.0, 0.7), trial(1.0, 0.5)) == 0


def test_the_reason_says_which_model_did_best():
    some = [Candidate(x, {"architecture": "unet"}, "") for x in "ab"]

    def why(*trials):
        tried = dict(zip("ab", trials))
        return picking.pick(some, tried, dict.fromkeys("ab", BUDGET))[1]

    assert why(trial(1.0, 0.5), trial(2.0, 0.7)).startswith("it did best")
    assert why(trial(2.0, 0.705), trial(1.0, 0.7)).startswith("within 1 % of the best")


def test_without_scores_the_first_that_there_is_time_for_wins():
    assert pick(trial(1.0), trial(0.1)) == 0  # 950 steps
    assert pick(trial(10.0), trial(0.1)) == 1  # 95 steps are too few
    assert pick(trial(1000.0), trial(500.0)) == 1  # neither: the better of both


def test_what_failed_is_left_out_and_told():
    assert pick(Trial(error="too little memory"), trial(1.0)) == 1
    with pytest.raises(ValueError, match=r"No model can be trained.*too little memory"):
        pick(Trial(error="too little memory"))


@pytest.mark.parametrize(
    ("kind", "before", "init"),
    [
        ("semantic", 0.7, "vessels"),
        ("semantic", 0.5, ""),  # what a model reaches that sees the background only
        ("stars", 0.4, "vessels"),
        ("stars", 0.0, ""),
        ("stars", None, "vessels"),  # was not scored
    ],
)
def test_published_weights_must_know_the_data(kind, before, init):
    one = Candidate("a", {}, "", kind=kind, init="vessels")
    assert picking.settled(one, trial(1.0, before=before)).init == init
