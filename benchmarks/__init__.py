"""Measures infratest against its peers on one machine. `./run bench` calls `python -m benchmarks`; see `__main__`.

Not part of the package: nothing here is installed, and nothing of the package is imported by the harness itself. What
is measured is the wheel, in virtual environments of its own (`environment`).
"""
