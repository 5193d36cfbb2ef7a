"""Secrets by reference: declarations say where a secret is, never what it is; it is read when it is needed.

Whatever a driver says about a failure passes through `without` before anybody sees it.
"""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote

from pipelines.declared import declared
from pipelines.errors import SourceError, nearest

_HIDDEN = "***"


class Secret(ABC):
    """Where a secret is kept. Mistakes in it are told without what was written there: it may be the secret itself."""

    is_anonymous: ClassVar[bool] = True

    @abstractmethod
    def reveal(self) -> str:
        """The secret itself. Raises SourceError when it is not there."""

    @abstractmethod
    def __str__(self) -> str:
        """The reference, for people."""


@declared
class Env(Secret):
    """A secret in an environment variable of the process that reads."""

    name: str

    def __post_init__(self) -> None:
        # What may be the secret itself is not repeated.
        if not re.fullmatch(r"[A-Za-z_]\w*", self.name, re.ASCII):
            raise ValueError("name is that of an environment variable, such as HOST_DB_URL: never the secret itself")

    def reveal(self) -> str:
        value = os.environ.get(self.name)
        if not value:
            near = nearest(self.name, [name for name in os.environ if name != self.name])
            hint = f'; did you mean "{near}"?' if near else ""
            raise SourceError(f"the environment variable {self.name} is not set{hint}")
        return value

    def __str__(self) -> str:
        return f"${self.name}"


@declared
class SecretFile(Secret):
    """A secret in a file, as container platforms mount them; blanks and line ends around it do not count."""

    path: str

    def reveal(self) -> str:
        try:
            value = Path(self.path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SourceError(f"the secret file {self.path} cannot be read: {os.strerror(error.errno or 0)}") from None
        except UnicodeDecodeError:
            raise SourceError(f"the secret file {self.path} is no text") from None
        if not value:
            raise SourceError(f"the secret file {self.path} is empty")
        return value

    def __str__(self) -> str:
        return self.path


def without(message: str, *secrets: str | None) -> str:
    """The message with these secrets blotted out, as they are and as they look outside a URL."""
    forms = {form for secret in secrets if secret for form in (secret, unquote(secret))}
    for form in sorted(forms, key=len, reverse=True):
        message = message.replace(form, _HIDDEN)
    return message
