"""A queue before one thread: what comes together is done together."""

import asyncio

import pytest

from kerasseg.serving.batches import Batches, FullError


def ask(batches, *asked):
    """Results, or exceptions, of (value, group, most) that are asked at once."""

    async def all_of_them():
        calls = [batches(*one) for one in asked]
        return await asyncio.gather(*calls, return_exceptions=True)

    return asyncio.run(all_of_them())


def test_values_of_a_group_are_worked_on_together_in_turn():
    turns = []

    def work(values):
        turns.append(values)
        return [10 * value for value in values]

    asked = [(1, "a", 2), (2, "b", 8), (3, "a", 2), (4, "a", 2)]
    sizes = []
    assert ask(Batches(work, on_batch=sizes.append), *asked) == [10, 20, 30, 40]
    assert turns == [[1, 3], [2], [4]]  # two of "a" at most, then the next in turn
    assert sizes == [2, 1, 1]


def test_an_error_reaches_those_of_its_turn_only():
    def work(values):
        if 2 in values:
            raise ArithmeticError("no 2")
        return values

    found = ask(Batches(work), (1, "a", 1), (2, "b", 1), (3, "c", 1))
    assert found[0] == 1 and isinstance(found[1], ArithmeticError) and found[2] == 3


def test_callers_above_the_limit_are_refused_at_once():
    found = ask(Batches(list, most_waiting=2), *((x, "a", 1) for x in range(4)))
    assert found[:2] == [0, 1] and all(isinstance(x, FullError) for x in found[2:])


def test_a_caller_that_gives_up_leaves_the_queue():
    done = []

    def work(values):
        done.extend(values)
        return values

    async def run():
        batches = Batches(work)
        calls = [asyncio.create_task(batches(x, x, 1)) for x in range(3)]
        await asyncio.sleep(0)
        assert len(batches) == 3
        calls[1].cancel()
        assert [await calls[0], await calls[2]] == [0, 2]
        with pytest.raises(asyncio.CancelledError):
            await calls[1]
        assert not len(batches)

    asyncio.run(run())
    assert done == [0, 2]
