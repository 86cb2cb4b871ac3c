"""What pip installed: run where the wheel is, made from the sdist, without Node.js' help."""

import importlib.metadata
import pathlib
import tarfile
import zipfile

import pytest

DIST = pathlib.Path(__file__).parents[2] / "dist"


def names(pattern):
    (file,) = DIST.glob(pattern)
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as archive:
            return file, set(archive.namelist())
    with tarfile.open(file) as archive:
        return file, {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}


def test_the_wheel_holds_the_tab():
    wheel, found = names("*.whl")
    assert {"tb_filterviz/static/index.js", "tb_filterviz/http_api.md", "tb_filterviz/py.typed"} <= found
    # Modules and the tab: 280 kB, of which exports of overviews, comparisons and tables are 20. No data file may hide.
    assert wheel.stat().st_size < 290_000
    assert not [name for name in found if name.startswith(("tests", "frontend", "demo"))]


def test_the_bundle_is_small_and_asks_for_nothing_from_outside():
    wheel, _ = names("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        bundle = archive.read("tb_filterviz/static/index.js").decode()
    assert len(bundle.encode()) <= 90_000
    assert "eval(" not in bundle
    assert "new Function" not in bundle
    assert [part for part in bundle.split("https://")[1:] if not part.startswith("www.w3.org/")] == []


def test_the_sdist_holds_the_tab_and_its_sources():
    _, found = names("*.tar.gz")
    assert {"tb_filterviz/static/index.js", "frontend/package-lock.json", "frontend/src/index.tsx", "setup.py"} <= found
    assert not [name for name in found if "node_modules" in name]


def test_tensorboard_finds_the_plugin_and_there_is_no_tensorflow():
    (entry,) = [e for e in importlib.metadata.entry_points(group="tensorboard_plugins") if e.name == "filterviz"]
    assert entry.load().__name__ == "Loader"
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        importlib.metadata.version("tensorflow")
