"""Adapters that break one rule of the conformance kit each, and the tidy one that they are made of."""
