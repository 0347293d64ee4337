"""CPU that TrainingJobs in one program cost, by their number: python -m benchmarks.training_jobs.

Under mocks, so that it is the program's own cost. Each size is a process of its own, started three
times; the figure is the lowest, since only noise adds to it. An exponent of 1 is proportional. Once
as the project's program runs, and once with Python's garbage collector, which the program turns off.
"""

import gc
import math
import subprocess
import sys
import time

from components import TeamNamespace, TrainingJob
from tests.mocks import deploy

SIZES = (200, 500, 1000, 2000)
REPEATS = 3


def cpu(jobs: int, *, collect: bool) -> float:
    """Seconds of CPU for a program with so many jobs, without the start of Python."""
    if not collect:
        gc.disable()

    def program() -> None:
        team = TeamNamespace("nlp", {"quota": {"pods": 10000}})
        for number in range(jobs):
            TrainingJob(f"job-{number}", {"team": team, "image": "trainer:v1"})

    before = time.process_time()
    deploy(program)
    return time.process_time() - before


def measured(jobs: int, mode: str) -> float:
    """The lowest of several processes."""
    command = [sys.executable, "-m", "benchmarks.training_jobs", str(jobs), mode]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(REPEATS)]
    return min(map(float, runs))


def main() -> None:
    """Print the figures."""
    for mode in ("program", "collector"):
        figures = {jobs: measured(jobs, mode) for jobs in SIZES}
        for jobs, seconds in figures.items():
            print(f"{mode}: {jobs:5} TrainingJobs: {seconds:6.2f} s CPU, {1000 * seconds / jobs:5.2f} ms each")
        first, last = SIZES[0], SIZES[-1]
        exponent = math.log(figures[last] / figures[first]) / math.log(last / first)
        print(f"{mode}: growth exponent from {first} to {last}: {exponent:.2f}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(cpu(int(sys.argv[1]), collect=sys.argv[2] == "collector"))
    else:
        main()
