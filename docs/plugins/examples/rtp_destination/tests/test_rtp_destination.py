"""The arguments of the output's FFmpeg, and its options."""

from dataclasses import replace

import marshmallow as ma
import pytest

from gateway.plugin_api import OutputMode, SourceInfo, VideoInfo


def test_video_is_sent_to_the_address_of_the_device(plugin_trial):
    plugin_trial.set_options({"address": "192.0.2.9:5004"}, device_id=plugin_trial.device.id)
    found = plugin_trial.attach_direct()
    assert found.arguments[-1] == "rtp://192.0.2.9:5004?pkt_size=1200"
    assert ("copy" in found.arguments, found.mode) == (True, OutputMode.COPY)


def test_nothing_is_sent_without_an_address(plugin_trial):
    assert plugin_trial.attach_direct().arguments == ()


def test_a_new_address_counts_at_once(plugin_trial):
    device_id = plugin_trial.device.id
    plugin_trial.attach_direct()
    (output,) = plugin_trial.direct_outputs()
    assert output.check(device_id) is None
    plugin_trial.set_options({"address": "[2001:db8::1]:5004"}, device_id=device_id)
    assert output.check(device_id) == "options_changed"
    plugin_trial.attach_direct()
    assert output.check(device_id) is None
    assert output.figures(device_id) == {"address": "[2001:db8::1]:5004"}


def test_what_rtp_receivers_do_not_know_is_encoded(plugin_trial):
    plugin_trial.set_options({"address": "192.0.2.9:5004"})
    found = plugin_trial.attach_direct(source=replace(SourceInfo(), video=VideoInfo("mjpeg", 640, 480)))
    assert ("libx264" in found.arguments, found.mode) == (True, OutputMode.TRANSCODE)


@pytest.mark.parametrize("address", ["somewhere", "host:0", "host:70000", "host:5004?x=1", "a b:5004"])
def test_other_texts_are_no_address(plugin_trial, address):
    with pytest.raises(ma.ValidationError, match="HOST:PORT"):
        plugin_trial.set_options({"address": address})
