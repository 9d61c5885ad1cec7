"""Memory and time of reading, whatever a file claims, in one process for all files."""

import pytest

from tests.images import greedy
from tests.memory import peaks

LIMIT = 16 * greedy.PIXELS  # bytes of a picture, see the README

CODE = """
outcomes = []
for read in (functools.partial(images.read_image, channels=None), images.read_mask):
    try:
        read({path!r}, max_pixels={pixels})
        outcomes.append("read")
    except images.ImageError as error:
        outcomes.append("refused")
        assert len(str(error)) < 6000
assert outcomes[0] == {wanted!r}, outcomes
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder, cases = tmp_path_factory.mktemp("greedy"), {}
    for name, make in greedy.FILES.items():
        data, refused = make()
        path = folder / name
        path.write_bytes(data)
        wanted = "refused" if refused else "read"
        cases[name] = CODE.format(path=str(path), pixels=greedy.PIXELS, wanted=wanted)
    return peaks(cases, "import functools; from kerasseg import images", most=2**30)


@pytest.mark.slow
@pytest.mark.parametrize("name", greedy.FILES)
def test_memory_stays_within_twice_the_limit_and_time_is_short(found, name):
    peak, seconds = found[name]
    assert peak < 2 * LIMIT + 30 * 10**6  # what libraries take when first used
    assert seconds < 6  # most of it for writing 64 MB several times
