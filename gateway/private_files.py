"""Keeps files from other users of the machine: new ones by the umask, existing ones of ours by their permissions.

The rule: a file of ours is for its owner only. What a deployer shares with a group stays shared with that group, never
with everybody. A folder counts as shared if its group may enter it, and it has the set-group-ID bit, or belongs to
another group than this process's own, or to a group with further members. A process that is started with a umask that
keeps everybody out, such as 027, keeps that umask.
"""

import contextlib
import grp
import logging
import os
import pwd
import stat
from collections.abc import Iterable
from pathlib import Path

from gateway import database
from gateway.config import Config
from gateway.private_redis import MEDIA, QUEUES

log = logging.getLogger(__name__)

#: Entries of VAR_DIR that no group has a use for.
_NEVER_SHARED = frozenset({"secrets", QUEUES, MEDIA})
#: All entries that this product makes in VAR_DIR. Others are not touched: VAR_DIR may be a folder with other things.
_OURS = _NEVER_SHARED | {
    "archive-cache", "captures", "demo-devices.json", "exports", "recordings", "run.lock", "setup",
    "vas.db", "vas.db-shm", "vas.db-wal",
}  # fmt: skip

_EVERYBODY, _GROUP = 0o007, 0o070


def keep_files_private(config: Config) -> None:
    """Set the umask of this process and tighten what earlier versions left open. To be called when a program starts."""
    folders = (config.var_dir, config.recordings_dir, config.exports_dir, config.captures_dir)
    inherited = os.umask(0o077)
    os.umask(choose_umask(inherited, folders))
    for path in _existing_files(config):
        _tighten(path, may_be_shared=path.name not in _NEVER_SHARED)


def choose_umask(inherited: int, folders: Iterable[Path]) -> int:
    """Return the umask for files in these folders."""
    if inherited & _EVERYBODY == _EVERYBODY:
        return inherited
    return 0o027 if any(_is_shared_folder(folder) for folder in folders) else 0o077


def _is_shared_folder(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        return _is_shared(folder.stat())
    return False


def _is_shared(status: os.stat_result) -> bool:
    """Whether the access of the group is on purpose."""
    if not status.st_mode & _GROUP:
        return False
    return bool(status.st_mode & stat.S_ISGID) or status.st_gid != os.getegid() or _has_further_members(status.st_gid)


def _has_further_members(gid: int) -> bool:
    try:
        members = set(grp.getgrgid(gid).gr_mem)
    except KeyError:
        return False
    with contextlib.suppress(KeyError):
        members.discard(pwd.getpwuid(os.geteuid()).pw_name)
    return bool(members)


def _existing_files(config: Config) -> list[Path]:
    """What this product made in VAR_DIR, VAR_DIR itself if it holds nothing else, and the database file."""
    found = []
    with contextlib.suppress(OSError):
        entries = [entry for entry in config.var_dir.iterdir() if entry.name != ".gitignore"]
        found = [entry for entry in entries if entry.name in _OURS]
        if len(found) == len(entries):
            found.append(config.var_dir)
    if (file := database.sqlite_file(config.database_url)) is not None:
        found += [file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))]
    return list(dict.fromkeys(found))


def _tighten(path: Path, *, may_be_shared: bool) -> None:
    """Remove the permissions of everybody, and of the group unless it is meant to have them. Never follows a link."""
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            return
        allowed = 0o7700 | (_GROUP if may_be_shared and _is_shared(status) else 0)
        mode = stat.S_IMODE(status.st_mode)
        if mode & ~allowed:
            path.chmod(mode & allowed)
            log.info("'%s' was open to other users: its permissions are %03o now", path, mode & allowed)
    except FileNotFoundError:
        pass
    except OSError as error:
        # Another user's: that one's to decide.
        log.warning("'%s' stays open to other users: %s", path, error.strerror)
