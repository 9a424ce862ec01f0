"""Shared by `serve.py` and `crowd.py`: the peers' servers, their visitors, and measurements."""
