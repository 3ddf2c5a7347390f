"""Names that the plugin uses towards others: its own, the kinds of its events, and that of its passing facts."""

PLUGIN = "ai_analytics"
OBJECT, MOTION = "object", "motion"
BOXES = "boxes"
