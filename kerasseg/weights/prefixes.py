"""Prefixes that a training puts in front of every name of a state dict."""

import logging

from kerasseg.weights.checks import listed

# Data parallel, torch.compile, averaged weights, Lightning and its like.
PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "_forward_module.")


def without_prefixes(arrays, path):
    """Take off what stands before all names.

    Arrays without any module, such as the mean and deviation of images beside a model
    of Lightning, do not count and are left out then; the log says so.

    Args:
        arrays: dict of PyTorch's name to array.
        path: for messages.

    Example:
        >>> list(without_prefixes({"module.model.a.weight": 1, "module.b.bias": 2}, ""))
        ['model.a.weight', 'b.bias']
    """
    while prefix := _common(arrays):
        left = [name for name in arrays if not name.startswith(prefix)]
        if left:
            message = "%s: left out, beside the model: %s"
            logging.getLogger(__name__).warning(message, path, listed(left))
        arrays = {
            name.removeprefix(prefix): array
            for name, array in arrays.items()
            if name.startswith(prefix)
        }
    return arrays


def _common(arrays):
    """The prefix of all names that have modules, if more than one word follows it."""
    inner = [name for name in arrays if "." in name]
    for prefix in PREFIXES:
        if inner and all(name.startswith(prefix) for name in inner):
            return prefix
    return None
