"""Break the readers of files: python scripts/fuzz.py image -max_total_time=300

Readers are image, tiff, annotation, list, facts, checkpoint, npz, safetensors, pth, h5,
recipe, keras, saved_model and index (of its variables), and the forms. Needs
atheris (pip install atheris), whose mutations follow the code that they reach. A file
that is neither read nor refused with the reader's own error, or that takes 20 s or
1.5 GB, stops the run and is kept as crash-*; what reached new code is kept in fuzz/,
where the next run begins. Put what did harm into fuzz_seeds.py: tests/test_fuzz.py
tries its neighbours. Options are those of libFuzzer.
"""

import pathlib
import sys

import atheris

with atheris.instrument_imports(include=["kerasseg"]):
    from kerasseg import datasets, images, loading, recipes, weights  # noqa: F401

import fuzz_seeds

LIMITS = ["-timeout=20", "-rss_limit_mb=1500", "-max_len=65536"]


def main(kind, *options):
    corpus = pathlib.Path("fuzz", kind)
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(fuzz_seeds.SEEDS[kind]()):
        (corpus / f"seed{number}").write_bytes(seed)

    def test(data):
        fuzz_seeds.read(data, kind, corpus.parent)

    atheris.Setup([sys.argv[0], str(corpus), *LIMITS, *options], test)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
