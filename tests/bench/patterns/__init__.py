"""Patterns against the recipe that everybody copies, and against two libraries: speed, and whether they are true.

`python -m tests.bench patterns --help` lists what can be made smaller.
"""
