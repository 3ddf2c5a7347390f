"""The descriptors of an `esds` box (ISO/IEC 14496-1, 7.2.6): what decodes a track of `mp4v` or `mp4a`."""

from dataclasses import dataclass

#: objectTypeIndication of JPEG (ISO/IEC 10918-1) and of MPEG-4 video.
JPEG, MPEG4_VIDEO = 0x6C, 0x20

_ES, _DECODER, _CONFIGURATION = 3, 4, 5


@dataclass(frozen=True, slots=True)
class DecoderDescription:
    """`object_type`: objectTypeIndication, 0 without one; `configuration`: DecoderSpecificInfo, empty without one."""

    object_type: int = 0
    configuration: bytes = b""


def parse_descriptors(descriptors: bytes) -> DecoderDescription:
    """What the content of an `esds` box says, after its version and flags."""
    at = object_type = 0
    fields = {_ES: 3, _DECODER: 13}
    while at + 2 <= len(descriptors):
        tag, size = descriptors[at], 0
        at += 1
        while at < len(descriptors):
            byte = descriptors[at]
            at += 1
            size = size << 7 | byte & 0x7F
            if not byte & 0x80:
                break
        if tag == _CONFIGURATION:
            return DecoderDescription(object_type, descriptors[at : at + size])
        if tag == _DECODER and at < len(descriptors):
            object_type = descriptors[at]
        # These two contain the next ones after fields of their own; others are skipped.
        at += fields.get(tag, size)
    return DecoderDescription(object_type)
