"""Break the readers of files: python scripts/fuzz.py image -max_total_time=300

Readers are image, npz, safetensors, pth and h5. Needs atheris (pip install atheris),
whose mutations follow the code that they reach. A file that is neither read nor refused
with the reader's own error, or that takes 20 s or 1.5 GB, stops the run and is kept as
crash-*; what reached new code is kept in fuzz/, where the next run begins. Options are
those of libFuzzer.
"""

import contextlib
import io
import json
import pathlib
import sys

import atheris
import h5py
import numpy as np
from PIL import Image

with atheris.instrument_imports(include=["kerasseg"]):
    from kerasseg import images, weights

LIMITS = ["-timeout=20", "-rss_limit_mb=1500", "-max_len=65536"]
IDS = (np.indices((24, 32)).sum(0) % 5).astype("uint8")


def image_seeds():
    """Small files of every format: grey, with a palette, in colour."""
    for kind in ("png", "jpeg", "tiff", "gif", "bmp", "webp", "ppm"):
        for mode in ("L", "P", "RGB"):
            with contextlib.suppress(OSError):  # JPEG and PPM have no palette
                stream = io.BytesIO()
                Image.fromarray(IDS).convert(mode).save(stream, kind)
                yield stream.getvalue()


def npz_seeds():
    for save in (np.savez, np.savez_compressed):
        stream = io.BytesIO()
        save(stream, a=IDS, b=IDS.astype("float32"))
        yield stream.getvalue()


def safetensors_seeds():
    entry = {"dtype": "U8", "shape": list(IDS.shape), "data_offsets": [0, IDS.size]}
    header = json.dumps({"a": entry}).encode()
    yield len(header).to_bytes(8, "little") + header + IDS.tobytes()


def pth_seeds():
    folder = pathlib.Path(__file__).parents[1] / "tests/files"
    yield from (path.read_bytes() for path in folder.glob("*.pth"))


def h5_seeds():
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["layers/conv/vars/0"] = IDS.astype("float32")
    yield stream.getvalue()


SEEDS = {
    "image": image_seeds,
    "npz": npz_seeds,
    "safetensors": safetensors_seeds,
    "pth": pth_seeds,
    "h5": h5_seeds,
}


def read(path, kind):
    """Read a file; only the typed errors of the readers are right."""
    if kind != "image":
        with contextlib.suppress(weights.WeightsError):
            weights.read(path)
        return
    for reader in (images.read_image, images.read_mask):
        with contextlib.suppress(images.ImageError):
            reader(path, max_pixels=10**6)


def main(kind, *options):
    corpus = pathlib.Path("fuzz", kind)
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[kind]()):
        (corpus / f"seed{number}").write_bytes(seed)
    path = corpus.with_name(f"input.{'png' if kind == 'image' else kind}")

    def test(data):
        path.write_bytes(data)
        read(path, kind)

    atheris.Setup([sys.argv[0], str(corpus), *LIMITS, *options], test)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
