"""Prediction of one image against Keras' predict_on_batch, and of large ones by tiles.

Run: python -m benchmarks.predicting [--repeats 9]
"""

import argparse

import numpy as np

from benchmarks.record import ratios, record
from kerasseg import machine, predict, zoo
from kerasseg.profiling import benchmark

SIZE, TILE, OVERLAP = 256, 512, 64


def tiled(model, rng):
    """Prediction of large images against that of their tiles, by side in px."""
    results = {}
    tile = rng.integers(0, 256, (TILE, TILE, 3), "uint8")
    for num in (2, 4, 9):  # tiles per side
        side = OVERLAP + num * (TILE - OVERLAP)  # whole tiles
        large = np.tile(tile, (num, num, 1))[:side, :side]
        count = num**2

        def whole(large=large):
            predict.class_ids(model, large, tile_px=TILE, overlap_px=OVERLAP)

        def tiles(count=count):
            for _ in range(count):
                predict.class_ids(model, tile)

        found = benchmark.measure(
            {"tiled": (whole, 1), "its tiles alone": (tiles, 1)}, repeats=3, warmup=0
        )
        results[side] = {
            "cases": found,
            "tiled / its tiles": ratios(found, "tiled", "its tiles alone"),
            "tiles": count,
            "peak_memory_mb": machine.peak_memory_mb(),
        }
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    model = zoo.unet(3, base_filters=16)
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (SIZE, SIZE, 3), "uint8")
    batch = image[None].astype("float32")
    cases = {
        "predict.class_ids": (lambda: predict.class_ids(model, image), 1),
        "predict_on_batch, argmax": (
            lambda: model.predict_on_batch(batch)[0].argmax(-1),
            1,
        ),
    }
    one = benchmark.measure(cases, repeats=10 * options.repeats, warmup=5)
    record(
        "predicting",
        {
            "cases": one,
            "predict / predict_on_batch": ratios(
                one, "predict.class_ids", "predict_on_batch, argmax"
            ),
            "tiled": tiled(model, rng),
        },
    )


if __name__ == "__main__":
    main()
