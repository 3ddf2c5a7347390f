"""Each fault of a plugin that its author can make is named, with its place and what to do."""

import pytest

from gateway.hookspecs import Hooks
from gateway.plugin_kit.findings import ERROR, WARNING

OUTPUT = """
class Output(ConsumerOutput):
    name = "one"

    def wanted(self):
        return []

    def attach(self, device):
        return None


@hookimpl
def register_consumer_outputs():
    return [Output()]
"""


def test_a_plugin_that_is_right_has_no_findings(inspect):
    assert inspect(OUTPUT) == []


WRONG = [
    # its hooks
    ("@hookimpl\ndef on_segmnt(segment):\n    pass\n", "there is no hook 'on_segmnt'", "did you mean 'on_segment'?"),
    (
        "@hookimpl\ndef on_segment(segmnt):\n    pass\n",
        "'on_segment' has no argument 'segmnt'",
        "did you mean 'segment'?",
    ),
    ("def on_segment(segment):\n    pass\n\n\n" + OUTPUT, "'on_segment' is not called", "put '@hookimpl' above it"),
    ("x = 1\n", "it implements no hook", "mark a function with '@hookimpl'"),
    (
        "class One:\n    @hookimpl\n    def on_segment(self):\n        pass\n",
        "the hooks of the class 'One' are not called",
        "define create_plugin()",
    ),
    (
        "class One:\n    pass\n\n\ncreate_plugin = One\n\n\n@hookimpl\ndef on_segment():\n    pass\n",
        "'on_segment' is not called, because the module has create_plugin",
        "make it a method",
    ),
    ("def create_plugin(x):\n    pass\n", "create_plugin failed: TypeError", ""),
    ("@hookimpl\nasync def on_segment(segment):\n    pass\n", "'on_segment' is a coroutine", "a plain function"),
    ("@hookimpl(wrapper=True)\ndef on_segment(segment):\n    return (yield)\n", "is a wrapper", "without arguments"),
    # its start
    ("import nothing_of_the_kind\n", "No module named 'nothing_of_the_kind'", "install 'nothing_of_the_kind'"),
    ("1 / 0\n", "it cannot be imported: ZeroDivisionError", ""),
    ("raise SystemExit(3)\n", "it cannot be imported: SystemExit: 3", ""),
    ("def create_plugin():\n    raise OSError('no model file')\n", "create_plugin failed: OSError: no model file", ""),
    ("def create_plugin():\n    return None\n", "it implements no hook", ""),
    ("requires_plugin_api = '>=99'\n", "it needs version >=99 of the plugin API", "update VAS"),
    ("api_version = 0\n", "it needs version 0 of the plugin API", "update the plugin"),
    # outputs
    (OUTPUT.replace('name = "one"', 'name = ""'), "an output must have a 'name'", ""),
    (OUTPUT.replace('name = "one"', "name = 'hls_recorder'"), "there is another output 'hls_recorder'", ""),
    (OUTPUT.replace("return []", "return 7"), "'wanted' of the output 'one' must return a list", ""),
    (OUTPUT.replace("return []", "pass"), "'wanted' of the output 'one' must return a list", ""),
    (OUTPUT.replace("return []", "1 / 0"), "'wanted' of the output 'one' failed: ZeroDivisionError", ""),
    (OUTPUT.replace("[Output()]", "Output()"), "must return a list from register_consumer_outputs, not Output", ""),
    (OUTPUT.replace("[Output()]", "[Output]"), "'wanted' of the output 'one' failed: Type", ""),
    (OUTPUT.replace("def attach", "def attatch"), "failed in register_consumer_outputs", ""),
    # options
    ("@hookimpl\ndef register_options():\n    return [7]\n", "must return a list with one OptionSchemas", ""),
    ("@hookimpl\ndef register_options():\n    return 1 / 0\n", "options cannot be used: ZeroDivisionError", ""),
    # work
    ("@hookimpl\ndef register_jobs():\n    return [PluginJob('two.x', print, 'X')]\n", "must be like 'one.word'", ""),
    ("@hookimpl\ndef register_services():\n    return [PluginService('A b', print)]\n", "must be lower-case", ""),
    (
        "@hookimpl\ndef register_schedules():\n    return 2 * [PluginSchedule('a', 60, print)]\n",
        "registers two of the schedules 'a'",
        "",
    ),
    # what else it registers
    ("@hookimpl\ndef register_health_checks():\n    return [7]\n", "must return HealthCheck objects, not int", ""),
    (
        "@hookimpl\ndef register_health_checks():\n    return [HealthCheck('one', lambda: None)]\n",
        "'one' must return a ComponentHealth",
        "",
    ),
    ("@hookimpl\ndef register_detectors():\n    return [7]\n", "must return Detector objects, not int", ""),
    ("@hookimpl\ndef register_archives():\n    return [7]\n", "an archive must have a 'name'", ""),
    ("@hookimpl\ndef register_metrics():\n    return [7]\n", "Metric", ""),
    ("@hookimpl\ndef register_panels():\n    return [7]\n", "must return Panel objects, not int", ""),
    ("@hookimpl\ndef register_sources():\n    return [7]\n", "int", ""),
    ("@hookimpl\ndef register_blueprints():\n    return [7]\n", "its blueprint cannot be registered", ""),
]


@pytest.mark.parametrize(("code", "message", "remedy"), WRONG, ids=[message for _, message, _ in WRONG])
def test_a_fault_is_named_with_its_place_and_remedy(inspect, project, code, message, remedy):
    errors = [finding for finding in inspect(code) if finding.level == ERROR]
    found = next((finding for finding in errors if message in finding.message), None)
    assert found is not None, errors
    assert remedy in found.remedy
    if not any(word in message for word in ("version", "implements no hook", "hooks of the class", "TypeError")):
        assert found.file.endswith("vas_one.py")
        assert found.line > 7


MIGRATION = """
def create(run, types):
    run(f"CREATE TABLE {TABLE} (id {types.big_serial}, {TENANT} text TEXT)")


@hookimpl
def register_migrations():
    return [PluginMigration(NUMBER, "create", create)]
"""


def migration(table: str = "one_rows", tenant: str = "tenant_id {types.id} NOT NULL,", number: int = 1) -> str:
    return MIGRATION.replace("{TABLE}", table).replace("{TENANT}", tenant).replace("NUMBER", str(number))


@pytest.mark.parametrize(
    ("code", "level", "message"),
    [
        (migration(), None, None),
        (migration(table="rows"), ERROR, "migration 1_create failed"),
        (migration(table="one_rows ("), ERROR, "migration 1_create failed"),
        (migration(tenant=""), ERROR, "table 'one_rows' needs the column tenant_id"),
        (migration(number=0), ERROR, "must have a number from 1"),
        (migration(number=2), WARNING, "the numbers of its migrations are 2"),
    ],
)
def test_migrations_are_run_on_an_empty_database(inspect, code, level, message):
    findings = inspect(code)
    if level is None:
        assert findings == []
    else:
        (found,) = findings
        assert (found.level, message in found.message) == (level, True), found
        assert found.file.endswith("vas_one.py")


@pytest.mark.parametrize(
    ("code", "options", "message"),
    [
        (OUTPUT, {"head": "from gateway.plugin_api import *\nrequires_plugin_api = '>=1'\n"}, "no docstring"),
        (OUTPUT, {"head": '"""One."""\nfrom gateway.plugin_api import *\n'}, "it has no 'requires_plugin_api'"),
        ("@hookimpl\ndef on_segment(segment, plugin=None):\n    pass\n", {}, "'plugin' of 'on_segment' has a default"),
        ("@hookimpl\ndef on_segment(**values):\n    pass\n", {}, "'values' of 'on_segment' stays empty"),
        (
            "@hookimpl\ndef register_health_checks():\n    return [HealthCheck('one', lambda: 1 / 0)]\n",
            {},
            "the health check 'one' failed: ZeroDivisionError",
        ),
        (
            "@hookimpl\ndef register_metrics():\n    return [Metric('rings', 'gauge', 'Rings.', lambda: 1 / 0)]\n",
            {},
            "'read' of the metric 'vas_plugin_one_rings' failed: ZeroDivisionError",
        ),
    ],
)
def test_what_works_but_is_not_meant_so_is_a_warning(inspect, code, options, message):
    (found,) = inspect(code, **options)
    assert found.level == WARNING
    assert message in found.message


def test_a_class_with_state_is_checked_as_its_object(inspect):
    code = "class One:\n    @hookimpl\n    def on_segment(self, segmnt):\n        pass\n\n\ncreate_plugin = One\n"
    (found,) = inspect(code)
    assert found.message == "'on_segment' has no argument 'segmnt'"
    assert found.line == 9


def test_an_object_that_cannot_be_looked_at_is_named(inspect):
    (found,) = inspect("class One:\n    def __dir__(self):\n        1 / 0\n\n\ncreate_plugin = One\n")
    assert found.message == "the check failed: ZeroDivisionError: division by zero"
    assert found.line == 10


def test_hooks_after_one_that_failed_are_checked_too(inspect):
    code = OUTPUT + "\n\n@hookimpl\ndef register_detectors():\n    return [7]\n"
    messages = [finding.message for finding in inspect(code.replace("[Output()]", "1 / 0"))]
    assert any("register_consumer_outputs" in message for message in messages)
    assert any("Detector" in message for message in messages)


def test_a_hook_that_ends_with_the_next_major_version_is_a_warning(inspect, monkeypatch):
    ending = DeprecationWarning("'on_clip' ends with version 2.0: use 'on_event'")
    monkeypatch.setitem(Hooks.on_clip.vas_spec, "warn_on_impl", ending)
    (found,) = inspect("@hookimpl\ndef on_clip(clip):\n    pass\n")
    assert (found.level, found.message) == (WARNING, "'on_clip' ends with version 2.0: use 'on_event'")
    assert (found.file.endswith("vas_one.py"), found.line) == (True, 8)
