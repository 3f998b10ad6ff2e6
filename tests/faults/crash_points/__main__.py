"""Run crash points, and say how many of what was promised was broken: the exit status says whether any was."""

from __future__ import annotations

import argparse
import os
import random
import sys
import time


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="how many processes to kill")
    parser.add_argument("--seed", type=int, default=0, help="of a run that is to be repeated")
    parser.add_argument("--only", help="one scenario")
    parser.add_argument("--every-step", action="store_true", help="kill every scenario at each of its steps once")
    arguments = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.faults.crash_points.settings"
    import django

    django.setup()
    from tests.faults.crash_points.client import new_client
    from tests.faults.crash_points.runs import Runs

    new_client()  # here, so that no child has to load the model

    seed = arguments.seed or random.SystemRandom().randrange(1, 1 << 32)
    print(f"seed {seed}", flush=True)
    started_at = time.monotonic()
    runs = Runs(seed, only=arguments.only)
    with runs.world():
        while not runs.is_done(arguments.runs, is_every_step=arguments.every_step):
            runs.run()
        fragment_count = runs.look_deep()
    seconds = time.monotonic() - started_at
    for name, count in sorted(runs.killed.items()):
        total = runs.decks[name].step_count or "unknown"
        print(f"{name:20} killed {count:4} times, at {len(runs.seen[name]):3} of {total:3} steps")
    places = ", ".join(f"{name} {count}" for name, count in runs.places.most_common(25))
    print(f"killed before: {places}")
    print(
        f"{runs.killed.total()} processes killed in {seconds:.0f} s (seed {seed}), {runs.acknowledged} acknowledged; "
        f"{fragment_count} fragments read at the end; {len(runs.failures)} promises broken"
    )
    for failure in runs.failures:
        print(failure, file=sys.stderr)
    return 1 if runs.failures else 0


if __name__ == "__main__":
    sys.exit(main())
