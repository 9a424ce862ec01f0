"""The HTTP API, for every server: bodies, limits, rules, responses, OpenAPI description."""
