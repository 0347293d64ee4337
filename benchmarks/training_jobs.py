"""CPU time of a program with many TrainingJobs: python -m benchmarks.training_jobs.

Pulumi is mocked, so that only the program's own time counts. Each size runs in a process of its own, three
times; the lowest time counts, since noise only adds to it. A growth exponent of 1 is proportional. There are
two modes: "program" disables Python's garbage collector, as the project's program does; "collector" does not.
"""

import gc
import math
import subprocess
import sys
import time
from collections.abc import Mapping

from components import TeamNamespace, TrainingJob
from tests.mocks import deploy

SIZES = (200, 500, 1000, 2000)
REPEATS = 3
MODES = ("program", "collector")


def cpu_seconds(jobs: int, mode: str) -> float:
    """CPU seconds of a program with a number of TrainingJobs, without the start of Python."""
    if mode == "program":
        gc.disable()

    def program() -> None:
        team = TeamNamespace("nlp", {"quota": {"pods": 10000}})
        for number in range(jobs):
            TrainingJob(f"job-{number}", {"team": team, "image": "trainer:v1"})

    before = time.process_time()
    deploy(program)
    return time.process_time() - before


def lowest(jobs: int, mode: str) -> float:
    """The lowest CPU seconds of several processes."""
    command = [sys.executable, "-m", "benchmarks.training_jobs", str(jobs), mode]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(REPEATS)]
    return min(map(float, runs))


def growth_exponent(seconds: Mapping[int, float]) -> float:
    """The exponent of the growth from the first size to the last."""
    first, *_, last = seconds
    return math.log(seconds[last] / seconds[first]) / math.log(last / first)


def main() -> None:
    """Measure and print all sizes in both modes."""
    for mode in MODES:
        seconds = {jobs: lowest(jobs, mode) for jobs in SIZES}
        for jobs, cpu in seconds.items():
            print(f"{mode}: {jobs:5} TrainingJobs: {cpu:6.2f} s CPU, {1000 * cpu / jobs:5.2f} ms each")
        exponent = growth_exponent(seconds)
        print(f"{mode}: growth exponent from {SIZES[0]} to {SIZES[-1]}: {exponent:.2f}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(cpu_seconds(int(sys.argv[1]), sys.argv[2]))
    else:
        main()
