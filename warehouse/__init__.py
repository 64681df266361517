"""Postgres: everything that touches SQL."""
