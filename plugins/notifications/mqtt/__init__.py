"""MQTT: states of devices as topics, discovery by Home Assistant, and switches."""
