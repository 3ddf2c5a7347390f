"""The version of the plugin API, and whether a plugin's module fits it."""

from typing import Any

from gateway.errors import PluginError

#: `MAJOR.MINOR`. A minor version only adds, a major version may remove (plugins/README.md, "The promise").
API_VERSION = "1.0"

#: How a module says what it requires, and the older attribute with a major version alone.
REQUIREMENT, MAJOR_REQUIREMENT = "requires_plugin_api", "api_version"


class WrongVersion(PluginError):
    """A plugin does not fit this version of the plugin API; `remedy` says what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def check_version(module: Any) -> None:
    """Compare what a plugin's module requires with the version of the plugin API. Raises WrongVersion."""
    major = getattr(module, MAJOR_REQUIREMENT, None)
    if major is not None and major != int(API_VERSION.partition(".")[0]):
        _refuse(major, is_newer=isinstance(major, int | float) and major > int(API_VERSION.partition(".")[0]))
    text = getattr(module, REQUIREMENT, None)
    if text is None:
        return
    # Imported only for plugins that require a version.
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import Version

    try:
        required = SpecifierSet(text) if isinstance(text, str) else None
    except InvalidSpecifier:
        required = None
    if required is None:
        raise WrongVersion(
            f"'{REQUIREMENT}' must be a text like '>=1.0,<2', not {text!r:.80}",
            f"correct '{REQUIREMENT}' in its module",
        )
    present = Version(API_VERSION)
    if not required.contains(present):
        lowest = [one for one in required if one.operator in (">=", ">", "~=", "==")]
        _refuse(text, is_newer=any(Version(one.version.removesuffix(".*")) > present for one in lowest))


def _refuse(required: Any, *, is_newer: bool) -> None:
    remedy = "update VAS, or install an older version of the plugin" if is_newer else "update the plugin"
    raise WrongVersion(
        f"it needs version {required!s:.80} of the plugin API; this VAS has {API_VERSION}",
        f"{remedy}, or switch it off (PLUGINS_OFF)",
    )
