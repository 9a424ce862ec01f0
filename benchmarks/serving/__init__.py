"""What `serve.py` and `crowd.py` share: the peers' servers, their visitors, and what they cost."""
