"""Thousands of matches over several workers, while workers and the broker are killed: `make soak`.

The product runs as in life: workers, beat, Valkey and a database. What has to hold afterwards is in `checks`.
"""
