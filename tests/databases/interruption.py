"""A source during which something happens: for servers that die, and tables that change, while they are read."""

from contextlib import contextmanager
from dataclasses import replace

from pipelines.sources.source import Source


class Interrupted(Source):
    """Another source; behind its first batch something happens, the first so many times it is opened."""

    def __init__(self, source, happens, times=1):
        self.source, self.happens, self.left, self.opened = source, happens, times, 0

    def describe(self):
        return self.source.describe()

    @contextmanager
    def open(self, place, schema):
        self.opened += 1
        with self.source.open(place, schema) as reading:
            yield replace(reading, batches=self._batches(reading))

    def _batches(self, reading):
        for number, batch in enumerate(reading.batches):
            yield batch
            if number == 0 and self.left:
                self.left -= 1
                self.happens()
