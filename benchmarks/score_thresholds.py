"""Label AP of a run by score threshold, to choose the threshold of its recipe.

Run: python -m benchmarks.score_thresholds --run RUN --data ROOT/dsb2018

Predicts every third training image once, with the options of the run's recipe, and
scores the label maps of the instances above each threshold. The best one goes into the
recipe, [predict] score_threshold; validation images are not used.
"""

import argparse

from benchmarks.classical_baselines import label_map_scores
from benchmarks.record import record
from kerasseg import predict, recipes, runs

THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def scores(run, root):
    """Name of the architecture, and `label_map_scores` by threshold.

    Args:
        run: folder of a run of an instance model.
        root: folder of its data set, objects of one class.
    """
    model, recipe, _ = runs.load(run)
    samples = recipes.build_samples(recipe, root, "train")
    samples = samples.subset(range(0, len(samples), 3))
    options = {**recipe["predict"], "score_threshold": min(THRESHOLDS)}
    pairs = [
        (
            sample["instances"].max(0),
            predict.instances(model, sample["image"], **options),
        )
        for sample in samples
    ]
    found = {
        threshold: label_map_scores(
            (truth, found.above(threshold).to_label_map()) for truth, found in pairs
        )
        for threshold in THRESHOLDS
    }
    return recipe["model"]["architecture"], found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--run", required=True, help="run folder")
    parser.add_argument("--data", required=True, help="folder of the data set")
    options = parser.parse_args()
    name, found = scores(options.run, options.data)
    print("threshold label_ap label_ap50 f1")
    for threshold, of_one in found.items():
        row = (of_one[key] for key in ("label_ap", "label_ap50", "f1"))
        print(threshold, *(f"{value:.4f}" for value in row))
    record(f"score thresholds: {name}", {"by_threshold": found}, show=False)


if __name__ == "__main__":
    main()
