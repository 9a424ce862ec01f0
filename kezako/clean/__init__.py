"""What speaks against a picture, what to do with it, and how to take that back."""
