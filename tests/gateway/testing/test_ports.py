"""Ports given to a stack are used by no other, also while two suites run in parallel."""

from gateway.testing.ports import free_block, give_back, share_of


def test_parallel_suites_have_no_port_in_common():
    (first, middle), (_, last) = share_of("gw0"), share_of("gw1")
    assert first < middle == share_of("gw1")[0] < last


def test_rows_of_ports_do_not_overlap_and_suffice_for_several_stacks(monkeypatch):
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw1")
    rows = [(free_block(count), count) for count in (320, 2, 1) * 6]
    try:
        ports = [port for first, count in rows for port in range(first, first + count)]
        assert len(set(ports)) == len(ports)
        first, last = share_of("gw1")
        assert all(first <= port < last for port in ports)
    finally:
        for row in rows:
            give_back(*row)
