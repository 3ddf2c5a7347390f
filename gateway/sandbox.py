"""Confines the process that calls `enter` to a few files: a program that reads bytes of cameras needs little else.

Run as a program, it confines itself and then becomes the command that follows `--`. It imports the standard library
only: it starts with `python -I -S` before every FFmpeg, and must be quick.

The confinement is Landlock (Linux 5.13, landlock(7)), which needs no privileges, no further process and no mount, and
works in containers. Open descriptors and the network are not restricted. A confined process cannot read the memory or
the environment of others, which the same user could otherwise do through `/proc`.
"""

import contextlib
import ctypes
import glob
import os
import resource
import signal
import sys
from collections.abc import Iterable

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_GET_VERSION = 1
_PATH_BENEATH = 1
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38

# Rights of linux/landlock.h.
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_READ = _READ_FILE | _READ_DIR
_DEVICE = _READ | _WRITE_FILE | _IOCTL_DEV
#: The rights that a rule on a file, not a folder, may contain.
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
#: The rights that each version of the interface knows: 13, then also "refer" (2), "truncate" (3), ioctl (5).
_RIGHTS_BY_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_ALL_RIGHTS = (1 << 16) - 1
#: From version 6: no connection to abstract sockets and no signal to processes outside.
_SCOPES, _SCOPED_SINCE = 0b11, 6

#: Programs and libraries.
_PROGRAMS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/opt", "/nix/store", "/gnu/store")
#: Name resolution, certificates, fonts, drivers: public parts of /etc and /run, which also contain secrets.
_PUBLIC = (
    "/etc/ld.so.*",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/nsswitch.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/passwd",
    "/etc/group",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/gnutls",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust",
    "/etc/ca-certificates",
    "/etc/crypto-policies",
    "/etc/fonts",
    "/etc/alternatives",
    "/etc/OpenCL",
    "/etc/vulkan",
    "/etc/glvnd",
    "/run/systemd/resolve",
    "/run/resolvconf",
    "/run/NetworkManager/resolv.conf",
    "/sys",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/version",
    "/proc/driver/nvidia",
)
#: Devices of which every process may use a part, and hardware codecs.
_DEVICES = (
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/dri",
    "/dev/nvidia*",
    "/dev/kfd",
    "/dev/video*",
    "/dev/media*",
    "/dev/dma_heap",
    "/dev/mpp_service",
    "/dev/rga",
)


class SandboxUnavailable(Exception):
    """The process cannot be confined; the message says why."""


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def version() -> int:
    """The version of Landlock that the kernel offers; 0: none, or it is switched off."""
    return max(0, _call(_CREATE_RULESET, None, 0, _GET_VERSION)) if sys.platform == "linux" else 0


def enter(*, programs: Iterable[str] = (), folders: Iterable[str] = ()) -> None:
    """Confine this thread, and all that it starts, for good. Raises SandboxUnavailable.

    `programs` are further files and folders to read and run, `folders` those to read and write. Missing ones are left
    out.
    """
    offered = version()
    if not offered:
        raise SandboxUnavailable("this system has no Landlock (Linux 5.13 or later, with 'landlock' among its modules)")
    rights = _RIGHTS_BY_VERSION.get(offered, _ALL_RIGHTS)
    ruleset = _Ruleset(rights, 0, _SCOPES if offered >= _SCOPED_SINCE else 0)
    # An older kernel refuses a structure with fields that it does not know, unless they are zero.
    fd = _check(_call(_CREATE_RULESET, ctypes.byref(ruleset), ctypes.sizeof(ruleset), 0), "create a ruleset")
    try:
        for paths, access in (
            ((*_PROGRAMS, *programs), _READ | _EXECUTE),
            (_PUBLIC, _READ),
            (_DEVICES, _DEVICE),
            (folders, _ALL_RIGHTS & ~_EXECUTE),
        ):
            for pattern in paths:
                for path in glob.glob(pattern) if "*" in pattern else (pattern,):
                    _allow(fd, path, access & rights)
        _forbid_new_privileges()
        _check(_call(_RESTRICT_SELF, fd, 0), "restrict this process")
    finally:
        os.close(fd)


def forbid_core_dumps() -> None:
    """The memory of this process and its children is not written to a file when they crash."""
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _allow(ruleset: int, path: str, access: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(f"/proc/self/fd/{fd}"):
            access &= _OF_FILES
        rule = _PathBeneath(access, fd)
        _check(_call(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0), f"allow {path}")
    finally:
        os.close(fd)


def _forbid_new_privileges() -> None:
    """No program that this process starts gains privileges, whatever its mode (prctl(2)); Landlock requires it."""
    ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _call(number: int, *arguments: object) -> int:
    """The result of a system call that libc may not know, or -1."""
    syscall = ctypes.CDLL(None, use_errno=True).syscall
    syscall.restype = ctypes.c_long
    return syscall(ctypes.c_long(number), *(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments))


def _check(result: int, action: str) -> int:
    if result < 0:
        raise SandboxUnavailable(f"Landlock cannot {action}: {os.strerror(ctypes.get_errno())}")
    return result


def main(arguments: list[str]) -> int:
    """`PARENT NICENESS off|auto|required [+PROGRAMS…] [FOLDER…] -- COMMAND…`; does not return unless it fails."""
    parent, niceness, mode, *rest = arguments
    end = rest.index("--")
    paths, command = rest[:end], rest[end + 1 :]
    forbid_core_dumps()
    if int(niceness):
        os.nice(int(niceness))
    if sys.platform == "linux":
        # The kernel ends FFmpeg with the thread that started it; the parent may have ended before this call.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(parent):
            return 1
        _forbid_new_privileges()
    if mode != "off":
        try:
            enter(
                programs=[path[1:] for path in paths if path.startswith("+")],
                folders=[path for path in paths if not path.startswith("+")],
            )
        except SandboxUnavailable as error:
            if mode == "required":
                print(f"[fatal] FFMPEG_SANDBOX is 'required', but {error}", file=sys.stderr)
                return 78
    try:
        os.execv(command[0], command)  # noqa: S606 the command is the argument
    except OSError as error:
        print(f"[fatal] '{command[0]}' cannot be started: {error.strerror}", file=sys.stderr)
    return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
