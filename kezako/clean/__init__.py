"""Find wrong or bad pictures, mark what to do with them, apply the marks, and undo that."""
