"""The clock strip: both readers read what the cameras draw, and nothing else passes for a clock."""

import importlib.util
import io
import json
import subprocess
from pathlib import Path

import numpy
import pytest
from PIL import Image

from .clock import ClockReading, decode_levels, read_clock, read_clock_of_file

DEMO = Path(__file__).parents[2] / "deploy" / "demo"
READINGS = [ClockReading(0, 0), ClockReading(1_767_225_600_123, 41), ClockReading((1 << 42) - 1, 16383)]


def _load_clock_strip():
    spec = importlib.util.spec_from_file_location("clock_strip", DEMO / "clock_strip.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


strip = _load_clock_strip()


def _build_levels(reading: ClockReading) -> list[int]:
    return [230 if bit else 18 for bit in strip.build_bits(reading.time_ms, reading.frame)]


def _draw(reading: ClockReading, width: int, height: int) -> numpy.ndarray:
    picture = numpy.full((height, width), 120, numpy.uint8)
    blocks = strip.build_blocks(width, height)
    for level, (left, top, wide, tall) in zip(_build_levels(reading), blocks, strict=True):
        picture[top : top + tall, left : left + wide] = level
    return picture


@pytest.mark.parametrize("reading", READINGS)
def test_an_encoded_reading_is_decoded(reading):
    assert decode_levels(_build_levels(reading)) == reading


def test_the_frame_number_wraps():
    assert decode_levels([bit * 255 for bit in strip.build_bits(5, 16384 + 3)]) == ClockReading(5, 3)


@pytest.mark.parametrize("broken", range(64))
def test_one_wrong_block_is_detected(broken):
    levels = _build_levels(READINGS[1])
    levels[broken] = 248 - levels[broken]
    assert decode_levels(levels) is None


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_uniform_picture_is_not_a_clock(level):
    assert decode_levels([level] * 64) is None


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (960, 540), (854, 480), (640, 360), (320, 180)])
def test_a_picture_of_any_size_is_read(size):
    assert read_clock(_draw(READINGS[1], *size)) == READINGS[1]


def test_grey_rgb_rgba_and_plain_bytes_are_read():
    grey = _draw(READINGS[1], 640, 360)
    rgb = numpy.stack([grey] * 3, axis=-1)
    rgba = numpy.dstack([rgb, numpy.full_like(grey, 255)])
    pictures = [read_clock(grey), read_clock(rgb), read_clock(rgba), read_clock(grey.tobytes(), 640, 360)]
    assert pictures == [READINGS[1]] * 4


def test_a_view_of_a_larger_array_is_read():
    wide = numpy.hstack([_draw(READINGS[1], 640, 360)] * 2)
    assert read_clock(wide[:, :640]) == READINGS[1]


def test_the_page_reads_the_same_as_python():
    program = f"""
        require('node:vm').runInThisContext(require('node:fs').readFileSync({json.dumps(str(Path(__file__).parent))}
          + '/clock.js', 'utf8'));
        const levels = JSON.parse(process.argv[1]);
        console.log(JSON.stringify(levels.map((one) => {{
          const pixels = new Uint8ClampedArray(256 * 16 * 4);
          for (let y = 0; y < 16; y += 1) for (let x = 0; x < 256; x += 1)
            pixels.fill(one[(y >> 3) * 32 + (x >> 3)], (y * 256 + x) * 4, (y * 256 + x) * 4 + 4);
          return cameraClock.decodePixels(pixels);
        }})));
    """
    wrong = [*_build_levels(READINGS[1])[:-1], 128]
    levels = [*[_build_levels(reading) for reading in READINGS], [0] * 64, wrong]
    done = subprocess.run(["node", "-e", program, json.dumps(levels)], capture_output=True, text=True, check=True)
    expected = [decode_levels(one) for one in levels]
    assert json.loads(done.stdout) == [one and {"timeMs": one.time_ms, "frame": one.frame} for one in expected]


@pytest.mark.parametrize(
    ("kind", "size"), [("JPEG", (640, 360)), ("JPEG", (320, 180)), ("PNG", (1280, 720)), ("WEBP", (480, 270))]
)
def test_a_stored_or_scaled_picture_keeps_its_clock(kind, size):
    file = io.BytesIO()
    Image.fromarray(_draw(READINGS[1], 1280, 720)).resize(size).convert("RGB").save(file, kind)
    assert read_clock_of_file(file.getvalue()) == READINGS[1]


def test_a_picture_without_a_clock_has_no_reading():
    file = io.BytesIO()
    Image.new("RGB", (320, 180), "grey").save(file, "JPEG")
    assert read_clock_of_file(file.getvalue()) is None
