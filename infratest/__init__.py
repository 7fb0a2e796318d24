"""infratest: one Gherkin feature as test, gate, monitor and heal trigger of an infrastructure stack."""

__version__ = "0.1.0"
