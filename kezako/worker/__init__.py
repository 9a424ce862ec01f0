"""Strangers' pictures, opened and classified in a subprocess."""
