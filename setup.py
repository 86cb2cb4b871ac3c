"""Builds the tab's JavaScript bundle into the package; everything else is in pyproject.toml."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = pathlib.Path(__file__).parent
FRONTEND = ROOT / "frontend"
BUNDLE = ROOT / "tb_filterviz" / "static" / "index.js"


def build_frontend() -> None:
    """Builds the bundle unless it is newer than all of its sources, as it is in an sdist."""
    sources = [file for file in FRONTEND.rglob("*") if file.is_file() and "node_modules" not in file.parts]
    if BUNDLE.exists() and BUNDLE.stat().st_mtime >= max((file.stat().st_mtime for file in sources), default=0):
        return
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit(
            "Building tb-filterviz from its repository needs Node.js 20 or newer with npm, and npm was not found. "
            "Install Node.js, or install a released wheel or sdist, which need none."
        )
    subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=FRONTEND, check=True)
    subprocess.run([npm, "run", "build"], cwd=FRONTEND, check=True)


class BuildPy(build_py):
    """Builds the bundle before the Python modules are copied."""

    def run(self) -> None:
        """Runs the command."""
        build_frontend()
        super().run()


class Sdist(sdist):
    """Builds the bundle before the files are collected."""

    def run(self) -> None:
        """Runs the command."""
        build_frontend()
        super().run()


setup(cmdclass={"build_py": BuildPy, "sdist": Sdist})
