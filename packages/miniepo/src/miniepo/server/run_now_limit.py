"""How many systems one Run Client Task Now may have: `conf/epo/epo.properties`, read at each action (domain §6.2)."""

from __future__ import annotations

from pathlib import Path

from miniepo.errors import ConfigError
from miniepo.log import logger

FILE = "conf/epo/epo.properties"
"""Below the server's directory, as the source has it: `server/conf/epo/epo.properties`."""
PROPERTY = "clienttask.runnow.system.limit"
DEFAULT = 999
_MAX_DIGITS = 9
_FIRST_TEXT = f"""# Properties of the ePO server. They are read whenever they are needed.
# So many systems one Run Client Task Now may have. It must not be changed.
{PROPERTY}={DEFAULT}
"""
_log = logger("server.run_now")


def parse(text: str) -> dict[str, str]:
    """The properties of a file: `name=value` or `name: value` lines, `#` and `!` begin comments."""
    found: dict[str, str] = {}
    for line in map(str.strip, text.splitlines()):
        if not line or line[0] in "#!":
            continue
        cut = min((line.index(sign) for sign in "=:" if sign in line), default=len(line))
        found[line[:cut].strip()] = line[cut + 1 :].strip()
    return found


class Limit:
    """The limit of one server."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE

    def prepare(self) -> None:
        """Write the file where there is none; one that is there stays as it is. Raises ConfigError."""
        if self.path.exists():
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(_FIRST_TEXT, encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{self.path}: {error.strerror}") from error

    def read(self) -> int:
        """The limit as the file has it now; 999 where it says nothing that can be understood.

        Files of this kind are Latin-1.
        """
        try:
            value = parse(self.path.read_text(encoding="latin-1")).get(PROPERTY, "")
        except OSError as error:
            _log.warning("%s: %s; the limit is %d", self.path, error.strerror, DEFAULT)
            return DEFAULT
        if len(value) <= _MAX_DIGITS and value.isascii() and value.isdigit():
            return int(value)
        _log.warning(
            "%s: %s is %r, no whole number of %d digits at most; the limit is %d",
            self.path,
            PROPERTY,
            value[:40],
            _MAX_DIGITS,
            DEFAULT,
        )
        return DEFAULT
