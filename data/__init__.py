"""The worlds Coexist is shown on: generators and real registry data, with a ledger of what was made to disagree.

Add a world as a package of its own; `lake/` holds what the pipeline writes and is not kept in git. Nothing here
reconciles, and the product never imports it: a world reaches the pipeline as files, like any other source.
"""
