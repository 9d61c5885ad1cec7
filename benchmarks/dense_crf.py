"""Dense CRF against pydensecrf2 and against exact inference, on real images.

    python benchmarks/dense_crf.py SHARED_DATA [speed] [exact] [energy] [memory]

Images are from BSDS500; probabilities are synthetic, from one annotation of each image:
one-hot, blurred (sigma 4 px), with smooth noise on the logits; for `memory` random.
`speed` needs pydensecrf2, which needs a compiler: use an environment of its own, and
OMP_NUM_THREADS=1. Prints JSON lines.
"""

import json
import pathlib
import resource
import statistics
import sys
import time

import cv2
import numpy as np
from scipy import io

from kerasseg import crf


def bsds(root, num, num_classes=21):
    """(name, image, probabilities) of 321 x 481 images with labels modulo classes."""
    for path in sorted(root.glob("bsds500/train/images/*.jpg")):
        image = cv2.imread(str(path))[..., ::-1].copy()
        if image.shape[0] != 321 or num == 0:
            continue
        num -= 1
        truth = io.loadmat(root / "bsds500/train/groundTruth" / f"{path.stem}.mat")
        label = truth["groundTruth"][0, 0]["Segmentation"][0, 0] % num_classes
        yield path.stem, image, noisy(label, num_classes)


def noisy(label, num_classes, seed=0):
    """Noisy probabilities float32 [H, W, K], like those of a mediocre network."""
    rng = np.random.default_rng(seed)
    logits = np.empty([*label.shape, num_classes], "float32")
    for k in range(num_classes):
        share = cv2.GaussianBlur((label == k).astype("float32"), (0, 0), 4)
        noise = cv2.GaussianBlur(rng.normal(size=label.shape), (0, 0), 3)
        logits[..., k] = np.log(share + 0.02) + noise / noise.std() * 0.9
    shares = np.exp(logits - logits.max(-1, keepdims=True))
    return shares / shares.sum(-1, keepdims=True)


def pydensecrf(image, probabilities, iterations):
    """The same problem solved by pydensecrf2."""
    import pydensecrf.densecrf as published
    from pydensecrf.utils import unary_from_softmax

    height, width, num_classes = probabilities.shape
    model = published.DenseCRF2D(width, height, num_classes)
    shares = np.ascontiguousarray(np.moveaxis(probabilities, -1, 0))
    model.setUnaryEnergy(unary_from_softmax(shares, clip=1e-5))
    model.addPairwiseGaussian(sxy=3, compat=3)
    model.addPairwiseBilateral(sxy=80, srgb=13, rgbim=image, compat=10)
    found = np.array(model.inference(iterations))
    return np.moveaxis(found.reshape(num_classes, height, width), 0, -1)


def speed(root, num=4, repeats=3, iterations=10):
    """Agreement and CPU time of both programs, interleaved."""
    for name, image, probabilities in bsds(root, num):
        times = {"own": [], "published": []}
        for _ in range(repeats):
            start = time.process_time()
            own = crf.dense_crf(image, probabilities, iterations=iterations)
            middle = time.process_time()
            other = pydensecrf(image, probabilities, iterations)
            times["own"].append(middle - start)
            times["published"].append(time.process_time() - middle)
        seconds = {key: round(statistics.median(t), 4) for key, t in times.items()}
        yield {
            "image": name,
            "shape": probabilities.shape,
            "same_argmax": float((own.argmax(-1) == other.argmax(-1)).mean()),
            "max_difference": float(np.abs(own - other).max()),
            "changed_by_crf": float(
                (own.argmax(-1) != probabilities.argmax(-1)).mean()
            ),
            "cpu_seconds": seconds,
            "ratio": round(seconds["own"] / seconds["published"], 3),
        }


def crops(root, num, size=72):
    """(name, image, probabilities) of the middle of images."""
    for name, image, probabilities in bsds(root, num):
        top, left = (321 - size) // 2, (481 - size) // 2
        part = np.s_[top : top + size, left : left + size]
        yield name, image[part].copy(), probabilities[part].copy()


def exact(root, num=20, iterations=10):
    """Share of the pixels of crops that have the class of exact mean field."""
    shares = []
    for name, image, probabilities in crops(root, num):
        kernels = crf.image_kernels(image, kernel=crf.exact_kernel)
        right = crf.mean_field(probabilities, kernels, iterations=iterations)
        own = crf.dense_crf(image, probabilities, iterations=iterations)
        shares.append(float((own.argmax(-1) == right.argmax(-1)).mean()))
        yield {"image": name, "same_argmax_as_exact": shares[-1]}
    yield {"crops": len(shares), "mean": float(np.mean(shares)), "worst": min(shares)}


def energy(root, num=4, iterations=6):
    """Free energy after each update, with the lattice's own kernels and exact ones."""
    for name, image, probabilities in crops(root, num):
        for kernel in (crf.gaussian_kernel, crf.exact_kernel):
            kernels = crf.image_kernels(image, kernel=kernel)
            found = [
                crf.mean_field(probabilities, kernels, iterations=count)
                for count in range(iterations + 1)
            ]
            values = [crf.free_energy(q, probabilities, kernels) for q in found]
            steps = np.diff(values)
            yield {
                "image": name,
                "kernel": kernel.__name__,
                "energy": [round(value, 3) for value in values],
                "largest_rise": float(steps.max()),
            }


def memory(root, shape=(1024, 2048), num_classes=19, iterations=5):
    """Peak memory and CPU time of one large image at three sizes; run it alone."""
    name, image, _ = next(bsds(root, 1))
    for scale in (4, 2, 1):
        height, width = shape[0] // scale, shape[1] // scale
        large = cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)
        rng = np.random.default_rng(0)
        large = np.clip(large + rng.normal(0, 4, large.shape), 0, 255).astype("uint8")
        probabilities = rng.random((height, width, num_classes), "float32")
        probabilities /= probabilities.sum(-1, keepdims=True)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        start = time.process_time()
        crf.dense_crf(large, probabilities, iterations=iterations)
        yield {
            "image": name,
            "shape": probabilities.shape,
            "cpu_seconds": round(time.process_time() - start, 2),
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "peak_mb_before": round(before),
            "probabilities_mb": round(probabilities.nbytes / 2**20),
        }


if __name__ == "__main__":
    parts = {part.__name__: part for part in (speed, exact, energy, memory)}
    for chosen in sys.argv[2:] or parts:
        for row in parts[chosen](pathlib.Path(sys.argv[1])):
            print(json.dumps({"part": chosen, **row}), flush=True)
