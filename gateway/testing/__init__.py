"""Fixtures of pytest for plugins: `pytest_plugins = ["gateway.testing"]` in your `conftest.py` or test file.

`plugin_trial` needs nothing but the packages of VAS; docs/plugins/testing.md describes all fixtures.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gateway.testing.fixtures import (
    demo_camera,
    migrated_database,
    plugin_trial,
    plugin_under_test,
    product_settings,
    running_product,
)

if TYPE_CHECKING:
    from gateway.testing.product import Product
    from gateway.testing.trial import PluginTrial
    from gateway.testing.work import JobCancelled

__all__ = [
    "JobCancelled",
    "PluginTrial",
    "Product",
    "demo_camera",
    "migrated_database",
    "plugin_trial",
    "plugin_under_test",
    "product_settings",
    "running_product",
]

#: Imported at their first use: a trial needs the whole web framework.
_MODULE_OF = {"JobCancelled": "work", "PluginTrial": "trial", "Product": "product"}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"'gateway.testing' has no name '{name}'")
    return getattr(import_module(f"gateway.testing.{_MODULE_OF[name]}"), name)
