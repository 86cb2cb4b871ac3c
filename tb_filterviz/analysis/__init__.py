"""What the weights of a layer tell, in NumPy alone.

`numbers` are cheap and stored with each datum when it is logged; the rest is computed on demand, from what was stored:
`similarity` (who resembles whom), `spectrum` (frequencies, orientation, colour), `quality` (of the layer as a whole)
and `change` (from one step or run to another). `meanings` says all of it in words. Every function takes kernels in the
canonical axes `(*spatial, in, out)`; weights that are not finite count as 0.
"""

from tb_filterviz.analysis.change import change, match
from tb_filterviz.analysis.meanings import MEANINGS, Meaning
from tb_filterviz.analysis.numbers import NUMBERS, filter_numbers
from tb_filterviz.analysis.quality import NEAR_RANDOM, Basis, Quality, basis, quality, randomness_bound
from tb_filterviz.analysis.report import COLUMNS, Report, report
from tb_filterviz.analysis.rows import dead, rows
from tb_filterviz.analysis.similarity import Clusters, clusters, cosines, nearest, order, orthogonality
from tb_filterviz.analysis.spectrum import Spectrum, colour_share, spectrum

__all__ = [
    "COLUMNS",
    "MEANINGS",
    "NEAR_RANDOM",
    "NUMBERS",
    "Basis",
    "Clusters",
    "Meaning",
    "Quality",
    "Report",
    "Spectrum",
    "basis",
    "change",
    "clusters",
    "colour_share",
    "cosines",
    "dead",
    "filter_numbers",
    "match",
    "nearest",
    "order",
    "orthogonality",
    "quality",
    "randomness_bound",
    "report",
    "rows",
    "spectrum",
]
