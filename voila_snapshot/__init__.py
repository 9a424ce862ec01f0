"""For any Voilà notebook: kernels forked from one that has run it, and a light template."""
