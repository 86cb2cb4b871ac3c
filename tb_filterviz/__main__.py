"""`python -m tb_filterviz` is `tb-filterviz`."""

import sys

from tb_filterviz import cli

if __name__ == "__main__":
    sys.exit(cli.main())
