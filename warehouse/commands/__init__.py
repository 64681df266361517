"""The few writes that people make."""
