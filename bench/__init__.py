"""Benches: what VAS costs, how quick it is and how soon it is back, beside a peer on the same cameras."""
