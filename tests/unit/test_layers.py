"""Imports point downwards only, and what serves a log imports no framework."""

import ast
import pathlib
import subprocess
import sys

import pytest

import tb_filterviz

PACKAGE = pathlib.Path(tb_filterviz.__file__).parent
FRAMEWORKS = ("tensorflow", "keras", "torch")
LEVELS = {
    "records": 0,
    "analysis": 0,
    "colormap": 0,
    "mosaic": 0,
    "slices": 0,
    "wire": 1,
    "query": 1,
    "answers": 1,
    "found": 1,
    "insight": 1,
    "course": 1,
    "listing": 1,
    "thoughts": 1,
    "store": 1,
    "plugin": 1,
    "export": 1,
    "logged": 1,
    "reader": 1,
    "loader": 1,
    "sources": 2,
    "patterns": 2,
    "writers": 2,
    "summary_op": 2,
    "callback": 2,
    "cli": 3,
    "__main__": 3,
}
THIRD_PARTY = {
    0: {"numpy"},
    1: {"numpy", "tensorboard", "werkzeug", "PIL", "google_crc32c", "grpc"},
    2: {"numpy", "tensorboard", "tensorflow", "keras", "tqdm"},
    3: set(),
}


def imports(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            if node.module == "tb_filterviz":
                yield from (f"tb_filterviz.{alias.name}" for alias in node.names)
            else:
                yield node.module


def modules():
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE).parts
        yield file, parts[0].removesuffix(".py")


def wrong_imports(file, top):
    for name in imports(file):
        root, *rest = name.split(".")
        if root == "tb_filterviz":
            if not rest or LEVELS[rest[0]] > LEVELS[top]:
                yield name
        elif root not in sys.stdlib_module_names and root not in THIRD_PARTY[LEVELS[top]]:
            yield name


@pytest.mark.parametrize(("file", "top"), [pytest.param(f, t, id=str(f.relative_to(PACKAGE))) for f, t in modules()])
def test_imports_point_downwards(file, top):
    if top != "__init__":
        assert list(wrong_imports(file, top)) == []


def test_the_check_of_imports_can_fail():
    assert "tensorflow" in list(wrong_imports(PACKAGE / "writers.py", "wire"))
    assert "tb_filterviz.wire" in list(wrong_imports(PACKAGE / "plugin.py", "records"))


def loaded(statement, names):
    """Returns which of `names` a fresh interpreter has loaded after a statement."""
    code = f"{statement}\nimport sys\nprint(*[name for name in {names!r} if name in sys.modules])"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize(
    "module",
    [
        *("tb_filterviz", "tb_filterviz.loader", "tb_filterviz.plugin", "tb_filterviz.store", "tb_filterviz.reader"),
        "tb_filterviz.cli",
    ],
)
def test_no_framework_is_loaded(module):
    assert loaded(f"import {module}", FRAMEWORKS) == []


def test_the_check_of_frameworks_can_fail():
    assert loaded("import tb_filterviz.plugin", ("numpy", "json")) == ["numpy", "json"]


def test_no_module_takes_the_place_of_a_public_name():
    """A submodule that is imported becomes an attribute of its package."""
    assert not [name for name in tb_filterviz.__all__ if (PACKAGE / f"{name}.py").exists() or (PACKAGE / name).exists()]


def test_public_names_are_there():
    assert set(tb_filterviz.__all__) <= set(dir(tb_filterviz))
    with pytest.raises(AttributeError, match="no attribute 'sumary'"):
        getattr(tb_filterviz, "sumary")  # noqa: B009 - a plain attribute would be a useless expression


def test_the_loader_flags():
    import argparse

    from tb_filterviz import loader

    parser = argparse.ArgumentParser()
    loader.Loader().define_flags(parser)
    flags = parser.parse_args(["--filterviz_cache_mb", "7"])
    assert (flags.filterviz_cache_mb, flags.filterviz_source) == (7, "auto")


@pytest.mark.parametrize(
    ("flags", "samples"),
    [
        ({"logdir": "logs"}, 1),
        ({"logdir": "logs", "filterviz_source": "tensorboard"}, 50),
        ({"logdir": "gs://bucket/logs"}, 50),
        ({"logdir": "", "logdir_spec": "a:logs"}, 50),
        ({"logdir": "logs", "grpc_data_provider": "localhost:1"}, 50),
        ({}, 50),
    ],
)
def test_tensorboard_keeps_the_fewest_samples_where_event_files_are_read(flags, samples):
    import argparse

    from tb_filterviz import loader

    for given, kept in (({}, samples), ({"filterviz": 3}, 3)):
        parsed = argparse.Namespace(**flags, samples_per_plugin=dict(given))
        loader.Loader().fix_flags(parsed)
        assert parsed.samples_per_plugin == {"filterviz": kept}
