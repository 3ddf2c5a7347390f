"""The API's time-lapses."""
