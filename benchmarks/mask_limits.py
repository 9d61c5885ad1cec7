"""Upper bound of instance scores by mask resolution: label AP of resampled true masks.

Run: python -m benchmarks.mask_limits --data ROOT/dsb2018

Instance models predict masks at a quarter of the image resolution. Here the true nuclei
of the val split are downsampled to such masks and upsampled again: as area fractions of
cells and as 0 and 1; at the size of the image, and enlarged twice.
"""

import argparse

import cv2
import numpy as np

from benchmarks.classical_baselines import label_map_scores
from benchmarks.record import record
from kerasseg import datasets

CELLS = {"as it is": 4, "enlarged twice": 2}  # side of a mask pixel in image pixels


def resampled(masks, cell, binary):
    """Label map of masks [M, H, W] downsampled to square cells and upsampled again."""
    height, width = masks.shape[1:]
    rows, columns = -(-height // cell), -(-width // cell)
    labels, best = np.zeros((height, width), "int32"), np.full((height, width), 0.5)
    for number, mask in enumerate(masks, 1):
        padded = np.zeros((rows * cell, columns * cell), "float32")
        padded[:height, :width] = mask
        coarse = padded.reshape(rows, cell, columns, cell).mean((1, 3))
        if binary:
            coarse = (coarse >= 0.5).astype("float32")
        upsampled = cv2.resize(
            coarse, padded.shape[::-1], interpolation=cv2.INTER_LINEAR
        )
        upsampled = upsampled[:height, :width]
        labels[upsampled > best] = number
        best = np.maximum(best, upsampled)
    return labels


def limits(root):
    """Scores of `label_map_scores` for each resolution and kind of mask."""
    samples = datasets.dsb2018(root, "val")
    found = {}
    for name, cell in CELLS.items():
        for kind in ("shares", "0 and 1"):
            pairs = []
            for sample in samples:
                truth = sample["instances"].max(0)
                masks = truth == np.unique(truth[truth > 0])[:, None, None]
                pairs.append((truth, resampled(masks, cell, kind == "0 and 1")))
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
