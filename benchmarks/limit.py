"""Speed of U-Net 64..1024 relative to a matrix product on the same machine.

Run: python -m benchmarks.limit [--repeats 3]
"""

import argparse

from benchmarks.record import record
from kerasseg.profiling import benchmark


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    measured = benchmark.run("unet", num_classes=2, repeats=options.repeats)
    record("unet 64..1024 against a matrix product, 256x256, batch 8", measured)


if __name__ == "__main__":
    main()
