"""The options of patterns: what they accept, what they say otherwise."""

import re

import numpy as np
import pytest

from tb_filterviz.patterns import PatternOptions
from tb_filterviz.patterns.options import select_filters
from tb_filterviz.patterns.recipes import RECIPES


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"filters": 3}, 3),
        ({"filters": np.int64(3)}, 3),
        ({"filters": [7, 3]}, (7, 3)),
        ({"filters": range(2)}, (0, 1)),
        ({"filters": np.array([5])}, (5,)),
        ({"size": 64}, 64),
        ({"size": [48, 64]}, (48, 64)),
        ({"size": "auto"}, "auto"),
        ({"input_range": [-1, 1]}, (-1.0, 1.0)),
        ({"seed": np.uint8(9)}, 9),
    ],
)
def test_options_are_kept_in_their_plain_form(given, kept):
    options = PatternOptions(**given)
    value = getattr(options, next(iter(given)))
    assert value == kept
    assert type(value) is type(kept)
    assert hash(options) == hash(PatternOptions(**given))


FILTERS = "`filters` must be None for all filters, an int for the first so many, or a non-empty sequence of indices"
SIZE = (
    '`size` must be "auto", an int for all sides, or one for each spatial axis, such as (height, width), each '
    "from 1 to 4096. Received: size="
)
RANGE = '`input_range` must be "auto" or a pair (low, high) of finite numbers with low < high'


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"filters": 0}, FILTERS),
        ({"filters": []}, FILTERS),
        ({"filters": [-1]}, FILTERS),
        ({"filters": [1.5]}, FILTERS),
        ({"filters": True}, FILTERS),
        ({"filters": "all"}, f"{FILTERS} from 0. Received: filters='all'"),
        ({"size": 0}, f"{SIZE}0"),
        ({"size": 4097}, f"{SIZE}4097"),
        ({"size": (3, 4, 5, 6)}, f"{SIZE}(3, 4, 5, 6)"),
        ({"size": 1.5}, f"{SIZE}1.5"),
        ({"size": "big"}, f"{SIZE}'big'"),
        ({"steps": 0}, "`steps` must be an integer from 1. Received: steps=0"),
        ({"steps": 2.5}, "`steps` must be an integer from 1. Received: steps=2.5"),
        ({"recipe": ["robust"]}, f"`recipe` must be {' or '.join(map(repr, RECIPES))}. Received: recipe=['robust']"),
        ({"recipe": "vivid"}, f"`recipe` must be {' or '.join(map(repr, RECIPES))}. Received: recipe='vivid'"),
        ({"seed": -1}, "`seed` must be an integer from 0. Received: seed=-1"),
        (
            {"objective": "logit"},
            "`objective` must be 'channel' or 'spots' or 'neuron' or 'distinct'. Received: objective='logit'",
        ),
        ({"tries": 0}, "`tries` must be an integer from 1. Received: tries=0"),
        ({"normalized": 1}, "`normalized` must be True or False. Received: normalized=1"),
        ({"preprocess": "caffe"}, "`preprocess` must be None or a function. Received: preprocess='caffe'"),
        ({"max_seconds": 0}, "`max_seconds` must be None or a number above 0. Received: max_seconds=0"),
        ({"max_seconds": "1"}, "`max_seconds` must be None or a number above 0. Received: max_seconds='1'"),
        ({"max_seconds": float("nan")}, "`max_seconds` must be None or a number above 0. Received: max_seconds=nan"),
        ({"batch_size": True}, "`batch_size` must be an integer from 1. Received: batch_size=True"),
        ({"input_range": (1, 1)}, RANGE),
        ({"input_range": (0, float("nan"))}, RANGE),
        ({"input_range": "wide"}, RANGE),
        ({"input_range": 255}, RANGE),
        ({"progress": 1}, "`progress` must be True or False. Received: progress=1"),
    ],
)
def test_wrong_options_say_what_was_expected(given, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        PatternOptions(**given)


def test_the_reference_takes_no_part_in_comparisons():
    pictures = np.zeros((1, 8, 8, 3))
    assert PatternOptions(reference=pictures) == PatternOptions()
    assert hash(PatternOptions(reference=pictures)) == hash(PatternOptions())
    assert "0." not in repr(PatternOptions(reference=pictures))


def test_filters_are_selected_once_and_ascending():
    assert select_filters(None, 3) == [0, 1, 2]
    assert select_filters(2, 3) == [0, 1]
    assert select_filters(9, 3) == [0, 1, 2]
    assert select_filters((2, 0, 2), 3) == [0, 2]
    with pytest.raises(ValueError, match=re.escape("`filters` must be indices from 0 to 2: the layer has 3 filters")):
        select_filters((0, 3), 3)
