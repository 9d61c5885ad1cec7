import dataclasses
import types

import numpy as np
import pytest

from kerasseg.instance.instances import Instances
from kerasseg.predict.options import ClassMapOptions, InstanceOptions
from kerasseg.tasks import choosing


def square(at, score):
    """A mask [12, 12] of 4 x 4 pixels at a corner, and its score."""
    mask = np.zeros([12, 12], bool)
    mask[at : at + 4, at : at + 4] = True
    return mask, score


def sample(*squares):
    ids = np.zeros([1, 12, 12], "int32")
    for number, (mask, _) in enumerate(squares, 1):
        ids[0, mask] = number
    classes = np.ones(len(squares), "int32")
    return {"image": np.zeros([12, 12, 3]), "instances": ids, "classes": classes}


def finder(*squares):
    """A task whose scorer finds these squares in every image."""
    masks = np.stack([mask for mask, _ in squares])
    scores = np.float32([score for _, score in squares])
    boxes = np.zeros([len(scores), 4], "float32")
    found = Instances(boxes, np.zeros(len(scores), "int32"), scores, masks)

    def scorer(model, samples, options):
        assert options.score_threshold == 0.1  # or objects of lower scores are missed
        return types.SimpleNamespace(predict=lambda images: [found for _ in images])

    return types.SimpleNamespace(scorer=scorer)


def test_the_threshold_lies_between_true_and_false_objects():
    task = finder(square(0, 0.82), square(5, 0.33))
    found, tried = choosing.threshold(
        task, None, [sample(square(0, 1))], InstanceOptions(), {}
    )
    # 0.35 to 0.80 leave the false one out and keep the true one: ten scores.
    assert found == {"score_threshold": pytest.approx(0.6)}
    by_score = {one["score_threshold"]: one["label_ap"] for one in tried}
    assert by_score[0.35] == by_score[0.8] == 1
    assert by_score[0.3] == pytest.approx(0.5)  # one true, one false
    assert by_score[0.85] == 0


def test_without_objects_no_threshold_is_chosen():
    task = finder(square(0, 0.05))
    assert choosing.threshold(task, None, [sample()], InstanceOptions(), {}) == ({}, [])


@dataclasses.dataclass
class FlipScorer:
    """Stands for the scorer of class maps; flips gain what the model says."""

    model: float
    samples: list
    options: ClassMapOptions

    def predict(self, images):
        return [np.zeros(image.shape[:2], "int32") for image in images]

    def add(self, sample, found):
        pass

    def result(self):
        return {"mean_iou": 0.5 + self.model * (self.options.flips == "both")}


@pytest.mark.parametrize(
    ("gain", "chosen"), [(0.003, "both"), (0.001, False), (-0.1, False)]
)
def test_flips_must_be_worth_their_time(gain, chosen):
    task = types.SimpleNamespace(scorer=FlipScorer)
    samples = [{"image": np.zeros([4, 4, 3])}]
    found, tried = choosing.class_map(
        task, gain, samples, ClassMapOptions(), {"augment": {"flip": "both"}}
    )
    assert found == {"flips": chosen, "min_area_px": 1}
    assert [one["flips"] for one in tried] == [False] * 5 + ["both"] * 5
    known = {"predict": {"min_area_px": 9}}
    for recipe in ({"flip": None}, {"name": "standard"}):  # which do not flip
        given = ClassMapOptions(min_area_px=9), {"augment": recipe, **known}
        found, tried = choosing.class_map(task, gain, samples, *given)
        assert found == {} and [one["min_area_px"] for one in tried] == [9]


def test_a_least_area_goes_between_false_and_true_regions():
    label = np.zeros([40, 40], "int32")
    label[5:17, 5:17] = 1  # 144 px
    wrong = label.copy()
    wrong[30:35, 30:35] = 1  # 25 px

    class Scorer(FlipScorer):
        def __init__(self, *given):
            super().__init__(*given)
            self.right = []

        def predict(self, images):
            return [wrong for _ in images]

        def add(self, sample, found):
            self.right.append((found == sample["label"]).mean())

        def result(self):
            return {"mean_iou": np.mean(self.right)}

    samples = [{"image": np.zeros([40, 40, 3]), "label": label}] * 2
    given = ClassMapOptions(), {"augment": {}}
    found, tried = choosing.class_map(
        types.SimpleNamespace(scorer=Scorer), None, samples, *given
    )
    assert found == {"min_area_px": 32}
    assert [one["min_area_px"] for one in tried] == [*choosing.AREAS]
    assert len({one["flips"] for one in tried}) == 1


def test_without_a_score_nothing_is_chosen():
    class Scorer(FlipScorer):
        def result(self):
            return {"mean_iou": None}

    task, samples = types.SimpleNamespace(scorer=Scorer), [{"image": np.zeros([4, 4])}]
    given = ClassMapOptions(), {"augment": {"flip": "both"}}
    assert choosing.class_map(task, 0, samples, *given) == ({}, [])
