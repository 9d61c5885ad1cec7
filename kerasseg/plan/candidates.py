"""Models that a plan tries."""

import dataclasses

import numpy as np

from kerasseg.plan.choices import MASK_STRIDE, THIN_PX, Choice

# Encoders by what they cost, of which the first with weights at hand is taken.
ENCODERS = (
    "efficientnet_lite0",
    "mobilenet_v3_large",
    "resnet18",
    "resnet34",
    "resnet50",
)
LARGER = ("efficientnet_lite2", "resnet34", "resnet50")
LONG_MINUTES = 30  # from which on a larger encoder is tried
WARM = 1 / 3  # of the learning rate, for weights of a whole model
SMALL_BATCH = 4
ROUND = 0.9  # solidity of objects that star-convex polygons describe
WHY = {
    "max_objects": "objects of an image that train the model, the largest ones",
    "init": "published weights that know what validation images show (if they were "
    "trained on these, scores are too good)",
    "clip_norm": "losses of several terms have steep moments",
}


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A model to try.

    Attributes:
        name: for people: "unet efficientnet_lite0".
        model: [model] of a recipe.
        why: reason to try it.
        kind: name of its `tasks.Task`.
        reasons: {option of [model]: text}.
        train, loss: options of [train], and of [loss] for models with their own.
        least_steps: updates below which it has learnt too little to be chosen.
        learning_rate: of its recipe.
        init: published weights to begin with, if they know what the data show.
    """

    name: str
    model: dict
    why: str
    kind: str = "semantic"
    reasons: dict = dataclasses.field(default_factory=dict)
    train: dict = dataclasses.field(default_factory=dict)
    loss: dict = dataclasses.field(default_factory=dict)
    least_steps: int = 150
    learning_rate: float = 1e-3
    init: str = ""

    def choices(self, why):
        """Its part of a recipe: list of `Choice`, the model for the reason `why`."""
        rate, about = self.learning_rate, "the zoo's, from weights of ImageNet"
        if self.init:
            rate, about = rate * WARM, "a third of the zoo's: the weights know much"
        elif "encoder_weights" not in self.model:
            about = "the zoo's, from nothing"
        found = [
            Choice("model", None, self.model, {"architecture": why, **self.reasons}),
            Choice("optimizer", "learning_rate", round(rate, 6), about),
        ]
        found += [
            Choice("train", key, x, WHY.get(key, "")) for key, x in self.train.items()
        ]
        if self.init:
            found.append(Choice("train", "init", self.init, WHY["init"]))
        if self.loss:
            found.append(Choice("loss", None, self.loss, {}))
        return found

    def for_batch(self, size):
        """Further choices for so many crops in a batch: list of `Choice`."""
        begun = "encoder_weights" in self.model and self.kind == "instance"
        if not begun or size >= SMALL_BATCH:
            return []
        reason = f"batches of {size} tell too little of the statistics of the data"
        return [Choice("model", "freeze_norm", True, reason)]


def semantic(facts, pretrained, minutes):
    """Candidates for class maps, the most promising one first.

    Args:
        facts: `DataFacts`.
        pretrained: function of an encoder's name -> whether its weights are at hand.
        minutes: of the training.

    Returns:
        list of `Candidate`.
    """
    thin = facts.width_px is not None and facts.width_px < THIN_PX
    encoder = next(filter(pretrained, ENCODERS), None)
    plain = Candidate(
        "unet plain",
        {"architecture": "unet", "encoder": "plain", "base_filters": 16},
        "no weights to begin with, all resolutions",
        learning_rate=2e-3,
        init="vessels" if thin and _is_colour_binary(facts) else "",
    )
    if encoder is None:
        return [plain]
    fine = _unet(encoder, f"structures of {facts.width_px or 0:g} px at full size")
    coarse = Candidate(
        f"deeplab_v3_plus {encoder}",
        {
            "architecture": "deeplab_v3_plus",
            **_begun(encoder),
            "output_stride": 16,
            "decoder_filters": [128],
        },
        "wide surroundings, fast, outlines at a quarter of the resolution",
    )
    found = [fine, plain] if thin else [coarse, fine]
    larger = next((x for x in LARGER if x != encoder and pretrained(x)), None)
    if larger and minutes >= LONG_MINUTES:
        found.append(_unet(larger, f"a larger encoder for {minutes:g} minutes"))
    return found


def _is_colour_binary(facts):
    """Whether images are those that the weights of the library itself take."""
    return facts.channels == 3 and len(facts.classes) == 2


def _begun(encoder):
    return {"encoder": encoder, "encoder_weights": "imagenet"}


def _unet(encoder, why):
    options = {"decoder_filters": [128, 64, 48, 32, 16]}
    model = {"architecture": "unet", **_begun(encoder), **options}
    return Candidate(f"unet {encoder}", model, why)


def instances(facts, pretrained, crop_size, zoom):
    """Candidates for objects, the most promising one first.

    Args:
        facts: `DataFacts`.
        pretrained: as in `semantic`.
        crop_size: [height, width] of the crops.
        zoom: enlargement of the images.

    Returns:
        list of `Candidate`.
    """
    encoder = next(filter(pretrained, ENCODERS), None)
    begun = _begun(encoder) if encoder else {"encoder": "plain", "base_filters": 16}
    boxes, side = _box_sides(facts, zoom), (crop_size[0] * crop_size[1]) ** 0.5
    detector = {
        **begun,
        "filters": 64,
        "anchor_scales": [round(float(x) / side, 4) for x in boxes],
        "nms": {"num_candidates": 300},
    }
    shared = {
        "kind": "instance",
        "train": {
            "max_objects": _power_of_two(facts.most_objects, 8, 64),
            "clip_norm": 10.0,
        },
        "reasons": {
            "anchor_scales": f"sides of {boxes[0]:.0f} to {boxes[-1]:.0f} px, those of "
            "objects, enlarged and scaled"
        },
        "least_steps": 250,
    }
    exact = Candidate(
        f"mask_rcnn {begun['encoder']}",
        {
            "architecture": "mask_rcnn",
            **detector,
            "hidden": 256,
            "norm": "group",
            # Most boxes are then read at stride 4, the finest level.
            "canonical_box": round(min(2 * float(boxes[-1]) / side, 0.9), 3),
            "num_proposals": 300,
        },
        "boxes with a mask of their own: the most exact of the zoo on nuclei, the "
        "slowest",
        loss={"num_rois": 64},
        **shared,
    )
    if len(facts.classes) == 2 and (facts.solidity or 0) >= ROUND:
        return [exact, _stars(facts, begun)]
    fast = Candidate(
        f"yolact {begun['encoder']}",
        {"architecture": "yolact", **detector},
        "boxes with masks made of common parts: faster",
        **shared,
    )
    return [exact, fast]


def _stars(facts, begun):
    coarse = facts.side_px[2] >= 12
    model = {"architecture": "stardist", **begun, "num_rays": 32, "head_filters": 96}
    model["grid"] = 2 if coarse else 1
    if coarse and begun["encoder"] != "plain":
        model["decoder_filters"] = [128, 96, 64, 32]
    as_published = coarse and begun["encoder"] == "efficientnet_lite0"
    reason = f"half of the objects are smaller than {facts.side_px[2]:g} px"
    return Candidate(
        f"stardist {begun['encoder']}",
        model,
        f"objects of one class without dents (solidity {facts.solidity:.2f}), however "
        "many touch",
        kind="stars",
        reasons={"grid": reason},
        init="nuclei" if as_published and _is_colour_binary(facts) else "",
    )


def _box_sides(facts, zoom):
    """Sides of five anchors, px of the enlarged image, from the areas of objects."""
    # A box around an object is about 1.2 times the root of its area; training scales
    # images by a third either way.
    low, high = (1.2 * zoom * facts.side_px[i] for i in (1, 3))
    low, high = max(low / 1.3, 2 * MASK_STRIDE), high * 1.3
    return np.geomspace(low, max(high, 2.5 * low), 5)


def _power_of_two(number, low, high):
    value = low
    while value < min(number, high):
        value *= 2
    return value
