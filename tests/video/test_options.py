"""Options of clips."""

import pytest

from kerasseg import video


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"smooth": 1.0}, r"from 0 to below 1\. Received: 1\.0"),
        ({"follow": 0}, r"above 0, up to 1\. Received: 0"),
        ({"num_frames": 0}, r"1 or more\. Received: 0"),
    ],
)
def test_options_out_of_range_are_refused_when_they_are_given(given, message):
    with pytest.raises(ValueError, match=message):
        video.ClipOptions(**given)


def test_each_clip_gets_memories_of_its_own_in_a_fixed_order():
    clip = video.ClipOptions(smooth=0.5, follow=0.1)
    first, second = clip.memories(), clip.memories()
    for memories in (first, second):
        assert [type(x) for x in memories] == [video.Follower, video.Smoother]
    assert first[0] is not second[0] and first[1] is not second[1]
    assert video.ClipOptions().memories() == []
