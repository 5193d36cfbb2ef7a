"""The reconciliation itself: relations in, relations out.

A stage is one module with one public verb; add one when a new relation is derived. Knows no Dagster (that is `assets`),
no example (that is `data`) and nobody's declarations (`assets.contexts`). What must hold of a result belongs to
`checks`.
"""
