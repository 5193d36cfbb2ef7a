"""Disorder: what is wrong with an event log itself, whether any value suffers from it or not."""

from __future__ import annotations

from pipelines.expressions import literal


def findings(partition: str) -> str:
    """The query of what is wrong with the log itself, seen from the events of one partition (`events.FINDINGS`).

    Needs `heard`, `heard again` and `log gaps` (`testimony.hear`).
    """
    here = f"__partition = {literal(partition)}"
    shown = "event_time, recorded_time, epoch_instant(before_us) AS happened_after"
    return f"""
        SELECT legacy_key, 'sequence_gap' AS problem, sequence, missing, {shown} FROM heard
        WHERE {here} AND missing > 0
        UNION ALL
        SELECT legacy_key, 'out_of_order' AS problem, sequence, CAST(NULL AS BIGINT) AS missing, {shown}
        FROM (
            SELECT h.*, MAX(place) OVER (PARTITION BY legacy_key ORDER BY arrival) AS furthest FROM heard AS h
        ) AS arrived
        WHERE {here} AND furthest > place
        UNION ALL
        SELECT legacy_key, 'changed_after_deletion' AS problem, sequence, CAST(NULL AS BIGINT) AS missing, {shown}
        FROM ({_LIVES}) AS lived
        WHERE {here} AND effect = 'changes' AND died > COALESCE(made, 0)
        UNION ALL
        SELECT legacy_key, 'duplicate' AS problem, sequence, CAST(NULL AS BIGINT) AS missing, event_time, recorded_time,
            CAST(NULL AS TIMESTAMPTZ) AS happened_after
        FROM "heard again" WHERE {here}
        UNION ALL
        SELECT CAST(NULL AS VARCHAR) AS legacy_key, 'sequence_gap' AS problem, CAST(NULL AS BIGINT) AS sequence,
            missing, CAST(NULL AS TIMESTAMPTZ) AS event_time, CAST(NULL AS TIMESTAMPTZ) AS recorded_time,
            CAST(NULL AS TIMESTAMPTZ) AS happened_after
        FROM "log gaps" WHERE partition_key = {literal(partition)}
    """


# Of each event the place of the last one before it that deleted its row, and of the last one that made it.
_LIVES = """
    SELECT h.*, MAX(CASE WHEN effect = 'deletes' THEN place END) OVER (PARTITION BY legacy_key ORDER BY place) AS died,
        MAX(CASE WHEN effect IN ('creates', 'states') THEN place END)
            OVER (PARTITION BY legacy_key ORDER BY place) AS made
    FROM heard AS h
"""
