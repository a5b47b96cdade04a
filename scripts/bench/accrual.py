"""Interest on one position in each market, step by step: growth of each step (float64, market by market) on stdin."""

import json
import sys
import time

import numpy as np

venues = int(sys.argv[1])
capital = float(sys.argv[2])
growth = np.ascontiguousarray(np.frombuffer(sys.stdin.buffer.read()).reshape(venues, -1).T)

times = []
for _ in range(5):
    start = time.perf_counter()
    held = np.full(venues, capital / venues)
    for step in growth:
        held = held + held * step
    times.append(time.perf_counter() - start)
print(json.dumps({"seconds": sorted(times)[2], "final": float(held.sum())}))
