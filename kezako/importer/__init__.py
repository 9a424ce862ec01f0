"""A stranger's `export.pkl` -> bundle, without running anything that the file brought along."""
