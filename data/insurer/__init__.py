"""A legacy insurance platform and the services that replace it, generated: models that differ, and a ledger of every planted discrepancy.

An independent source of truth: nothing here imports the product, and no value is kept in memory. Every value is a function of
seed, entity id, field and version, rendered by streaming SQL. README.md is the specification of the files.
"""
