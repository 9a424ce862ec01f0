"""Write a folder with a classifier's page for a host: Heroku, Binder, Hugging Face Spaces."""
