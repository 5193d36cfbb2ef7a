"""One module per bounded context: what its users declare about entities, translations and service levels.

Named like its contracts in `checks.contracts`. Declarations only: no reading, no computing, no Dagster, and no context
imports another. `COEXIST_CONTEXTS` names a package of the same shape in a company's own repository instead.
"""
