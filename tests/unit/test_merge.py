"""Which datum of a step counts."""

from hypothesis import given
from hypothesis import strategies as st

from tb_filterviz.store.eventfile import Entry, FileId, Place
from tb_filterviz.store.merge import latest


def written(*files):
    """Entries of (step, wall time) file by file; their places tell them apart."""
    return [
        [
            Entry(step, float(time), Place(FileId(str(file), 0, 0), record, 0))
            for record, (step, time) in enumerate(entries)
        ]
        for file, entries in enumerate(files)
    ]


def places(*files):
    """By step the file and the record that count."""
    kept = latest(written(*files))
    return {step: (int(kept[step].place.file.path), kept[step].place.record) for step in sorted(kept)}


def test_a_late_step_hides_no_other():
    assert list(places([(0, 1), (10, 2), (5, 3), (20, 4)])) == [0, 5, 10, 20]


def test_the_later_datum_of_a_step_counts():
    assert places([(0, 1), (1, 2), (0, 3)]) == {0: (0, 2), 1: (0, 1)}
    assert places([(0, 1), (1, 2)], [(1, 2)]) == {0: (0, 0), 1: (1, 0)}


def test_a_restart_takes_over_from_its_first_step_on():
    before = [(0, 100), (10, 110), (20, 120), (30, 130)]
    assert places(before, [(20, 500)]) == {0: (0, 0), 10: (0, 1), 20: (1, 0)}
    assert places(before, [(15, 500), (40, 510)]) == {0: (0, 0), 10: (0, 1), 15: (1, 0), 40: (1, 1)}
    assert places(before, [(0, 500)]) == {0: (1, 0)}


def test_a_restart_of_a_restart():
    assert places([(0, 1), (1, 2), (2, 3)], [(1, 11), (2, 12), (3, 13)], [(3, 21)]) == {
        0: (0, 0),
        1: (1, 0),
        2: (1, 1),
        3: (2, 0),
    }


def test_two_writers_at_the_same_time_keep_each_others_steps():
    even, odd = [(step, 100 + step) for step in range(0, 20, 2)], [(step, 100 + step) for step in range(1, 20, 2)]
    assert list(places(even, odd)) == list(places(odd, even)) == list(range(20))


@given(st.lists(st.integers(0, 30), min_size=1, max_size=30))
def test_no_step_of_one_file_is_lost(steps):
    assert set(places([(step, time) for time, step in enumerate(steps)])) == set(steps)


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6, unique=True).map(sorted), min_size=1, max_size=4))
def test_sessions_one_after_another_are_as_the_data_server_takes_them(sessions):
    """Its rule: a datum drops all that came before it from its step on."""
    times = iter(range(1000))
    files = [[(step, next(times)) for step in session] for session in sessions]
    expected = {}
    for file, entries in enumerate(files):
        for record, (step, _) in enumerate(entries):
            expected = {older: place for older, place in expected.items() if older < step}
            expected[step] = (file, record)
    assert places(*files) == expected
