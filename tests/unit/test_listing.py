"""The text of the index, put together of what is kept and what is new."""

import gzip
import json

from tb_filterviz import analysis, listing, wire
from tb_filterviz.store import ByteCache, EventFileSource, LogdirIndex, Store
from tests.support import logs, server
from tests.support.logdirs import FILE, event


def answer(listed, index):
    index.refresh()
    return json.loads(gzip.decompress(listed.answer(EventFileSource(index.contents, ByteCache(1 << 20)), "")))


def test_a_series_that_grew_is_written_anew_and_others_are_kept(tmp_path, monkeypatch):
    written = []
    entry = listing._entry
    monkeypatch.setattr(listing, "_entry", lambda series, header: written.append(series.run) or entry(series, header))
    for run in ("a", "b"):
        logs.write_file(tmp_path / run / FILE, [event(0)])
    index, listed = LogdirIndex(tmp_path), listing.Listing(Store(0))
    first = answer(listed, index)
    assert answer(listed, index) == first
    assert written == ["a", "b"]
    logs.append(tmp_path / "b" / FILE, [event(3)])
    second = answer(listed, index)
    assert written == ["a", "b", "b"]
    assert [run["timelines"][0]["steps"] for run in second["runs"]] == [[0], [0, 3]]
    assert second["runs"][0] == first["runs"][0]


def test_an_answer_is_kept_for_its_revision(tmp_path):
    logs.write_file(tmp_path / "a" / FILE, [event(0)])
    index, listed = LogdirIndex(tmp_path), listing.Listing(Store(0))
    index.refresh()
    source = EventFileSource(index.contents, ByteCache(1 << 20))
    first = listed.answer(source, "1")
    assert listed.answer(source, "1") is first
    assert json.loads(gzip.decompress(listed.answer(source, "2")))["revision"] == "2"


def test_series_that_were_logged_together_share_a_timeline(tmp_path):
    late = {"a": (0.0, 0.0), "b": (0.4, -0.7), "c": (0.0, 1.5)}  # seconds, at each step
    for run in ("one", "two"):
        events = [
            event(step, 1.7e9 + 60 * step + late[name][step], wire.tag("net", name, wire.KERNEL))
            for step in (0, 1)
            for name in late
        ]
        logs.write_file(tmp_path / run / FILE, [*events, event(1, 1.7e9, wire.tag("net", "d", wire.KERNEL))])
    index, listed = LogdirIndex(tmp_path), listing.Listing(Store(0))
    answered = answer(listed, index)
    assert [steps for (run, _), steps in server.steps(answered).items() if run == "two"] == [[0, 1]] * 3 + [[1]]
    for run in answered["runs"]:
        assert [one["timeline"] for one in run["series"]] == [0, 0, 1, 2]
        assert [one["elapsed_ms"] for one in run["timelines"]] == [[0, 60000], [0, 61500], [0]]


def test_every_number_is_explained(tmp_path):
    logs.write_file(tmp_path / "a" / FILE, [event(0)])
    meanings = answer(listing.Listing(Store(0)), LogdirIndex(tmp_path))["meanings"]
    others = {"dtype", "superseded", "likeness"}
    quality = {"orthogonality", "sparsity", "randomness", "basis"}
    assert set(meanings) == {*analysis.NUMBERS, *analysis.COLUMNS, "dead", *quality, *others}
    for label, sentence, unit in meanings.values():
        assert len(sentence) > len(label)
        assert unit in ("", "%", "°")


def test_colours_run_from_the_lower_end_to_the_upper(tmp_path):
    logs.write_file(tmp_path / "a" / FILE, [event(0)])
    colormaps = answer(listing.Listing(Store(0)), LogdirIndex(tmp_path))["colormaps"]
    assert set(colormaps) == {"bluered", "blueorange", "night", "grey"}
    grey = bytes.fromhex(colormaps["grey"])
    assert (len(grey), grey[:3], grey[-3:]) == (3 * 255, b"\0\0\0", b"\xff\xff\xff")


def test_a_version_names_the_data_of_a_series(tmp_path):
    """Another step, earlier or later, or another time of one is another version; another process is not."""
    versions = []
    for at, events in enumerate(
        ([event(1), event(5)], [event(0), event(1), event(5)], [event(1), event(5), event(7)], [event(5)])
    ):
        logs.write_file(tmp_path / str(at) / FILE, events)
        versions += [version(tmp_path / str(at)), version(tmp_path / str(at))]
    logs.write_file(tmp_path / "anew" / FILE, [event(1), event(5, wall_time=1.7e9 + 6)])
    versions += [version(tmp_path / "anew")] * 2
    assert versions[::2] == versions[1::2]
    assert len({*versions}) == 5
    assert all(len(one) == 8 and int(one, 16) >= 0 for one in versions)


def version(directory):
    return answer(listing.Listing(Store(0)), LogdirIndex(directory))["runs"][0]["series"][0]["version"]
