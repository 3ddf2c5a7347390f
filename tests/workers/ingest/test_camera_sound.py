"""Cameras whose sound is described wrongly, silent, late or meant for talking back: the picture is as if there were
none, and the sound is heard or named."""

import asyncio
import io
import statistics
from dataclasses import replace

import av
import numpy
import pytest

from tests.cameras.faulty import SILENT_ALAW
from tests.cameras.odd_sound import SoundTrack, TracksCamera
from tests.workers.ingest.hearing import pitch_of
from tests.workers.ingest.watching import Watched, see, see_all, started, watch
from tests.workers.rtp.sent import Sent, send_sound
from workers.ffmpeg.fmp4 import InitSegment

pytestmark = pytest.mark.integration

MICROPHONE = SoundTrack(
    "audio", "audio 0 RTP/AVP 8", ("a=rtpmap:8 PCMA/8000",), 8, 8_000, [(0, SILENT_ALAW)], period=160
)
#: A loudspeaker of ONVIF's Profile T: the client sends. It has no fmtp for any of its types.
LOUDSPEAKER = SoundTrack(
    "back",
    f"audio 0 RTP/AVP 0 8 {' '.join(str(number) for number in range(97, 115))}",
    ("a=rtpmap:0 PCMU/8000", "a=rtpmap:97 mpeg4-generic/16000", "a=sendonly"),
)
METADATA = SoundTrack("meta", "application 0 RTP/AVP 107", ("a=rtpmap:107 vnd.onvif.metadata/90000",), 107)
PT = 97


def sound_track(sent: Sent, *, lines: tuple[str, ...] | None = None, seconds: float = 2) -> SoundTrack:
    """The track that a sender describes, or with other lines."""
    track = sent.track
    own = [f"a=rtpmap:{track.payload_type} {track.parameters['encoding']}/{track.clock_rate}/{track.channels}"]
    parameters = [f"{name}={value}" for name, value in track.parameters.items() if name != "encoding"]
    if parameters:
        own.append(f"a=fmtp:{track.payload_type} {';'.join(parameters)}")
    return SoundTrack(
        "audio",
        f"audio 0 RTP/AVP {track.payload_type}",
        tuple(own if lines is None else lines),
        track.payload_type,
        track.clock_rate,
        sent.packets,
        period=round(seconds * track.clock_rate),
    )


def assert_picture(watched: Watched, camera: TracksCamera, *, inits: int = 1) -> None:
    """The picture is complete, and its times are its own."""
    watched.assert_undisturbed(inits=inits)
    watched.assert_playable()
    pictures = watched.pictures()
    assert [number for number, _ in pictures] == list(range(pictures[0][0], pictures[0][0] + len(pictures)))
    late = [at - (camera._epoch + camera.due_seconds(number)) for number, at in pictures]
    assert abs(statistics.median(late)) < 0.1
    assert (camera.connections, camera.requests.count("TEARDOWN")) == (1, 1)


def hear(run: bytes) -> tuple[float, float]:
    """Seconds and pitch of the sound of a run, as it is decoded."""
    with av.open(io.BytesIO(run), format="mp4") as file:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
        frames = [out for frame in file.decode(audio=0) for out in resampler.resample(frame)]
    samples = numpy.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(float)
    return len(samples) / 16_000, pitch_of(samples, 16_000)


def first_seconds(camera: TracksCamera, watched: Watched) -> float:
    """From the camera's start to the first picture that is in a part."""
    return watched.pictures()[0][1] - camera._epoch


def test_talk_back_first_is_not_set_up_and_the_microphone_is_heard():
    camera = TracksCamera(LOUDSPEAKER, MICROPHONE, METADATA, None)
    with camera:
        watched = asyncio.run(see(camera.url, 60))
    assert_picture(watched, camera)
    assert sorted(camera.set_up) == ["audio", "video"]
    assert camera.requests.count("SETUP") == 2
    assert watched.source.audio.codec == "pcm_alaw"
    assert len(watched.of(InitSegment)[0].tracks) == 2


def test_a_microphone_that_never_speaks_delays_nothing():
    silent, without = TracksCamera(replace(MICROPHONE, packets=()), None), TracksCamera(None)

    async def test() -> list[Watched]:
        return await asyncio.gather(see(silent.url, 50), see(without.url, 50))

    with silent, without:
        found = asyncio.run(test())
    for camera, watched in zip((silent, without), found, strict=True):
        assert_picture(watched, camera)
        assert watched.source.audio is None
    assert first_seconds(silent, found[0]) == pytest.approx(first_seconds(without, found[1]), abs=1.0), "one group"


def test_a_microphone_that_speaks_late_is_heard_from_then_on_over_the_same_connection():
    camera = TracksCamera(replace(MICROPHONE, after_seconds=3.0), None)

    async def test() -> Watched:
        async with watch(camera.url) as watched:
            await watched.until(lambda: len(watched.of(InitSegment)) == 2, "the sound is put in")
            await watched.until_frames(watched.frames + 40)
        return watched

    with camera:
        watched = asyncio.run(test())
    assert_picture(watched, camera, inits=2)
    assert [len(init.tracks) for init in watched.of(InitSegment)] == [1, 2]
    assert watched.source.audio.codec == "pcm_alaw"


AAC, LATM = ("-c:a", "aac"), "-rtpflags latm"
G726 = ("-ar", "8000", "-c:a")
AAC_LINES = "streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3"
#: What is sent, the lines of the SDP (None: the right ones).
DESCRIPTIONS = {
    "AAC without a config": (AAC, "", (f"a=rtpmap:{PT} mpeg4-generic/16000", f"a=fmtp:{PT} {AAC_LINES}")),
    "AAC with the config of another payload type": (
        AAC,
        "",
        (f"a=rtpmap:{PT} MPEG4-GENERIC/16000", f"a=fmtp:104 {AAC_LINES};config=1408"),
    ),
    "AAC called Main": (AAC, "", (f"a=rtpmap:{PT} mpeg4-generic/16000/1", f"a=fmtp:{PT} {AAC_LINES};config=0c08")),
    "LATM with an empty config": (AAC, LATM, (f"a=rtpmap:{PT} MP4A-LATM/16000", f"a=fmtp:{PT} cpresent=0;config=")),
    "LATM with a config of one byte": (AAC, LATM, (f"a=rtpmap:{PT} MP4A-LATM/16000", f"a=fmtp:{PT} config=40")),
    "G726-16": ((*G726, "adpcm_g726le", "-b:a", "16k"), "", None),
    "G726-24": ((*G726, "adpcm_g726le", "-b:a", "24k"), "", None),
    "G726-32 packed as AAL2": ((*G726, "g726", "-b:a", "32k"), "", None),
    "G726-40": ((*G726, "adpcm_g726le", "-b:a", "40k"), "", None),
    "L16 of 16 kHz": (("-c:a", "pcm_s16be"), "", None),
    "PCMU of 16 kHz": (("-c:a", "pcm_mulaw"), "", None),
    "MPA": (("-c:a", "mp2"), "", None),
}


def test_sound_is_heard_however_it_is_described():
    cameras = [
        TracksCamera(None, sound_track(send_sound(*arguments, options=options), lines=lines))
        for arguments, options, lines in DESCRIPTIONS.values()
    ]

    async def listen(camera: TracksCamera) -> Watched:
        async with watch(camera.url) as watched:
            await watched.until(lambda: watched.frames and watched.source.audio is not None, "the sound is known")
            at = len(watched.of(InitSegment)) + 1 if len(watched.of(InitSegment)[-1].tracks) == 1 else 0
            if at:
                await watched.until(lambda: len(watched.of(InitSegment)) >= at, "the sound is put in")
            await watched.until_frames(watched.frames + 50)
        return watched

    async def test() -> list[Watched]:
        return await asyncio.gather(*map(listen, cameras))

    with started(cameras):
        found = asyncio.run(test())
    for name, camera, watched in zip(DESCRIPTIONS, cameras, found, strict=True):
        assert_picture(watched, camera, inits=len(watched.of(InitSegment)))
        assert len(watched.of(InitSegment)) <= 2, name
        seconds, pitch = hear(watched.runs()[-1])
        assert seconds > 1.0, name
        assert pitch == pytest.approx(440, abs=6), name


UNUSABLE = {
    "a codec that nobody knows": (("a=rtpmap:97 X-ACME/8000",), b"\x01" * 160, "without sound: the codec 'x-acme'"),
    "AAC without a config whose packets are none": (
        ("a=rtpmap:97 mpeg4-generic/16000/1", f"a=fmtp:97 {AAC_LINES}"),
        b"\xff\xfe\xfd" * 50,
        None,
    ),
    "LATM with an empty config whose packets are none": (
        ("a=rtpmap:97 MP4A-LATM/16000", "a=fmtp:97 cpresent=0;config="),
        b"\xff\xfe\xfd" * 50,
        None,
    ),
    "AAC whose packets are none": (
        ("a=rtpmap:97 mpeg4-generic/16000/1", f"a=fmtp:97 {AAC_LINES};config=1408"),
        bytes([0, 16, 0x0C, 0x80]) + b"\xa7" * 400,
        None,
    ),
    "Opus whose packets are none": (("a=rtpmap:97 opus/48000/2",), b"\xff" * 80, None),
}


def test_sound_that_cannot_be_decoded_is_left_out_and_costs_no_picture():
    cameras = [
        TracksCamera(SoundTrack("audio", "audio 0 RTP/AVP 97", lines, 97, 16_000, [(0, payload)], period=1024), None)
        for lines, payload, _ in UNUSABLE.values()
    ]
    for name, watched in zip(UNUSABLE, see_all(cameras, 100), strict=True):
        watched.assert_playable()
        numbers = [number for number, _ in watched.pictures()]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), name
        note = UNUSABLE[name][2]
        assert note is None or any(one.startswith(note) for one in watched.ingest.facts.notes), name
