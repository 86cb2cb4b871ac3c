"""Options: what may be asked, in Python and as texts, and what is said of the rest."""

import numpy as np
import pytest

from tb_filterviz.export import fonts, texts
from tb_filterviz.export.content import number, plain
from tb_filterviz.export.options import OptionError, Options
from tb_filterviz.export.place import patterned, positions


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("inputs", "max", "an index or one of ('all', 'mean', 'strongest', 'rgb')"),
        ("inputs", 1.5, "an index or one of"),
        ("inputs", True, "an index or one of"),
        ("limit", 0, "layer, filter or a number from 1e-45 to 3.4e+38"),
        ("limit", 1e-46, "layer, filter or a number from 1e-45 to 3.4e+38"),
        ("limit", 3.5e38, "layer, filter or a number from 1e-45 to 3.4e+38"),
        ("limit", 1e300, "layer, filter or a number from 1e-45 to 3.4e+38"),
        ("limit", float("nan"), "layer, filter or a number from 1e-45 to 3.4e+38"),
        ("limit", float("inf"), "layer, filter or a number from 1e-45 to 3.4e+38"),
        ("limit", "max", "layer, filter or a number from 1e-45 to 3.4e+38"),
        ("colormap", "jet", "one of bluered, blueorange, night, grey"),
        ("theme", "black", "light or dark"),
        ("scale", 0, "an integer from 1 to 1024"),
        ("scale", 1.0, "an integer from 1 to 1024"),
        ("width", 65537, "an integer from 1 to 65536"),
        ("columns", -1, "an integer from 1 to 1048576"),
        ("frames", 0, "an integer from 1 to 1048576"),
        ("fps", 50.1, "a number from 0.1 to 50"),
        ("fps", 0.01, "a number from 0.1 to 50"),
        ("fps", float("nan"), "a number from 0.1 to 50"),
        ("labels", "yes", "true or false"),
        ("bar", 1, "true or false"),
        ("caption", None, "true, false or a text of at most 2000 characters"),
        ("caption", "x" * 2001, "true, false or a text of at most 2000 characters"),
    ],
)
def test_a_wrong_option_is_named(name, value, expected):
    with pytest.raises(OptionError) as raised:
        Options(**{name: value})
    assert str(raised.value).startswith(f"`{name}` must be {expected}")
    assert str(raised.value).endswith(f"Received: {name}={value!r}")


@pytest.mark.parametrize(("name", "value"), [("limit", 1e-45), ("limit", 3.4e38), ("fps", 0.1), ("fps", 50)])
def test_the_ends_of_a_range_are_allowed(name, value):
    assert getattr(Options(**{name: value}), name) == value
    assert getattr(texts.options({name: str(value)}), name) == value


def test_scale_and_width_exclude_each_other():
    with pytest.raises(OptionError, match="`width` must be left out where `scale` is given"):
        Options(scale=2, width=300)


def test_all_options_as_texts():
    given = {
        **{"inputs": "3", "limit": "2.5e-3", "colormap": "grey", "theme": "dark", "scale": "2", "columns": "7"},
        **{"caption": "false", "labels": "true", "bar": "false", "frames": "9", "fps": "0.5"},
        **{"match": "likeness", "depth": "stored"},
    }
    assert texts.options(given) == Options(
        3, 0.0025, "grey", "dark", 2, None, 7, False, True, False, 9, 0.5, "likeness", "stored"
    )
    assert texts.options({}) == Options()
    assert texts.options({"caption": "my net", "inputs": "mean", "width": "300"}) == Options(
        "mean", width=300, caption="my net"
    )
    assert set(texts.NAMES) == set(vars(Options()))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *[
            (name, text)
            for name in ("scale", "width", "columns", "frames")
            for text in ("", "1e3", "+1", "1_0", "0", "٣")
        ],
        *[("limit", text) for text in ("", "-1", "inf", "nan", "1e999", "0x1", "٣", "1" * 400)],
        *[("fps", text) for text in ("", "0", "51", "inf", "nan", "fast")],
        *[("inputs", text) for text in ("", "max", "1.5")],
        *[(name, text) for name in ("labels", "bar") for text in ("", "1", "True", "no")],
        *[("theme", ""), ("colormap", ""), ("depth", "deep"), ("match", "best"), ("depth", "")],
    ],
)
def test_a_wrong_text_is_named(name, text):
    with pytest.raises(OptionError, match=f"`{name}` must be .*Received: {name}="):
        texts.options({name: text})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all", None),
        ("7", [7]),
        ("0:64", range(64)),
        ("3,0,9", [3, 0, 9]),
        ("007", [7]),
        (",".join(map(str, range(1 << 16))), [*range(1 << 16)]),
    ],
    ids=lambda text: str(text)[:20],
)
def test_filters_as_texts(text, expected):
    assert texts.filters(text) == expected


@pytest.mark.parametrize("text", ["", "-1", "1:", ":", "1:2:3", "a", "1,", "1, 2", "٣", "1" * 10])
def test_wrong_filters_are_named(text):
    with pytest.raises(OptionError, match="`filters` must be all, 7, 0:64 or 0,3,9"):
        texts.filters(text)


def test_which_filters():
    assert positions(None, 3) == [0, 1, 2]
    assert positions(np.int64(1), 3) == positions(-2, 3) == [1]
    assert positions(range(1, 3), 3) == positions(slice(1, 9), 3) == [1, 2]
    for wrong in (3, -4, range(1, 5), range(10**9), [0, 7], "a"):
        with pytest.raises(IndexError, match="must be indices of the 3 filters"):
            positions(wrong, 3)
    assert patterned(range(4, 10**9), [0, 7, 19]) == patterned(slice(-13, None), [0, 7, 19]) == [1, 2]
    assert patterned(np.int64(7), [0, 7, 19]) == patterned([7], [0, 7, 19]) == [1]
    with pytest.raises(IndexError, match="must be of those that have a pattern"):
        patterned([1], [0, 7, 19])


def test_texts_are_broken_into_lines():
    words = "the strongest slice of each filter " * 3 + "x" * 100
    lines = fonts.wrap(words, 12, 150)
    assert "".join(lines).replace(" ", "") == words.replace(" ", "")
    assert all(fonts.length(line, 12) <= 150 for line in lines)
    assert len(lines) > 5
    assert fonts.wrap("", 12, 150) == [""]


def test_plain_texts():
    assert plain("a\nb\x1b") == "a\\nb\\x1b"
    assert plain("x" * 500, 21) == "x" * 10 + "…" + "x" * 10
    assert number(-0.031234) == "\N{MINUS SIGN}0.0312"
