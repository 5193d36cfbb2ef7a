"""One module per context: the published models of both sides, as versioned Pandera models.

Named like its declarations in `assets.contexts`, against which it is checked when loaded. Only the shape of the data as
each system publishes it: how one side reads in the other's language is a translation. Imports no Dagster.
"""
