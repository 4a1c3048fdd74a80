#!/usr/bin/env python3
"""False verdicts of the rollout policies simple and simple-literal: the table of docs/rollouts.md.

    simulate_simple_rollouts.py [RUNS]

Requests come one by one and succeed with the arm's true rate; 40,000 of them without an end count as stuck.
"""
import collections
import random
import sys

REQUESTS = 40_000
LOOK_EVERY = 20
ARM_ROWS = 100
CASES = [(0.97, 0.97), (0.96, 0.96), (0.94, 0.94), (0.97, 0.955), (0.97, 0.94), (0.99, 0.96), (0.97, 0.90)]


def verdict(candidate: float, champion: float) -> str:
    if candidate >= 0.95 and candidate >= 0.98 * champion:
        return "up"
    return "back" if candidate < 0.95 * champion else "wait"


def simple(champion_rate: float, candidate_rate: float, rng: random.Random) -> str:
    exposure, rows, wins, step = 0.05, [0, 0], [0, 0], 0
    for request in range(1, REQUESTS + 1):
        arm = int(rng.random() < exposure)
        rows[arm] += 1
        step += arm
        wins[arm] += rng.random() < (candidate_rate if arm else champion_rate)
        if request % LOOK_EVERY or min(rows[0], rows[1], step) < ARM_ROWS:
            continue
        said = verdict(wins[1] / rows[1], wins[0] / rows[0])
        if said == "back":
            return "rolled back"
        if said == "up":
            exposure, step = exposure + 0.1, 0
            if exposure >= 1 - 1e-9:
                return "promoted"
    return "stuck"


def literal(champion_rate: float, candidate_rate: float, rng: random.Random) -> str:
    exposure, last = 0.05, [collections.deque(maxlen=ARM_ROWS), collections.deque(maxlen=ARM_ROWS)]
    for _ in range(REQUESTS):
        arm = int(rng.random() < exposure)
        last[arm].append(rng.random() < (candidate_rate if arm else champion_rate))
        if len(last[1]) < ARM_ROWS:
            continue
        said = verdict(sum(last[1]) / ARM_ROWS, sum(last[0]) / ARM_ROWS)
        if said == "back":
            return "rolled back"
        if said == "up":
            exposure += 0.1
            if exposure >= 1 - 1e-9:
                return "promoted"
    return "stuck"


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    rng = random.Random(1)
    print("| champion / candidate | policy | promoted | rolled back | stuck |\n|---|---|---|---|---|")
    for champion_rate, candidate_rate in CASES:
        for policy in (simple, literal):
            ends = collections.Counter(policy(champion_rate, candidate_rate, rng) for _ in range(runs))
            cells = " | ".join(f"{100 * ends[end] / runs:.0f} %" for end in ("promoted", "rolled back", "stuck"))
            print(f"| {champion_rate} / {candidate_rate} | {policy.__name__} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
