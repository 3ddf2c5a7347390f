"""From RTP packets to access units with a capture time: order, depacketizing, parameter sets, clocks. Pure."""
