"""Our layers against those of Keras in the same models: training and inference.

Run: python -m benchmarks.layers [--repeats 7]
"""

import argparse
import functools

import keras

from benchmarks.record import ratios, record
from kerasseg import layers, zoo
from kerasseg.profiling import benchmark, operations

MODELS = {
    "unet_base16": functools.partial(zoo.unet, 2, base_filters=16),
    "deeplab_v3_plus_mobilenet_v2": functools.partial(
        zoo.deeplab_v3_plus, 21, "mobilenet_v2"
    ),
}


def with_keras_layers(model):
    """The same model with Keras' own batch normalisation, and the same weights."""

    def plain(layer):
        if isinstance(layer, layers.BatchNormalization):
            return keras.layers.BatchNormalization.from_config(layer.get_config())
        if isinstance(layer, keras.Model):
            return keras.models.clone_model(layer, clone_function=plain)
        return layer.__class__.from_config(layer.get_config())

    clone = keras.models.clone_model(model, clone_function=plain)
    clone.set_weights(model.get_weights())
    return clone


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--precisions", nargs="+", default=["float32"])
    options = parser.parse_args()
    for name, build in MODELS.items():
        cases = {}
        for precision in ["keras float32", *options.precisions]:
            keras.config.set_dtype_policy(precision.removeprefix("keras "))
            model = build()
            if precision.startswith("keras"):
                model = with_keras_layers(model)
            found = benchmark.model_cases(model, model.output_shape[-1])
            cases |= {f"{precision} {kind}": case for kind, case in found.items()}
        keras.config.set_dtype_policy("float32")
        measured = benchmark.measure(cases, repeats=options.repeats, warmup=2)
        result = {
            "cases": measured,
            "gflops": operations.gflops(build(input_shape=(256, 256, 3))),
        }
        for precision in options.precisions:
            for kind in ("training", "inference"):
                result[f"{kind} in {precision} / Keras' own layers in float32"] = (
                    ratios(measured, f"{precision} {kind}", f"keras float32 {kind}")
                )
        record(f"layers {name}", result)


if __name__ == "__main__":
    main()
