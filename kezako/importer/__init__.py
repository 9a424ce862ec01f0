"""Converts an untrusted `export.pkl` into a bundle, without running any code in the file."""
