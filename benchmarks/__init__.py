"""Slipway beside the programs that people use today, on the same tree and in the same run: `make bench`.

Each row of `docs/performance.md` is a function here. What counts are ratios of runs that followed each other,
never seconds.
"""
