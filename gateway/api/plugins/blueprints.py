"""The blueprints of plugins: a view that fails is answered with 500 and named, one that ends its thread does not."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, request

from gateway.api.base import Api
from gateway.config import Config
from gateway.errors import Unavailable, VasError
from gateway.isolation.guard import GUARD
from gateway.plugin_manager import PluginManager, collect_named

logger = logging.getLogger(__name__)


class ViewFailed(RuntimeError):
    """A plugin's view raised what ends a thread or process, such as SystemExit."""


def add_plugin_blueprints(app: Flask, api: Api, plugins: PluginManager, config: Config) -> None:
    """Register the blueprints of all plugins; one that cannot be registered sets its plugin aside."""
    for plugin, blueprint in collect_named(plugins, "register_blueprints", config=config):
        known = set(app.view_functions)
        try:
            api.add_checked(blueprint)
        except Exception as error:
            logger.debug("the blueprint of plugin '%s' is refused", plugin, exc_info=error)
            plugins.disable(plugin, f"its blueprint cannot be registered: {error}")
        for endpoint in set(app.view_functions) - known:
            app.view_functions[endpoint] = _contain(plugin, app.view_functions[endpoint])


def _contain(plugin: str, view: Callable[..., Any]) -> Callable[..., Any]:
    step = "a view"

    @wraps(view)
    def contained(*values: Any, **names: Any) -> Any:
        if (aside := GUARD.aside(plugin)) is not None:
            raise Unavailable(f"plugin '{plugin}' is set aside: {aside.describe()}", reason="plugin_failed")
        try:
            with GUARD.inside(plugin, step):
                return view(*values, **names)
        except VasError:
            raise
        except Exception as error:
            if not hasattr(error, "code"):
                logger.warning("plugin '%s' failed at %s %s", plugin, request.method, request.endpoint)
            raise
        except BaseException as error:
            logger.warning("plugin '%s' failed at %s %s", plugin, request.method, request.endpoint)
            raise ViewFailed(f"it raised {type(error).__name__}") from error

    return contained
