"""One customer record that speaks every system's API."""

__version__ = "0.1.0"
