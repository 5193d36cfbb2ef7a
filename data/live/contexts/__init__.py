"""The contexts of the examples on live servers: the same declarations, but the insurer's sources are databases.

`coexist demo --live` starts the servers and loads them (`data.live.insurer`), then reads these.
"""
