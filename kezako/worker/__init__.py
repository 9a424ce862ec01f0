"""Strangers' pictures, opened and classified in a process of their own."""
