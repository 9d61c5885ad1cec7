"""Reads the pickles inside PyTorch checkpoints as data.

A pickle is a program for a small stack machine. `unpickle` is such a machine with only
the instructions that build containers, and with a closed list of names: nothing is
imported, no attribute is set, nothing that the file names is ever called. What would
need that, such as the options of a training, is kept by its name only: `Unknown`.
"""

import dataclasses
import pickletools

from kerasseg.names import bounded
from kerasseg.weights.checks import WeightsError

STORAGES = {
    "torch.DoubleStorage": "<f8",
    "torch.FloatStorage": "<f4",
    "torch.HalfStorage": "<f2",
    "torch.BFloat16Storage": "<u2",  # widened to float32 after reading
    "torch.LongStorage": "<i8",
    "torch.IntStorage": "<i4",
    "torch.ShortStorage": "<i2",
    "torch.CharStorage": "|i1",
    "torch.ByteStorage": "|u1",
    "torch.BoolStorage": "|b1",
}
CALLABLES = (
    "collections.OrderedDict",
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_parameter",
)
# Instructions whose argument is the value.
CONSTANTS = (
    *(
        "LONG1",
        "BININT",
        "BININT1",
        "BININT2",
        "BINFLOAT",
        "BINBYTES",
        "SHORT_BINBYTES",
    ),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINSTRING", "SHORT_BINSTRING"),
)
MAX_INSTRUCTIONS = 5_000_000  # a tensor takes some 30
MIN_INSTRUCTIONS = 100_000
MAX_PICKLE_BYTES = 100_000_000
MIN_PICKLE_BYTES = 1_000_000
MAX_LINE = 1000  # of the name of a class
SINGLETONS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}


class Budget:
    """Limits the instructions and the constants of the pickles of one file.

    An instruction of one byte can make an object of 200, so that the size of a file
    says little about what its pickles need.
    """

    def __init__(self, max_bytes):
        self.instructions = min(
            MAX_INSTRUCTIONS, max(max_bytes // 200, MIN_INSTRUCTIONS)
        )
        # Text of four bytes per character from text of one.
        self.bytes = min(MAX_PICKLE_BYTES, max(max_bytes // 4, MIN_PICKLE_BYTES))

    def spend(self, instructions=0, num_bytes=0):
        """Count what is run and read; a ValueError when it is too much."""
        self.instructions -= instructions
        self.bytes -= num_bytes
        if self.instructions < 0 or self.bytes < 0:
            raise ValueError("a pickle of more objects than weight files have")


class _Reads:
    """The part of a file that `pickletools` needs, within a budget."""

    def __init__(self, file, budget):
        self.file, self.budget = file, budget

    def read(self, size):
        self.budget.spend(num_bytes=size)  # before the bytes are in memory
        return self.file.read(size)

    def readline(self):
        line = self.file.readline(MAX_LINE)
        self.budget.spend(num_bytes=len(line))
        return line


@dataclasses.dataclass(frozen=True)
class Name:
    """A name that the file mentions, such as "torch.FloatStorage"."""

    text: str


@dataclasses.dataclass(frozen=True)
class Unknown:
    """An object that is not made, of the class or function of this name."""

    name: str


@dataclasses.dataclass(frozen=True)
class Storage:
    """Where the numbers of a tensor are: `num` elements from `start` under `key`."""

    key: str
    kind: str  # a key of STORAGES
    num: int
    start: int = 0  # not 0 only for the storage views of very old files


@dataclasses.dataclass(frozen=True)
class Tensor:
    """A view of a storage; offset and strides count elements."""

    storage: Storage
    offset: int
    shape: tuple
    strides: tuple


def unpickle(file, path, budget):
    """Run one pickle of `file` and return what it builds.

    Args:
        file: binary file, left behind the pickle's end.
        path: for messages.
        budget: `Budget`, shared by the pickles of one file.

    Returns:
        dict (also for OrderedDict), list, tuple, str, bytes, number, bool, None,
        `Tensor`, or `Unknown` in the place of anything else.

    Raises:
        WeightsError: if the pickle has instructions that no weight file needs.
    """
    stack, marks, memo = [], [], {}
    for opcode, argument, _ in pickletools.genops(_Reads(file, budget)):
        name = opcode.name
        budget.spend(instructions=1)
        if name in CONSTANTS:
            stack.append(argument)
        elif name in SINGLETONS:
            stack.append(SINGLETONS[name])
        elif name in MAKERS:
            stack.append(MAKERS[name]())
        elif name == "MARK":
            marks.append(len(stack))
        elif name in GATHERERS:
            stack.append(GATHERERS[name](_pop_marked(stack, marks)))
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            num = int(name[-1])
            stack[-num:] = [tuple(stack[-num:])]
        elif name in ("SETITEM", "SETITEMS"):
            items = (
                _pop_marked(stack, marks)
                if name == "SETITEMS"
                else [stack.pop(-2), stack.pop()]
            )
            _set_items(stack[-1], items)
        elif name in ("APPEND", "APPENDS", "ADDITEMS"):
            items = [stack.pop()] if name == "APPEND" else _pop_marked(stack, marks)
            _extend(stack[-1], items)
        elif name in ("BINPUT", "LONG_BINPUT", "MEMOIZE"):
            memo[len(memo) if argument is None else argument] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name == "GLOBAL":
            stack.append(_name(*argument.split(" ", 1)))
        elif name == "STACK_GLOBAL":
            stack[-2:] = [_name(*stack[-2:])]
        elif name == "BINPERSID":
            stack.append(_storage(stack.pop()))
        elif name == "REDUCE":
            stack[-2:] = [_call(*stack[-2:])]
        elif name in ("NEWOBJ", "NEWOBJ_EX"):
            stack[-2 if name == "NEWOBJ" else -3 :] = [_new(stack, name)]
        elif name == "BUILD":
            stack.pop()  # attributes of an OrderedDict: the versions of its modules
            _require(isinstance(stack[-1], (dict, Unknown)), "attributes for an object")
        elif name == "STOP":
            return stack.pop()
        elif name not in ("PROTO", "FRAME"):
            raise WeightsError(f"instruction {name} is not allowed in a pickle.", path)
    raise EOFError("the pickle has no end")


def _pop_marked(stack, marks):
    start = marks.pop()
    items = stack[start:]
    del stack[start:]
    return items


def _name(module, name):
    # A tuple of a few bytes can be 2^40 long when it is written out.
    _require(isinstance(module, str) and isinstance(name, str), "a name")
    text = f"{module}.{name}"
    known = text in STORAGES or text in CALLABLES
    return Name(text) if known else Unknown(bounded(text, 200))


def _new(stack, instruction):
    """The object of a class, which is not made: no class is known."""
    made = stack[-2 if instruction == "NEWOBJ" else -3]
    _require(isinstance(made, Unknown), "an object")
    return made


def _call(name, arguments):
    if isinstance(name, Unknown):
        return name
    _require(isinstance(name, Name) and isinstance(arguments, tuple), "a call")
    if name.text == "collections.OrderedDict":
        return _ordered_dict(*arguments)
    if name.text == "torch._utils._rebuild_parameter":
        _require(isinstance(arguments[0], (Tensor, Unknown)), "a parameter")
        return arguments[0]
    _require(name.text == "torch._utils._rebuild_tensor_v2", f"a call of {name.text}")
    storage, offset, shape, strides = arguments[:4]
    if isinstance(storage, Unknown):  # of numbers that are not read, complex ones
        return storage
    _require(isinstance(storage, Storage), "a tensor without storage")
    _require(
        isinstance(shape, tuple) and isinstance(strides, tuple), "a tensor's shape"
    )
    _require(len(shape) == len(strides) <= 32, "a tensor's strides")
    for number in (offset, *shape, *strides):
        _require(type(number) is int and 0 <= number < 2**62, "a tensor's size")
    return Tensor(storage, offset, shape, strides)


def _ordered_dict(pairs=None):
    """Python 2 wrote the pairs as an argument, Python 3 sets them afterwards."""
    table = {}
    if pairs:
        _require(isinstance(pairs, list), "an OrderedDict")
        for pair in pairs:
            _require(isinstance(pair, (list, tuple)) and len(pair) == 2, "an entry")
            _set_items(table, pair)
        pairs.clear()  # else a short file could expand one list again and again
    return table


def _storage(address):
    _require(isinstance(address, tuple) and len(address) in (5, 6), "a storage")
    tag, kind, key, _, num = address[:5]
    _require(tag == "storage" and isinstance(kind, (Name, Unknown)), "a storage")
    if isinstance(kind, Unknown):
        return kind
    _require(kind.text in STORAGES and isinstance(key, str), "a storage")
    start = 0
    if len(address) == 6 and address[5] is not None:  # a view: (key, start, length)
        start = address[5][1]
    for number in (num, start):
        _require(type(number) is int and 0 <= number < 2**62, "a storage's size")
    return Storage(key, kind.text, num, start)


def _set_items(table, items):
    if isinstance(table, Unknown):
        return table
    _require(isinstance(table, dict) and len(items) % 2 == 0, "an entry")
    for key, value in zip(items[::2], items[1::2]):
        # No long numbers that all have one hash, and no deep tuples to hash: entries of
        # other keys are no tensors that anybody asks for.
        _require(not isinstance(key, int) or -(2**60) < key < 2**60, "a key")
        if isinstance(key, (str, int)):
            table[key] = value
    return table


def _extend(sequence, items):
    if isinstance(sequence, Unknown):
        return
    _require(isinstance(sequence, list), "an item")
    sequence.extend(items)


def _require(condition, what):
    if not condition:
        raise ValueError(f"{what} that no weight file contains")


# Instructions that push an empty container, and those that make one of what lies above
# the last mark.
MAKERS = {
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_SET": lambda: Unknown("set"),
}
GATHERERS = {
    "TUPLE": tuple,
    "LIST": list,
    "DICT": lambda items: _set_items({}, items),
    "FROZENSET": lambda items: Unknown("frozenset"),
}
