"""Patterns: the pictures that excite the filters of a layer most (activation maximisation).

D. Erhan, Y. Bengio, A. Courville and P. Vincent, "Visualizing Higher-Layer Features of a Deep Network", Technical
Report 1341, University of Montreal, 2009.
"""

from tb_filterviz.patterns.generate import generate_patterns
from tb_filterviz.patterns.options import PatternOptions

__all__ = ["PatternOptions", "generate_patterns"]
