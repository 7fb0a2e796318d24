"""The packages of the wheel: three folders of the repository's top are installed under `infratest`."""

from setuptools import find_packages, setup

ALSO = ("steps", "fixtures", "features")

setup(packages=find_packages(include=["infratest*"]) + [f"infratest.{name}" for name in find_packages(include=ALSO)])
