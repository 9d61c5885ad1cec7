"""Loss and gradient of one batch: over outputs, over slices, over replicas."""

import keras
import tensorflow as tf

from kerasseg import names

_AUX_WEIGHT = 0.4  # Zhao et al., 2017, https://arxiv.org/abs/1612.01105


class Gradients:
    """Gradient of a batch that lies on the replicas of a strategy.

    Args:
        model: keras.Model.
        loss: keras Loss, function (labels, logits), or `Objective`.
        optimizer: keras optimizer; it may scale the loss.
        options: `options.StepOptions`.
        strategy: tf.distribute.Strategy.
        seed_generator: keras SeedGenerator of an objective, or None.
    """

    def __init__(self, model, loss, optimizer, options, strategy, seed_generator=None):
        self._model = model
        self._loss = loss
        self._optimizer = optimizer
        self._options = options
        self._strategy = strategy
        self._num_replicas = strategy.num_replicas_in_sync
        self._seed_generator = seed_generator
        self._weights = list(model.trainable_variables)

    def __call__(self, images, labels):
        """Trace the computation; call it in the cross-replica context.

        Args:
            images, labels: tensors, or values per replica, or nests of them.

        Returns:
            dict of "images" (int32, their number over all replicas), "loss" and
            "grad_norm" (scalars), "gradients" (a list per replica, clipped, still
            multiplied by the loss scale), and the terms of an objective.
        """
        strategy = self._strategy
        counts = strategy.run(_count, (images,))
        num_images = strategy.reduce("SUM", counts, axis=None)
        total = tf.cast(num_images, "float32")
        losses, terms, gradients = self._over_slices(images, labels, total)
        gradients, norms = strategy.run(self._over_replicas, (gradients,))
        return {
            "images": num_images,
            "loss": strategy.reduce("SUM", losses, axis=None),
            "grad_norm": strategy.experimental_local_results(norms)[0],
            "gradients": gradients,
            **{k: strategy.reduce("SUM", v, axis=None) for k, v in terms.items()},
        }

    def _over_slices(self, images, labels, total):
        """Sum loss, terms, gradients over the slices, each replica for itself."""
        run = self._strategy.run
        num_slices = self._options.accumulate
        if num_slices == 1:
            return run(self._of_slice, (images, labels, total))

        def of_slice(index):
            part = run(_slice, ((images, labels), index, num_slices))
            return run(lambda batch: self._of_slice(*batch, total), (part,))

        def one_slice(index, sums):
            return index + 1, run(_add, (sums, of_slice(index)))

        # A loop, not an unrolled graph: only so does the memory of a slice end with it.
        if self._seed_generator is None:
            zeros = [tf.zeros(weight.shape, weight.dtype) for weight in self._weights]
            # One copy per replica: the loop adds values per replica to them.
            copies = run(lambda: [tf.identity(zero) for zero in zeros])
            first, start = 0, (run(lambda: tf.zeros([])), {}, copies)
        else:  # which terms an objective has is known once it ran
            first, start = 1, of_slice(0)
        _, sums = tf.while_loop(
            lambda index, sums: index < num_slices,
            one_slice,
            (tf.constant(first), start),
            parallel_iterations=1,
            maximum_iterations=num_slices,
        )
        return sums

    def _of_slice(self, images, labels, total):
        """Loss, its terms and gradients of some images on one replica.

        They are parts of those of all images, to be summed up.
        """
        with tf.GradientTape() as tape:
            loss, terms = self._losses(images, labels, total)
            # Every slice on every replica adds its share, so that the sum counts once.
            share = self._num_replicas * self._options.accumulate
            for penalty in self._model.losses:
                loss += tf.cast(penalty, "float32") / share
            scaled = self._optimizer.scale_loss(loss)  # unchanged outside of float16
        gradients = tape.gradient(
            scaled,
            [weight.value for weight in self._weights],
            # Outputs of weight 0 leave weights without a path to the loss.
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        return loss, terms, [tf.convert_to_tensor(x) for x in gradients]

    def _losses(self, images, labels, total):
        """Loss of some images as a part of the total; an objective's terms likewise."""
        if self._seed_generator is None:
            outputs = self._model(images, training=True)
            return self._loss_sum(labels, outputs) / total, {}
        share = tf.cast(_count(images), "float32") / total
        terms = self._loss.function(
            self._model, images, labels, seed=self._seed_generator
        )
        terms = {f"loss_{name}": share * term for name, term in terms.items()}
        return tf.add_n(list(terms.values())), terms

    def _loss_sum(self, labels, outputs):
        """Sum over images of the weighted losses of all outputs."""
        if not isinstance(outputs, dict):
            outputs = {"logits": outputs}
        weights = self._options.loss_weights or {}
        names.check_options(weights, outputs, "`loss_weights`")
        total = tf.zeros([])
        for name, logits in outputs.items():
            weight = weights.get(name, 1.0 if name == "logits" else _AUX_WEIGHT)
            if weight:
                total += weight * _image_losses_sum(self._loss, labels, logits)
        return total

    def _over_replicas(self, gradients):
        """Sum the gradients over the replicas, clip, and return their global norm."""
        if self._num_replicas > 1:
            context = tf.distribute.get_replica_context()
            gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        # Gradients are still multiplied by the loss scale (1 outside of float16), of
        # which `clip_norm` knows nothing.
        scale = tf.cast(self._optimizer.scale_loss(1.0), "float32")
        norm = tf.linalg.global_norm(gradients) / scale
        if self._options.clip_norm is not None:
            limit = self._options.clip_norm
            factor = limit / tf.maximum(norm, limit)
            gradients = [g * tf.cast(factor, g.dtype) for g in gradients]
        return gradients, norm


def _image_losses_sum(loss, labels, logits):
    logits = tf.cast(logits, "float32")
    if isinstance(loss, keras.losses.Loss):
        # As `fit` calls it, but without its reduction, which knows neither the slices
        # nor the global batch.
        labels = tf.nest.map_structure(lambda x: tf.cast(x, "float32"), labels)
        values = loss.call(labels, logits)
    else:
        values = loss(labels, logits)
    values = tf.cast(values, "float32")
    if values.shape.rank == 0:
        # A mean over the batch, which becomes a sum over its images.
        return values * tf.cast(tf.shape(logits)[0], "float32")
    return tf.reduce_sum(tf.reduce_mean(values, axis=range(1, values.shape.rank)))


def _count(images):
    return tf.shape(tf.nest.flatten(images)[0])[0]


def _slice(batch, index, num_slices):
    """Return slice number `index` of every tensor in a batch."""

    def part(x):
        size, *inner = x.shape
        if size is not None and size % num_slices:
            raise ValueError(
                "The images on a device must divide by `accumulate`. "
                f"Received: {size} images, accumulate={num_slices}."
            )
        shape = tf.concat([[num_slices, -1], tf.shape(x)[1:]], axis=0)
        sliced = tf.reshape(x, shape)[index]
        return tf.ensure_shape(sliced, [size and size // num_slices, *inner])

    return tf.nest.map_structure(part, batch)


def _add(left, right):
    return tf.nest.map_structure(tf.add, left, right)
