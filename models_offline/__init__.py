"""The trainer: reads demand from the warehouse, writes a results bundle. No Flask, no Dash."""

__version__ = "1.0.0"
