"""What do masks of a low resolution cost? Label AP of the truth itself, drawn so.

Run: python -m benchmarks.mask_limits --data ROOT/dsb2018

Instance models draw masks at a quarter of the resolution. Here the true nuclei of the
val split go through such a canvas and back: as the share of each cell that a nucleus
covers, and as 0 and 1; as the image is, and enlarged twice.
"""

import argparse

import cv2
import numpy as np

from benchmarks.classical_baselines import label_map_scores
from benchmarks.record import record
from kerasseg import datasets

CELLS = {"as it is": 4, "enlarged twice": 2}  # pixels of the image


def redrawn(masks, cell, binary):
    """Label map of masks [M, H, W] after a canvas of square cells."""
    height, width = masks.shape[1:]
    rows, columns = -(-height // cell), -(-width // cell)
    labels, best = np.zeros((height, width), "int32"), np.full((height, width), 0.5)
    for number, mask in enumerate(masks, 1):
        padded = np.zeros((rows * cell, columns * cell), "float32")
        padded[:height, :width] = mask
        canvas = padded.reshape(rows, cell, columns, cell).mean((1, 3))
        if binary:
            canvas = (canvas >= 0.5).astype("float32")
        drawn = cv2.resize(canvas, padded.shape[::-1], interpolation=cv2.INTER_LINEAR)
        drawn = drawn[:height, :width]
        labels[drawn > best] = number
        best = np.maximum(best, drawn)
    return labels


def limits(root):
    """Scores of `label_map_scores` for each way to draw."""
    samples = datasets.dsb2018(root, "val")
    found = {}
    for name, cell in CELLS.items():
        for kind in ("shares", "0 and 1"):
            pairs = []
            for sample in samples:
                truth = sample["instances"].max(0)
                masks = truth == np.unique(truth[truth > 0])[:, None, None]
                pairs.append((truth, redrawn(masks, cell, kind == "0 and 1")))
            found[f"{name}, {kind}"] = label_map_scores(pairs)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", required=True, help="folder of dsb2018")
    found = limits(parser.parse_args().data)
    for name, scores in found.items():
        print(name, *(f"{key} {value:.3f}" for key, value in scores.items()))
    record("mask limits: nuclei", found)


if __name__ == "__main__":
    main()
