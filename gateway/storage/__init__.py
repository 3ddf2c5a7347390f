"""Storage of footage: the local disk, retention, deletion, reconciliation and the capacity forecast."""
