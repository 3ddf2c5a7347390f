"""The domain of VAS and its REST API; knows no plugin and no worker."""

__version__ = "0.1.0"
