"""Secrets that are generated and stored in files, where no setting gives them."""

import os
import secrets
from pathlib import Path

from gateway.errors import ConfigError
from gateway.sealed_rows import DatabaseUnreadable, has_devices


def check_that_nothing_is_sealed(database_url: str, key_file: Path) -> None:
    """Raise ConfigError if a new SECRET_KEY would not fit the database: its cameras would stay unreadable."""
    remedy = f"set 'SECRET_KEY', or restore {str(key_file)!r} from a backup"
    try:
        if has_devices(database_url):
            raise ConfigError(
                "'SECRET_KEY' is not set, its file is missing, and the database holds cameras whose addresses were "
                f"encrypted with it: {remedy}"
            )
    except DatabaseUnreadable as error:
        raise ConfigError(
            "'SECRET_KEY' is not set, and it cannot be told whether the database needs an earlier one "
            f"({error}): {remedy}"
        ) from error


def read_or_make_secret(path: Path) -> str:
    """Read the secret from the file at `path`; generate the file (mode 0600) if it is missing.

    Two processes that start at the same time get the same secret: the complete file appears atomically by a hard link,
    and the first one wins.
    """
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        try:
            text = _make_secret(path)
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"the secret file {str(path)!r} cannot be made: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the secret file {str(path)!r} cannot be read: {error}") from error
    if len(text) < 16:
        raise ConfigError(f"the secret file {str(path)!r} must hold at least 16 characters")
    return text


def _make_secret(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32) + "\n")
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text(encoding="ascii").strip()
