"""Short trainings of all architectures on one small budget.

Encoder, ImageNet weights, optimizer, loss, seed and number of images are the same for
all: a row shows that a network learns, not its best score. Run:
python -m benchmarks.short_trainings shapes
python -m benchmarks.short_trainings isbi2012 --data ROOT/isbi2012
"""

import argparse
import time

from benchmarks.record import record, recorded

ENCODER = {"encoder": "efficientnet_lite0", "encoder_weights": "imagenet"}
BUDGETS = {
    "shapes": {"size": 64, "batch_size": 8, "steps": 400, "peak": 2e-3},
    "isbi2012": {"size": 128, "batch_size": 4, "steps": 80, "peak": 2e-3},
}
AUGMENT = {
    "shapes": {
        "scale": (1.0, 1.0),
        "flip": "both",
        "brightness": 0.0,
        "contrast": 0.0,
        "saturation": 0.0,
    },
    "isbi2012": {"scale": (0.8, 1.25), "flip": "both"},
}


def title(dataset, precision="float32", times=1):
    """Name of the entry in results.json."""
    name = f"short trainings on {dataset}"
    name = name if times == 1 else f"{name}, {times} times the steps"
    return name if precision == "float32" else f"{name}, {precision}"


def data_of(dataset, root):
    """Training and validation samples."""
    from kerasseg import datasets

    if dataset == "shapes":
        easy = {"size": BUDGETS[dataset]["size"], "max_shapes": 3, "texture": 6.0}
        return datasets.shapes(4000, **easy), datasets.shapes(100, seed=1, **easy)
    return tuple(datasets.isbi2012(root, split) for split in ("train", "val"))


def train_and_score(name, budget, augmentation, train, val):
    """Train one architecture and score it; returns its row of results.json."""
    import keras

    from kerasseg import data, evaluate, losses, training, zoo

    steps, peak = budget["steps"], budget["peak"]
    keras.utils.set_random_seed(0)
    channels = train[0]["image"].shape[-1]
    model = zoo.BUILDERS[name](
        len(train.classes), **ENCODER, input_shape=(None, None, channels)
    )
    rate = training.learning_rate(
        "cosine", peak=peak, steps=steps, warmup_steps=steps // 10
    )
    step = training.make_train_step(
        model,
        losses.Weighted([(1.0, losses.CrossEntropy()), (1.0, losses.Dice())]),
        keras.optimizers.AdamW(rate, weight_decay=1e-4),
        options=training.StepOptions(ema_decay=0.97),
    )
    stream = data.pipeline(train, batch_size=budget["batch_size"], augment=augmentation)
    begin, cpu, history = time.perf_counter(), time.process_time(), []
    for _, (images, labels) in zip(range(steps), data.batches(stream)):
        history.append(step(images, labels)["loss"])
    seconds = time.perf_counter() - begin, time.process_time() - cpu
    with step.averaged_weights():
        scores = evaluate.score(model, val)
    return {
        "encoder": ENCODER["encoder"],
        "parameters": model.count_params(),
        "mean_iou": scores["mean_iou"],
        "first_loss": float(history[0]),
        "last_loss": float(sum(history[-10:]) / len(history[-10:])),
        "seconds": seconds[0],
        "cpu_seconds": seconds[1],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("dataset", choices=BUDGETS)
    parser.add_argument("names", nargs="*", help="default: all semantic architectures")
    parser.add_argument("--data", help="folder of the data set")
    parser.add_argument("--precision", default="float32", help="dtype policy of Keras")
    parser.add_argument("--times", type=int, default=1, help="of the budget's steps")
    options = parser.parse_args()
    import keras

    from kerasseg import augment, zoo

    keras.config.set_dtype_policy(options.precision)
    entry = title(options.dataset, options.precision, options.times)
    found = recorded(entry).get("architectures", {})
    budget = {**BUDGETS[options.dataset]}
    budget["steps"] *= options.times
    size = (budget["size"], budget["size"])
    augmentation = augment.standard(size=size, **AUGMENT[options.dataset])
    train, val = data_of(options.dataset, options.data)
    for name in options.names or zoo.names("semantic"):
        found[name] = train_and_score(name, budget, augmentation, train, val)
        print(name, found[name], flush=True)
        keras.backend.clear_session()
        facts = {"budget": budget, "seed": 0}
        record(entry, {**facts, "architectures": found}, show=False)


if __name__ == "__main__":
    main()
