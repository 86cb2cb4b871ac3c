"""The answer of the route `export`, without a server."""

import numpy as np
import pytest
from tensorboard import errors
from werkzeug import test, wrappers

from tb_filterviz.export import http
from tb_filterviz.export.place import Place
from tb_filterviz.query import Query
from tb_filterviz.store import ByteCache, EventFileSource, LogdirIndex, Store
from tests.support import logdirs, logs


@pytest.fixture
def source(tmp_path):
    logs.write_file(tmp_path / "train" / logdirs.FILE, [logdirs.event(step) for step in (0, 5, 10)])
    return EventFileSource(logdirs.refreshed(LogdirIndex(str(tmp_path))), ByteCache(1 << 20))


def export(source, **parameters):
    where = {"run": "train", "tag": logdirs.TAG, "step": 10, **parameters}
    query = {name: str(value) for name, value in where.items() if value is not None}
    request = wrappers.Request(test.EnvironBuilder(query_string=query).get_environ())
    return http.answer(Query(request), Store(1 << 20), source)


def test_filters_that_are_not_there_are_named_and_no_other_fault_is_taken_for_them(source, monkeypatch):
    with pytest.raises(errors.InvalidArgumentError, match="'filters' must be filters that there are, but was '5'"):
        export(source, filters=5)

    def broken(*_):
        return np.empty(0)[1]

    monkeypatch.setattr(Place, "filters", broken)
    with pytest.raises(IndexError, match="out of bounds"):
        export(source)
