"""Checks the SQL statements of a plugin's migration: they may change tables of the plugin alone.

This finds mistakes; it is no barrier against malice, because a plugin is code of the product.
"""

import re
from collections.abc import Callable

from gateway.errors import PluginError

# What is not closed ends with the statement: the time is linear, and the database refuses it.
_TOKEN = re.compile(
    r"""
      \s+ | --[^\n]* | /\*.*?(?:\*/|\Z)
    | (?P<string>'[^']*(?:''[^']*)*(?:'|\Z))
    | (?P<name>[A-Za-z_][A-Za-z0-9_$]*)
    | (?P<quoted>"[^"]*(?:""[^"]*)*(?:"|\Z)|`[^`]*(?:`|\Z)|\[[^\]]*(?:\]|\Z))
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_PLACEHOLDER = re.compile(r"%s|%%")

#: How a statement may begin, and what the name after it is. Words in brackets may be there.
_FORMS = (
    ("create table [if] [not] [exists]", "created"),
    ("create [unique] index [if] [not] [exists]", "index"),
    ("drop index [if] [exists]", "index"),
    ("alter table [if] [exists] [only]", "table"),
    ("drop table [if] [exists]", "table"),
    ("insert into", "table"),
    ("update [only]", "table"),
    ("delete from [only]", "table"),
)
#: The one table of the product to which a table of a plugin may refer: its rows are not deleted and restored.
_TENANTS = "tenants"
_ALLOWED = "CREATE TABLE, CREATE INDEX, ALTER TABLE, DROP TABLE, DROP INDEX, INSERT, UPDATE and DELETE"
#: Words that change something and have no place inside one of the forms, but after the words given here.
_CHANGING = {
    "insert": (), "truncate": (), "trigger": (), "grant": (), "attach": (), "execute": (),
    "create": (), "into": ("insert",), "delete": ("on",), "update": ("on", "do"), "drop": None, "alter": None,
}  # fmt: skip


class MigrationRefused(PluginError):
    """A statement of a plugin's migration that it may not execute; the message names the table or the statement."""


class StatementCheck:
    """Checks the statements of one plugin, and notes the tables that it creates, renames and drops.

    `owned` are the tables that belong to the plugin; `is_taken(name)` tells whether another table has a name.
    `prefixes` are those of all installed plugins: a table belongs to the longest that fits.
    """

    def __init__(self, plugin: str, owned: set[str], is_taken: Callable[[str], bool], prefixes: set[str]) -> None:
        self.owned = set(owned)
        self._plugin = plugin
        self._is_taken = is_taken
        self._prefixes = prefixes | {f"{plugin}_"}

    def check(self, statement: str) -> None:
        """Raise MigrationRefused unless the plugin may execute the statement."""
        tokens = _read_tokens(statement)
        kind, rest = _match_form(tokens)
        if kind is None:
            raise MigrationRefused(f"'{_shorten(statement)}' is refused: a migration may use {_ALLOWED}")
        names, rest = _read_names(rest, statement)
        self._check_rest(tokens, statement)
        if kind == "created":
            self._create(names[0], statement, rest)
        elif kind == "index":
            self._check_index(names[0], tokens, rest)
        else:
            for name in names:
                self._require_own(name)
            if tokens[0] == "drop":
                self.owned -= set(names)
            if tokens[0] == "alter" and rest[:2] == ["rename", "to"]:
                (new,), _ = _read_names(rest[2:], statement)
                self._require_prefix(new)
                self.owned = (self.owned - set(names)) | {new}

    def _create(self, name: str, statement: str, rest: list[str]) -> None:
        self._require_prefix(name)
        if name not in self.owned and self._is_taken(name):
            raise MigrationRefused(f"table '{name}' exists and does not belong to plugin '{self._plugin}'")
        if rest[:1] != ["("]:
            raise MigrationRefused(f"'{_shorten(statement)}' is refused: list the columns of table '{name}'")
        if "tenant_id" not in map(_unquote, rest):
            raise MigrationRefused(f"table '{name}' needs the column tenant_id: its rows belong to a tenant")
        self.owned.add(name)

    def _check_index(self, name: str, tokens: list[str], rest: list[str]) -> None:
        self._require_prefix(name)
        if tokens[0] == "create":
            if rest[:1] != ["on"] or len(rest) < 2:
                raise MigrationRefused(f"the index '{name}' names no table")
            self._require_own(_unquote(rest[1]))

    def _check_rest(self, tokens: list[str], statement: str) -> None:
        for place, word in enumerate(tokens[1:], start=1):
            before = tokens[place - 1]
            after = _CHANGING.get(word, ("any",))
            # None: ALTER TABLE … DROP COLUMN, … ALTER COLUMN.
            is_allowed = tokens[0] == "alter" if after is None else after == ("any",) or before in after
            if not is_allowed:
                raise MigrationRefused(f"'{_shorten(statement)}' is refused: it contains {word.upper()}")
            if word == "references" and place + 1 < len(tokens):
                name = _unquote(tokens[place + 1])
                is_own = name in self.owned or (tokens[0] == "create" and name in map(_unquote, tokens[:6]))
                if not is_own and name != _TENANTS:
                    raise MigrationRefused(
                        f"'{_shorten(statement)}' is refused: it refers to table '{name}'; keep its ids without a "
                        "reference, because rows of the product are deleted and restored without asking plugins"
                    )

    def _require_prefix(self, name: str) -> None:
        fitting = max((prefix for prefix in self._prefixes if name.startswith(prefix)), key=len, default="")
        if fitting != f"{self._plugin}_":
            owner = f": that is a name of plugin '{fitting[:-1]}'" if fitting else ""
            raise MigrationRefused(f"'{name}' must begin with '{self._plugin}_'{owner}")

    def _require_own(self, name: str) -> None:
        if name not in self.owned:
            raise MigrationRefused(
                f"table '{name}' does not belong to plugin '{self._plugin}': it may change only tables that its "
                "migrations have created"
            )


def _read_tokens(statement: str) -> list[str]:
    """The words and signs of a statement in lower case, without comments; texts are `'`. Raises MigrationRefused."""
    tokens = []
    for found in _TOKEN.finditer(_PLACEHOLDER.sub("?", statement).rstrip().rstrip(";")):
        kind = found.lastgroup
        if kind == "name":
            tokens.append(found[0].lower())
        elif kind == "quoted":
            tokens.append('"' + found[0][1:-1])
        elif kind == "string":
            if "\\" in found[0]:
                raise MigrationRefused("a text of a migration's statement must be passed as a value: it contains '\\'")
            tokens.append("'")
        elif kind == "other":
            if found[0] in ";$'\"":
                raise MigrationRefused(f"'{_shorten(statement)}' is refused: pass one statement, and texts as values")
            tokens.append(found[0])
    return tokens


def _match_form(tokens: list[str]) -> tuple[str | None, list[str]]:
    for form, kind in _FORMS:
        rest = list(tokens)
        for word in form.split():
            optional = word.strip("[]")
            if rest and rest[0] == optional:
                rest.pop(0)
            elif optional == word:
                break
        else:
            return kind, rest
    return None, tokens


def _read_names(tokens: list[str], statement: str) -> tuple[list[str], list[str]]:
    """The name, or names divided by commas, at the start; and the tokens after them."""
    names = []
    rest = list(tokens)
    while rest and re.fullmatch(r'"?[A-Za-z_][\w$]*', rest[0]):
        names.append(_unquote(rest.pop(0)))
        if rest[:1] == ["."]:
            raise MigrationRefused(f"'{_shorten(statement)}' is refused: name tables without a schema")
        if rest[:1] != [","]:
            break
        rest.pop(0)
    if not names:
        raise MigrationRefused(f"'{_shorten(statement)}' is refused: no name of a table was found")
    return names, rest


def _unquote(token: str) -> str:
    return token.removeprefix('"')


def _shorten(statement: str) -> str:
    text = " ".join(statement.split())
    return text if len(text) <= 80 else text[:79] + "…"
