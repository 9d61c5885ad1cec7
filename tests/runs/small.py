"""Options of a training that takes seconds."""

SMALL = [
    "data.train={num=16, size=32, seed=1}",
    "data.val={num=4, size=32, seed=2}",
    "augment.size=[32, 32]",
    "model.base_filters=4",
    "train.epochs=2",
    "train.steps_per_epoch=2",
    "train.batch_size=8",
]
SETTINGS = [part for text in SMALL for part in ("--set", text)]
