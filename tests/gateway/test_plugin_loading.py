"""The parts of a plugin's context in a running product: folder, secrets, devices."""

import pytest

from gateway.plugin_context import PluginContext
from gateway.plugin_loading import build_parts, load_plugins, measure_folder
from gateway.secrets import SealBroken
from tests.factories import make_config, no_plugins


def context(tmp_path, name="one"):
    return PluginContext(name, make_config(var_dir=tmp_path), lambda one: build_parts(one, no_plugins()), lambda *_: [])


def test_a_plugins_folder_is_its_own_and_private(tmp_path):
    folder = context(tmp_path).folder
    assert folder == tmp_path / "plugins" / "one"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert context(tmp_path).folder == folder


def test_a_name_that_leads_elsewhere_gets_no_folder(tmp_path):
    with pytest.raises(ValueError, match="cannot be the name of a folder"):
        _ = context(tmp_path, "../other").folder


def test_a_plugins_secret_can_be_opened_by_it_alone_and_by_its_name(tmp_path):
    one, two = context(tmp_path), context(tmp_path, "two")
    sealed = one.secrets.seal("key", "s3")
    assert one.secrets.open(sealed, "s3") == "key"
    for plugin, name in ((one, "other"), (two, "s3")):
        with pytest.raises(SealBroken):
            plugin.secrets.open(sealed, name)


def test_the_installed_plugins_have_contexts(tmp_path):
    config = make_config(var_dir=tmp_path)
    manager = load_plugins(config)
    for name, _ in manager.list_name_plugin():
        assert manager.context_of(name).config is config


def test_a_folder_is_measured_up_to_a_number_of_files(tmp_path, monkeypatch):
    config = make_config(var_dir=tmp_path)
    assert measure_folder(config, "one") is None
    assert measure_folder(config, "../one") is None
    folder = context(tmp_path).folder
    (folder / "sub").mkdir()
    (folder / "sub" / "a").write_bytes(bytes(10))
    (folder / "b").symlink_to("/etc/passwd")
    assert measure_folder(config, "one") == 10
    monkeypatch.setattr("gateway.plugin_loading._MOST_FILES", 2)
    assert measure_folder(config, "one") is None
