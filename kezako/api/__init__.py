"""The API as anything that serves it speaks it: bodies, bounds, rules, words, description."""
