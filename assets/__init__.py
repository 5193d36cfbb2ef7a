"""The Dagster code location: what is materialised, when, with which resources.

An asset body reads, calls one stage, writes, reports; if it wants an `if`, that belongs in `pipelines`. Verdicts belong
in `checks`, the users' declarations in `assets.contexts`.
"""
