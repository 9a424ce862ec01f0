"""A classifier -> a folder that a host takes as it is: Heroku, Binder, Hugging Face Spaces."""
