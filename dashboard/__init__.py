"""Composition: the only room that sees everything."""
