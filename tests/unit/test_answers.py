"""Handlers as applications."""

import numpy as np
from werkzeug import test

from tb_filterviz.answers import respond, route


def test_weights_that_overflow_are_no_line_of_the_console():
    """A warning is an error here."""

    @route
    def handler(_, request):
        large = np.full(3, 1e300)
        return respond(request, f"{(large * large).astype(np.float32)} {np.inf * np.zeros(1)}", "text/plain")

    body, status, _ = test.run_wsgi_app(lambda *request: handler(None, *request), test.EnvironBuilder().get_environ())
    assert (b"".join(body), status) == (b"[inf inf inf] [nan]", "200 OK")
