"""Time and memory to read an annotation file of the size of COCO's training set.

python -m benchmarks.coco_reading [IMAGES [ANNOTATIONS [POINTS]]]

The file is generated: polygons of POINTS corners (COCO's have 25 on average).
"""

import json
import pathlib
import resource
import sys
import tempfile
import time

import numpy as np


def write(path, num_images, num_annotations, num_points):
    """Write an annotation file entry by entry, in COCO's form."""
    rng = np.random.default_rng(0)
    size = {"license": 3, "height": 480, "width": 640}
    url = "http://farm4.staticflickr.com/3153/2970773875_164f0c0b83_z.jpg"
    with open(path, "w") as file:
        file.write('{"info": {}, "licenses": [], "images": [')
        for number in range(1, num_images + 1):
            entry = {"file_name": f"{number:012d}.jpg", **size, "id": number}
            entry |= {"coco_url": url, "flickr_url": url, "date_captured": "2013-11-15"}
            file.write("," * (number > 1) + json.dumps(entry))
        file.write('], "annotations": [')
        ring = rng.uniform(0, 480, [64, 2 * num_points]).round(2).tolist()
        for number in range(1, num_annotations + 1):
            entry = {"segmentation": [ring[number % 64]], "area": 702.1, "iscrowd": 0}
            entry |= {"image_id": 1 + number % num_images, "bbox": [4.7, 2.5, 3.1, 9.9]}
            entry |= {"category_id": 1 + number % 80, "id": number}
            file.write("," * (number > 1) + json.dumps(entry))
        names = [{"id": i, "name": f"c{i}", "supercategory": "x"} for i in range(1, 91)]
        file.write('], "categories": ' + json.dumps(names) + "}")


def main(num_images=118_000, num_annotations=860_000, num_points=25):
    from kerasseg import datasets

    with tempfile.TemporaryDirectory() as root:
        pathlib.Path(root, "images").mkdir()
        path = pathlib.Path(root, "instances.json")
        write(path, num_images, num_annotations, num_points)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        clocks = [(time.perf_counter(), time.process_time())]
        samples = datasets.coco(root, "train")
        clocks.append((time.perf_counter(), time.process_time()))
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        wall, cpu = (round(b - a, 1) for a, b in zip(*clocks))
        return {
            "file_mb": round(path.stat().st_size / 2**20),
            "samples": len(samples),
            "seconds": wall,
            "cpu_seconds": cpu,
            "peak_mb": round(after / 1024),
            "peak_mb_before": round(before / 1024),
        }


if __name__ == "__main__":
    print(json.dumps(main(*map(int, sys.argv[1:]))))
