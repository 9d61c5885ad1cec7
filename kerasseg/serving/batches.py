"""Work of many callers, done by one thread, together where it can be."""

import asyncio
import collections
import concurrent.futures
import dataclasses


class FullError(Exception):
    """Too many callers wait already."""


@dataclasses.dataclass(frozen=True, eq=False)  # each is itself: values are arrays
class Item:
    """Value of a caller, who waits for its result.

    Attributes:
        value: what the work is done on.
        group: those of one group may be worked on together.
        most: how many of them.
        future: becomes the result.
    """

    value: object
    group: object
    most: int
    future: asyncio.Future


class Batches:
    """A queue before a function that wants one thread, such as a model.

    Nobody waits for company: while the function works, callers come together, and those
    of the group that is next in turn are served at once.

    Args:
        work: function of a list of values to the list of their results.
        most_waiting: callers above are refused.
        on_batch: function of how many values were worked on together.

    Example:
        >>> batches = Batches(lambda several: [x + len(several) for x in several])
        >>> async def ask():
        ...     return await asyncio.gather(*(batches(x, "all", 8) for x in range(3)))
        >>> asyncio.run(ask())
        [3, 4, 5]
    """

    def __init__(self, work, *, most_waiting=64, on_batch=None):
        self._work, self._most_waiting, self._on_batch = work, most_waiting, on_batch
        self._items, self._working = collections.deque(), None
        self._thread = concurrent.futures.ThreadPoolExecutor(1, "segment")

    def __len__(self):
        """Callers that wait for their turn."""
        return len(self._items)

    async def __call__(self, value, group, most):
        """The result for a value; see `Item` for the arguments.

        A caller that is cancelled before its turn leaves the queue.

        Raises:
            FullError: if too many wait.
            Exception: what the function raises, for all values of that turn.
        """
        if len(self._items) >= self._most_waiting:
            raise FullError
        loop = asyncio.get_running_loop()
        item = Item(value, group, most, loop.create_future())
        self._items.append(item)
        if self._working is None or self._working.done():
            self._working = loop.create_task(self._work_off(loop))
        try:
            return await item.future
        finally:
            if item in self._items:  # cancelled: by its time limit, or its caller left
                self._items.remove(item)

    async def _work_off(self, loop):
        await asyncio.sleep(0)  # callers of the same moment come first
        while self._items:
            several = self._next()
            if self._on_batch:
                self._on_batch(len(several))
            values = [item.value for item in several]
            try:
                results = await loop.run_in_executor(self._thread, self._work, values)
            except Exception as error:
                for item in several:
                    if not item.future.done():
                        item.future.set_exception(error)
                continue
            for item, result in zip(several, results):
                if not item.future.done():
                    item.future.set_result(result)

    def _next(self):
        """The first in the queue, and others of its group, which leave it."""
        first = self._items[0]
        several = [item for item in self._items if item.group == first.group]
        several = several[: first.most]
        for item in several:
            self._items.remove(item)
        return several
