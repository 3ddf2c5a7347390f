"""Installs the faulty plugin: a folder for PYTHONPATH with its entry point, and a file that orders faults."""

import json
import shutil
from pathlib import Path

_HERE = Path(__file__).parent
_METADATA = "Metadata-Version: 2.1\nName: vas-stranger\nVersion: 1.0\n"


class Stranger:
    """The installed plugin. `order` takes effect at once, in every process."""

    def __init__(self, folder: Path) -> None:
        self.site = folder / "site"
        self.orders = folder / "orders.json"
        information = self.site / "vas_stranger-1.0.dist-info"
        information.mkdir(parents=True)
        shutil.copy(_HERE / "faulty.py", self.site / "vas_stranger.py")
        (information / "METADATA").write_text(_METADATA)
        (information / "entry_points.txt").write_text("[gateway.plugins]\nstranger = vas_stranger\n")
        self.calm()

    def settings(self, root: Path) -> dict[str, str]:
        """The variables of a stack in which it is installed."""
        return {"pythonpath": f"{root}:{self.site}", "stranger_orders": str(self.orders)}

    def order(self, hook: str, fault: str, device_id: str | None = None) -> None:
        """Fail in a hook (`take`, `on_segment` …) from now on; for one device, or for all."""
        self._write({"hook": hook, "fault": fault, "device_id": device_id})

    def calm(self) -> None:
        """Do nothing wrong."""
        self._write({})

    def _write(self, order: dict) -> None:
        draft = self.orders.with_suffix(".new")
        draft.write_text(json.dumps(order))
        draft.replace(self.orders)
