"""What must hold: the contracts of both sides, the tables that BI reads, and the verdicts shown in Dagster.

Add here what judges a relation; what derives one belongs to `pipelines`. `asset_checks` alone imports Dagster.
"""
