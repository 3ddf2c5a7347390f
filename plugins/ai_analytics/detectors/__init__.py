"""The detectors of this plugin, and the processes in which detectors run."""

from gateway.plugin_api import Config, Detector


def build_detectors(config: Config) -> list[Detector]:
    """The detectors that come with the plugin."""
    # Processes that analyse nothing need no arrays and pictures.
    from plugins.ai_analytics.detectors.http import HttpDetector
    from plugins.ai_analytics.detectors.objects import ObjectDetector

    return [ObjectDetector(), HttpDetector(config)]
