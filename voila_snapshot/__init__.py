"""Kernels forked from a notebook that has run, and a light template, for any Voilà notebook."""
