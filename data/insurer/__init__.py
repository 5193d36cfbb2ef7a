"""A legacy insurance platform and the services that replace it, generated, with a ledger of what was planted.

An independent source of truth: nothing here imports the product. No value is kept in memory: every value is a function
of seed, entity id, field and version, rendered by streaming SQL. README.md is the specification of the files.
"""
