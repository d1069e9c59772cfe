"""A cut without more is on the stream's own clock."""

from vskd.preprocessing.sync.cut import Cut


def test_the_own_clock_is_the_common_one_unless_it_is_said() -> None:
    assert Cut(1.0, 2.0) == Cut(start_s=1.0, end_s=2.0, offset_s=0.0, scale=1.0)
