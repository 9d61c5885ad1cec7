"""TensorBoard scalars from the events of a run."""

import tensorflow as tf

from kerasseg import files


def make_listener(folder, log_every):
    """Make a listener that writes the numbers of "step" and "epoch" events.

    Args:
        folder: path of the event files.
        log_every: write the numbers of every so many steps; None those of epochs only.

    Returns:
        Function of an event of `fit`.
    """
    writer = tf.summary.create_file_writer(str(folder))
    # As tf.summary.scalar writes it; that function needs TensorBoard to be installed.
    metadata = tf.compat.v1.SummaryMetadata(data_class="DATA_CLASS_SCALAR")
    metadata.plugin_data.plugin_name = "scalars"

    def write(event):
        kind, position = event["kind"], event["step"]
        wanted = log_every and position % log_every == 0 if kind == "step" else True
        if kind not in ("step", "epoch") or not wanted:
            return
        try:
            with writer.as_default():
                for name in sorted(event.keys() - {"kind", "step", "epoch"}):
                    if isinstance(event[name], (int, float)):
                        value = tf.constant(event[name], "float32")
                        tf.summary.write(f"{kind}/{name}", value, position, metadata)
            writer.flush()
        except tf.errors.OpError as error:  # a full disk is a ResourceExhaustedError
            raise files.WriteError(
                f"Could not write TensorBoard's scalars to {folder}: {error.message}"
            ) from error

    return write
