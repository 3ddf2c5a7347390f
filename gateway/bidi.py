"""Controls of the direction of text (UAX #9), which make a name look like another one.

`clip\\u202e4pm.exe` is shown as `clipexe.mp4`. They are removed from all text that people enter and from file names,
rather than refused: they are invisible, and come along when a name is copied from a document. Text in any script needs
none of them; its characters have a direction of their own.
"""

import re

_CONTROLS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def remove_bidi_controls(text: str) -> str:
    """The text without controls of its direction."""
    return _CONTROLS.sub("", text)
