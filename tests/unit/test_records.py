import numpy as np
import pytest

from tb_filterviz import records


@pytest.mark.parametrize("layout", records.LAYOUTS)
def test_every_layout_puts_each_weight_where_it_belongs(layout):
    sizes = {"D": 2, "H": 3, "W": 4, "I": 5, "O": 6, "M": 7}
    shape = tuple(sizes[letter] for letter in layout)
    stored = np.arange(np.prod(shape)).reshape(shape)
    kernel = records.canonical(stored, layout)
    for position in np.ndindex(shape):
        at = dict(zip(layout, position, strict=True))
        spatial = tuple(at[letter] for letter in "DHW" if letter in at)
        filters = (0, at["I"] * sizes["M"] + at["M"]) if "M" in at else (at["I"], at["O"])
        assert kernel[(*spatial, *filters)] == stored[position]


@pytest.mark.parametrize(
    ("layout", "words"), [("HWCO", "must be one of"), ("OIW", "names 3 axes, but the kernel has 4")]
)
def test_a_wrong_layout_is_named(layout, words):
    with pytest.raises(ValueError, match=f"`layout` {words}.*Received: layout='{layout}'"):
        records.canonical(np.zeros((2, 2, 2, 2)), layout)
