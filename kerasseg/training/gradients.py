"""Loss and gradient of one batch: over outputs, over slices, over replicas."""

import keras
import tensorflow as tf

from kerasseg import names
from kerasseg.training import divisors

_AUX_WEIGHT = 0.4  # Zhao et al., 2017, https://arxiv.org/abs/1612.01105


class Gradients:
    """Gradient of a batch that lies on the replicas of a strategy.

    Args:
        model: keras.Model.
        loss: keras Loss, function (labels, logits), or `Objective`.
        optimizer: keras optimizer; it may scale the loss.
        options: `options.StepOptions`.
        strategy: tf.distribute.Strategy.
        state: `batch_statistics.BatchStatistics` and `state.State` of the model.
        seed_generator: keras SeedGenerator of an objective, or None.
    """

    def __init__(
        self,
        model,
        loss,
        optimizer,
        options,
        strategy,
        *,
        state,
        seed_generator=None,
    ):
        self._model = model
        self._loss = loss
        self._optimizer = optimizer
        self._options = options
        self._strategy = strategy
        self._statistics, self._state = state
        self._num_replicas = strategy.num_replicas_in_sync
        self._seed_generator = seed_generator
        self._weights = list(model.trainable_variables)
        self._divides = seed_generator is not None and divisors.takes_divide(
            loss.function
        )

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
        num_images = strategy.reduce("SUM", strategy.run(_count, (images,)), axis=None)
        total = tf.cast(num_images, "float32")
        counts = self._counts(images, labels)
        losses, terms, gradients = self._over_slices(images, labels, total, counts)
        gradients, norms = strategy.run(self._over_replicas, (gradients,))
        return {
            "images": num_images,
            "loss": strategy.reduce("SUM", losses, axis=None),
            "grad_norm": strategy.experimental_local_results(norms)[0],
            "gradients": gradients,
            **{k: strategy.reduce("SUM", v, axis=None) for k, v in terms.items()},
        }

    def _counts(self, images, labels):
        """Objects of all slices and replicas that an objective divides by, or None.

        They may depend on what the model finds, such as its proposals, so that it runs
        once more before; everything that this changes is taken back.
        """
        run, num_slices = self._strategy.run, self._options.accumulate
        if num_slices == 1 or not self._divides:
            return None

        def of_slice(index):
            part = run(_slice, ((images, labels), index, num_slices))
            return run(count, (part,))

        def count(batch):
            divide = divisors.Counted()
            seed = self._seed_generator
            self._loss.function(self._model, *batch, seed=seed, divide=divide)
            return tf.stack(divide.counts) if divide.counts else tf.zeros([0])

        before = self._state.copy()
        _, counts = tf.while_loop(
            lambda index, counts: index < num_slices,
            lambda index, counts: (index + 1, run(_add, (counts, of_slice(index)))),
            (tf.constant(1), of_slice(0)),
            parallel_iterations=1,
            maximum_iterations=num_slices,
        )
        self._state.restore(before)
        return run(divisors.sum_of_replicas, (counts,))

    def _over_slices(self, images, labels, total, counts):
        """Sum loss, terms, gradients over the slices, each replica for itself."""
        run = self._strategy.run
        num_slices = self._options.accumulate
        if num_slices == 1:
            return run(self._of_slice, (images, labels, labels, total, counts))

        before = run(self._statistics.read)

        def of_slice(index, moved):
            part = run(_slice, ((images, labels), index, num_slices))
            found = run(
                lambda batch, *rest: self._of_slice(*batch, *rest),
                (part, labels, total, counts),
            )
            return found, run(self._statistics.add, (moved, before))

        def one_slice(index, sums, moved):
            found, moved = of_slice(index, moved)
            return index + 1, run(_add, (sums, found)), moved

        # A loop, not an unrolled graph: only so does the memory of a slice end with it.
        moved = run(self._statistics.begin_sums)
        if self._seed_generator is None:
            zeros = [tf.zeros(weight.shape, weight.dtype) for weight in self._weights]
            # One copy per replica: the loop adds values per replica to them.
            copies = run(lambda: [tf.identity(zero) for zero in zeros])
            first, start = 0, (run(lambda: tf.zeros([])), {}, copies)
        else:  # which terms an objective has is known once it ran
            first = 1
            start, moved = of_slice(0, moved)
        _, sums, moved = tf.while_loop(
            lambda index, sums, moved: index < num_slices,
            one_slice,
            (tf.constant(first), start, moved),
            parallel_iterations=1,
            maximum_iterations=num_slices,
        )
        run(self._end_slices, (moved, before))
        return sums

    def _end_slices(self, moved, before):
        values = self._statistics.of_slices(moved, before, self._options.accumulate)
        self._statistics.write(values)

    def _of_slice(self, images, labels, every, total, counts):
        """Loss, its terms and gradients of some images on one replica.

        They are parts of those of all images, to be summed up. `every` are the labels
        of all slices, `counts` see `_counts`.
        """
        with tf.GradientTape() as tape:
            if self._seed_generator is None:
                outputs = self._model(images, training=True)
                loss, terms = self._mean_loss(labels, outputs, every, total), {}
            else:
                terms = self._terms(images, labels, total, counts)
                loss = tf.add_n(list(terms.values()))
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

    def _terms(self, images, labels, total, counts):
        """Terms of an objective for some images, as parts of those of all."""
        share = tf.cast(_count(images), "float32") / total
        options = {}
        if self._divides:
            options["divide"] = divisors.Divisors(share, counts)
        terms = self._loss.function(
            self._model, images, labels, seed=self._seed_generator, **options
        )
        return {f"loss_{name}": share * term for name, term in terms.items()}

    def _mean_loss(self, labels, outputs, every, total):
        """Weighted losses of all outputs, their share in the mean over all images."""
        if not isinstance(outputs, dict):
            outputs = {"logits": outputs}
        weights = self._options.loss_weights or {}
        names.check_options(weights, outputs, "`loss_weights`")
        mean = tf.zeros([])
        for name, logits in outputs.items():
            weight = weights.get(name, 1.0 if name == "logits" else _AUX_WEIGHT)
            if not weight:
                continue
            logits = tf.cast(logits, "float32")
            values, mask = _values(self._loss, labels, logits)
            if mask is None:
                mean += weight * _sum_of_images(values, logits) / total
            else:
                # As `fit`: by the entries of the whole batch that the loss counts.
                counted = tf.cast(mask, "float32")
                values = tf.reduce_sum(values * counted)
                valid = self._num_valid(every, logits, counted)
                mean += weight * tf.math.divide_no_nan(values, valid)
        return mean

    def _num_valid(self, every, logits, counted):
        """Entries that a loss of Keras counts, over all slices and replicas."""
        if self._options.accumulate > 1:
            # The mask depends on labels alone, so of this call only the mask is
            # computed: what is not used of a graph is not run.
            images = _count(every)
            shape = tf.concat([images[None], tf.shape(logits)[1:]], axis=0)
            like = tf.ensure_shape(tf.zeros(shape), [None, *logits.shape[1:]])
            counted = tf.cast(_values(self._loss, every, like)[1], "float32")
        valid = tf.stop_gradient(tf.reduce_sum(counted))
        return divisors.sum_of_replicas(valid)

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


def _values(loss, labels, logits):
    """Values of a loss, [N, ...] or a mean, and the mask of Keras or None."""
    if isinstance(loss, keras.losses.Loss):
        # As `fit` calls it, but without its reduction, which knows neither the slices
        # nor the global batch.
        labels = tf.nest.map_structure(lambda x: tf.cast(x, "float32"), labels)
        values = loss.call(labels, logits)
    else:
        values = loss(labels, logits)
    return tf.cast(values, "float32"), getattr(values, "_keras_mask", None)


def _sum_of_images(values, logits):
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
