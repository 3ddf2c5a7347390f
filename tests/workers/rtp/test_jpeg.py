"""JPEG from RTP: each picture is the file that the camera encoded, to the last coefficient."""

import io
import struct

import pytest
from PIL import Image

from tests.workers.rtp.feeds import Rig, Sender, video_track
from workers.rtp.jpeg_header import DQT, DRI, SOF0, SOS, read_segments


def picture(size: tuple[int, int] = (160, 128)) -> Image.Image:
    # Noise costs seconds in a large picture.
    image = Image.merge("RGB", [Image.effect_noise(min(size, (256, 256)), sigma) for sigma in (20, 40, 60)])
    return image.resize(size)


def jpeg(size=(160, 128), subsampling="4:2:0", quality=60, **options) -> bytes:
    data = io.BytesIO()
    picture(size).save(data, "JPEG", subsampling=subsampling, quality=quality, **options)
    return data.getvalue()


def scan_of(file: bytes) -> bytes:
    at = 2
    while file[at + 1] != SOS:
        at += 2 + int.from_bytes(file[at + 2 : at + 4], "big")
    return file[at + 2 + int.from_bytes(file[at + 2 : at + 4], "big") :]


def tables_of(file: bytes) -> bytes:
    data = b"".join(data for marker, data in read_segments(file, 2) if marker == DQT)
    return b"".join(data[at + 1 : at + 65] for at in range(0, len(data), 65))


def payloads(file: bytes, *, quality=255, kind=1, size=None, tables=None, chunk=900, repeat=True) -> list[bytes]:
    """RFC 2435."""
    segments = dict(read_segments(file, 2))
    height, width = struct.unpack_from(">HH", segments[SOF0], 1)
    width, height = size or (width, height)
    scan = scan_of(file)
    interval = segments.get(DRI)
    found = []
    for at in range(0, len(scan), chunk):
        head = bytes((0,)) + at.to_bytes(3, "big") + bytes((kind, quality, width // 8 & 0xFF, height // 8 & 0xFF))
        if interval:
            head += interval + b"\xff\xff"
        if at == 0 and quality >= 128:
            data = tables_of(file) if tables is None else tables
            head += struct.pack(">BBH", 0, 0, len(data)) + data
        found.append(head + scan[at : at + chunk])
    return found


def send(sender: Sender, parts: list[bytes], timestamp: int = 0) -> list[bytes]:
    return [sender.packet(part, timestamp, part is parts[-1]) for part in parts]


def jpeg_rig(**parameters: str) -> Rig:
    return Rig(video_track("mjpeg", parameters, 26))


def pixels(file: bytes) -> bytes:
    image = Image.open(io.BytesIO(file))
    image.load()
    return image.tobytes()


@pytest.mark.parametrize(
    ("kind", "subsampling", "options"),
    [
        (0, "4:2:2", {}),
        (1, "4:2:0", {}),
        (64, "4:2:2", {"restart_marker_blocks": 3}),
        (65, "4:2:0", {"restart_marker_blocks": 5}),
    ],
)
def test_each_type_with_tables_in_band_is_decoded_exactly(kind, subsampling, options):
    file = jpeg(subsampling=subsampling, **options)
    assert (DRI in dict(read_segments(file, 2))) == bool(options)
    unit = jpeg_rig().feed(send(Sender(26), payloads(file, kind=kind)))[0]
    assert pixels(unit.data) == pixels(file)
    assert unit.is_key
    data = unit.codec_data
    assert (data.codec, data.width, data.height) == ("mjpeg", 160, 128)
    assert data.pixel_format == ("yuvj422p" if kind % 2 == 0 else "yuvj420p")


@pytest.mark.parametrize("quality", [5, 49, 50, 75, 99])
def test_tables_are_computed_from_a_static_quality(quality):
    file = jpeg(quality=quality)
    assert pixels(jpeg_rig().feed(send(Sender(26), payloads(file, quality=quality)))[0].data) == pixels(file)


def test_tables_of_a_dynamic_quality_are_kept_for_later_pictures():
    file, sender, rig = jpeg(), Sender(26), jpeg_rig()
    packets = send(sender, payloads(file, quality=200))
    packets += send(sender, payloads(file, quality=200, tables=b""), 3600)
    packets += send(sender, payloads(file, quality=201, tables=b""), 7200)
    assert [pixels(unit.data) for unit in rig.feed(packets)] == [pixels(file)] * 2


def test_quantisation_values_of_sixteen_bits_are_taken():
    file = jpeg()
    parts = payloads(file)
    tables = b"".join(bytes((0, value)) for value in tables_of(file))
    parts[0] = parts[0][:8] + struct.pack(">BBH", 0, 3, 256) + tables + parts[0][8 + 4 + 128 :]
    data = jpeg_rig().feed(send(Sender(26), parts))[0].data
    assert [segment[0] >> 4 for marker, segment in read_segments(data, 2) if marker == DQT] == [1, 1]


@pytest.mark.parametrize(
    "parameters", [{"x-dimensions": "2592,1944"}, {"framesize": "26 2592-1944"}, {"width": "2592", "height": "1944"}]
)
@pytest.mark.parametrize("sent", [(0, 0), (2592, 1944)])
def test_a_size_that_does_not_fit_comes_from_the_sdp(parameters, sent):
    file = jpeg((2592, 1944))
    unit = jpeg_rig(**parameters).feed(send(Sender(26), payloads(file, size=sent)))[0]
    assert (unit.codec_data.width, unit.codec_data.height) == (2592, 1944)
    assert pixels(unit.data) == pixels(file)


def test_without_any_size_nothing_is_given():
    rig = jpeg_rig()
    assert not rig.feed(send(Sender(26), payloads(jpeg(), size=(0, 0))))
    assert rig.receiver.codec_data is None


def test_marker_segments_in_the_header_extension_count():
    file = jpeg((2560, 2056))
    segments = b"".join(
        bytes((0xFF, marker)) + (len(data) + 2).to_bytes(2, "big") + data
        for marker, data in read_segments(file, 2)
        if marker in (DQT, SOF0)
    )
    segments += b"\xff" * (-len(segments) % 4)
    extension = b"\xff\xd8" + (len(segments) // 4).to_bytes(2, "big") + segments
    packets = send(Sender(26), payloads(file, size=(0, 0), quality=1))
    packets[0] = bytes((packets[0][0] | 0x10,)) + packets[0][1:12] + extension + packets[0][12:]
    unit = jpeg_rig().feed(packets)[0]
    assert pixels(unit.data) == pixels(file)
    assert (unit.codec_data.width, unit.codec_data.height) == (2560, 2056)


def test_a_camera_that_sends_whole_files_is_understood():
    file = jpeg(subsampling="4:4:4")
    head = bytes(4) + bytes((1, 80, 20, 16))
    parts = [bytes((0, *at.to_bytes(3, "big"), 1, 80, 20, 16)) + file[at : at + 900] for at in range(0, len(file), 900)]
    assert parts[0][:8] == head
    unit = jpeg_rig().feed(send(Sender(26), parts))[0]
    assert unit.data == file
    assert unit.codec_data.pixel_format == "yuvj444p"


def test_a_picture_with_a_hole_is_dropped():
    file, sender, rig = jpeg(), Sender(26), jpeg_rig()
    packets = [packet for number in range(3) for packet in send(sender, payloads(file), number * 3600)]
    per_picture = len(packets) // 3
    assert len(rig.feed(packets[:per_picture] + packets[per_picture + 1 :])) == 2
    assert rig.receiver.damaged_units == 1
    without_losses = jpeg_rig()
    sender = Sender(26)
    parts = payloads(file)
    without_losses.feed(send(sender, parts[:2] + parts[3:]) + send(sender, parts, 3600))
    assert len(without_losses.units) == without_losses.receiver.damaged_units == 1


def test_sampling_that_the_standard_does_not_know_is_not_guessed():
    rig = jpeg_rig()
    assert not rig.feed(send(Sender(26), payloads(jpeg(), kind=3)))
    assert rig.receiver.damaged_units == 1
