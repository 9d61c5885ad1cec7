"""Cost of a model: python scripts/benchmark.py unet --encoder resnet34 --size 256."""

import argparse
import json

from kerasseg.profiling import benchmark

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("architecture", nargs="?", default="unet")
parser.add_argument("--encoder")
parser.add_argument("--num-classes", type=int, default=21)
parser.add_argument("--size", type=int, default=256, help="height and width, px")
parser.add_argument("--batch-size", type=int, default=8)
parser.add_argument("--repeats", type=int, default=5)
parser.add_argument("--precision", default="float32")
print(json.dumps(benchmark.run(**vars(parser.parse_args())), indent=1))
