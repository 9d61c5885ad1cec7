"""Does every architecture learn? Each trained from scratch on one small budget.

The same optimizer, loss, seed and number of images for all, so a row says whether a
network learns, not how far it could go. Run:
python -m benchmarks.short_trainings shapes
python -m benchmarks.short_trainings isbi2012 --data ROOT/isbi2012
"""

import argparse
import time

from benchmarks.record import record, recorded

# Architectures whose encoder is part of them keep it, in a small form; the others
# share one.
OWN = {
    "attention_unet": {"encoder": "plain", "base_filters": 16},
    "bisenet_v2": {"encoder": "gather_expand"},
    "fast_scnn": {"encoder": "scnn"},
    "ocrnet": {"encoder": "hrnet_w18", "decoder_filters": (128, 64)},
    "res_unet": {"encoder": "residual", "base_filters": 16},
    "segformer": {"encoder": "mit_b0"},
    "segnet": {"encoder": "vgg16_bn"},
    "u2net": {
        "encoder": "rsu",
        "decoder_filters": (64,) * 5,
        "inner_filters": (16,) * 5,
    },
    "unet": {"encoder": "plain", "base_filters": 16},
    "unet_3plus": {"encoder": "plain", "base_filters": 16, "decoder_filters": 16},
}
SHARED = {"encoder": "resnet18"}
BUDGETS = {
    "shapes": {"size": 96, "batch_size": 8, "steps": 400},
    "isbi2012": {"size": 192, "batch_size": 4, "steps": 150},
}


def title(dataset, precision="float32"):
    """Name of the entry in results.json."""
    name = f"short trainings on {dataset}"
    return name if precision == "float32" else f"{name}, {precision}"


def data_of(dataset, root):
    """Training and validation samples."""
    from kerasseg import datasets

    if dataset == "shapes":
        size = BUDGETS[dataset]["size"]
        return datasets.shapes(4000, size=size), datasets.shapes(100, size=size, seed=1)
    return tuple(datasets.isbi2012(root, split) for split in ("train", "val"))


def learn(name, dataset, train, val):
    """Train one architecture; returns its row."""
    import keras

    from kerasseg import augment, data, evaluate, losses, training, zoo

    size, batch_size, steps = BUDGETS[dataset].values()
    keras.utils.set_random_seed(0)
    options = OWN.get(name, SHARED)
    channels = train[0]["image"].shape[-1]
    model = zoo.BUILDERS[name](
        len(train.classes), **options, input_shape=(None, None, channels)
    )
    rate = training.learning_rate("cosine", peak=1e-3, steps=steps, warmup_steps=20)
    step = training.make_train_step(
        model,
        losses.Weighted([(1.0, losses.CrossEntropy()), (1.0, losses.Dice())]),
        keras.optimizers.AdamW(rate, weight_decay=1e-4),
        ema_decay=0.99,
    )
    change = augment.standard(size=(size, size), scale=(0.8, 1.25), flip="both")
    stream = data.pipeline(train, batch_size=batch_size, augment=change)
    begin, cpu, history = time.perf_counter(), time.process_time(), []
    for _, (images, labels) in zip(range(steps), data.batches(stream)):
        history.append(step(images, labels)["loss"])
    seconds = time.perf_counter() - begin, time.process_time() - cpu
    with step.averaged_weights():
        scores = evaluate.evaluate(model, val)
    return {
        "encoder": options["encoder"],
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
    options = parser.parse_args()
    import keras

    from kerasseg import zoo

    keras.config.set_dtype_policy(options.precision)
    entry = title(options.dataset, options.precision)
    found = recorded(entry).get("architectures", {})
    train, val = data_of(options.dataset, options.data)
    for name in options.names or zoo.names("semantic"):
        found[name] = learn(name, options.dataset, train, val)
        print(name, found[name], flush=True)
        keras.backend.clear_session()
        budget = {"budget": BUDGETS[options.dataset], "seed": 0}
        record(entry, {**budget, "architectures": found}, show=False)


if __name__ == "__main__":
    main()
