"""Results of an evaluation."""

RESULTS = {
    "task": "semantic",
    "mean_iou": 0.6,
    "classes": {
        "<sky>": {
            "iou": 0.9,
            "dice": 0.9,
            "precision": 0.9,
            "recall": 0.95,
            "pixels": 90,
        },
        "crack": {
            "iou": 0.3,
            "dice": 0.5,
            "precision": 0.9,
            "recall": 0.4,
            "pixels": 10,
        },
        "never": {"iou": None, "dice": None, "precision": None, "recall": None},
    },
    "matrix": [[85, 5, 0], [6, 4, 0], [0, 0, 0]],
    "intervals": {
        "mean_iou": [0.5, 0.7],
        "classes": {"<sky>": [0.8, 0.95], "crack": [0.1, 0.5], "never": None},
    },
    "detection": {"crack": {"images": 4, "detected": 3, "false_alarms": 5}},
    "calibration": {
        "error": 0.2,
        "bins": [[40, 0.6, 0.5], [60, 0.95, 0.68]],
        "num_images": 7,
    },
    "ranking": {
        **{"roc_auc": 0.9, "average_precision": 0.75, "num_images": 7},
        "roc": [[0.0, 0.1, 1.0], [0.0, 0.8, 1.0]],
        "precision_recall": [[0.0, 0.5, 1.0], [1.0, 0.75, 0.2]],
    },
    "outlines": {
        **{"tolerance_px": 2.0, "num_images": 7},
        "classes": {
            "crack": {
                **{"boundary_iou": 0.25, "cl_dice": 0.625, "surface_dice": 0.875},
                **{"hd95_px": 3.5, "assd_px": None, "images": 6, "in_one_map": 4},
            }
        },
    },
    "by_size": [
        {"size": "small", "from_px": 4, "to_px": 9, "objects": 8, "detected": 2}
    ],
    "samples": [{"name": f"image{i}", "mean_iou": 0.1 * i} for i in range(10)],
    "split": "val",
    "seeds": [0],
    "date": "2026-11-29T00:00:00+00:00",
    "settings": {
        **{"num_images": 10, "num_params": 1234, "seconds_per_image": 0.1},
        "image_sizes": {"min": [8, 8], "max": [8, 9]},
    },
    "environment": {
        **{"devices": ["CPU"], "cpu": "a processor", "cpu_count": 2},
        "versions": {"keras": "3"},
    },
}
