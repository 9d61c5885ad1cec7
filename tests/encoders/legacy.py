"""Weight files as Keras 2 wrote them, and as keras.applications still has them."""

import h5py


def save_legacy(model, path):
    """Write weights as Keras 2 did: lists of names beside the arrays."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{x.name}:0".encode() for x in layer.weights]
            group.attrs["weight_names"] = names
            for name, value in zip(names, layer.get_weights()):
                group[name.decode()] = value
