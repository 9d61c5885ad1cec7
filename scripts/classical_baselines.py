"""Classical baselines: python scripts/classical_baselines.py --data shared/data."""

import argparse
import json
import pathlib

from kerasseg import baselines

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--data", required=True, help="folder of dsb2018, isbi2012, davis")
parser.add_argument("--every", type=int, default=1, help="each n-th nuclei image")
parser.add_argument("--frames", type=int, default=10, help="frames of each clip")
arguments = parser.parse_args()

root = pathlib.Path(arguments.data)
print("nuclei", json.dumps(baselines.nuclei(root / "dsb2018", every=arguments.every)))
print("membranes", json.dumps(baselines.membranes(root / "isbi2012")))
print("objects", json.dumps(baselines.objects(root / "davis", frames=arguments.frames)))
