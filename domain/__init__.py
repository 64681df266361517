"""The formulas and words of the field: pure functions, no input or output."""
