"""CPU time of StarDist's numpy code: ray distances, and decoding of perfect outputs.

Times are CPU milliseconds of one process, medians; `ratio` is to one exact Euclidean
distance transform of the same map by SciPy.

Run: python -m benchmarks.stars [--repeats 5]
"""

import argparse
import json
import statistics
import time

import numpy as np
from scipy import ndimage

from kerasseg.instance import star_distances, star_polygons


def touching_discs(size=256, num=100, seed=0):
    """Label map of `num` discs on a jittered grid, many of which touch."""
    rng = np.random.default_rng(seed)
    side = int(num**0.5)
    lattice = (np.indices([side, side]).reshape(2, -1).T + 0.5) * size / side
    centers = lattice + rng.uniform(-2, 2, lattice.shape)
    radii = rng.uniform(0.3, 0.5, len(centers)) * size / side
    places = np.indices([size, size]).transpose(1, 2, 0)[..., None, :]
    far = np.linalg.norm(places - centers, axis=-1) / radii
    return np.where(far.min(-1) <= 1, far.argmin(-1) + 1, 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    labels = touching_discs()
    truth = star_distances.star_targets(labels)
    logits = 20 * truth["probabilities"] - 10
    cases = {
        "edt": lambda: ndimage.distance_transform_edt(labels > 0),
        "star_distances": lambda: star_distances.star_distances(labels),
        "object_probabilities": lambda: star_distances.object_probabilities(labels),
        "decode": lambda: star_polygons.decode(logits, truth["distances"]),
    }
    times = {name: [] for name in cases}
    for _ in range(repeats):  # interleaved, because the speed of machines drifts
        for name, case in cases.items():
            start = time.process_time()
            case()
            times[name].append(1000 * (time.process_time() - start))
    medians = {name: statistics.median(values) for name, values in times.items()}
    report = {
        "objects": int(labels.max()),
        "foreground_px": int((labels > 0).sum()),
        "proposals": int((logits >= 0).sum()),
        "found": len(cases["decode"]().points),
        "cpu_ms": {name: round(value, 1) for name, value in medians.items()},
        "ratio": {k: round(v / medians["edt"], 1) for k, v in medians.items()},
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
