"""How long `assistant --help` takes: the median of ten starts of a fresh process. Aim: under 0.3 s.

Processor time is printed beside, since it says the same on a busy machine. Run as `python -m benchmarks.startup`.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time

AIM_SECONDS = 0.3
COMMANDS = (("--help",), ("rules", "--help"), ("--version",))


def seconds_of(arguments: tuple[str, ...]) -> tuple[float, float]:
    """Wall-clock and processor seconds of one start; fails loudly when the command does."""
    program = "import sys; sys.argv[0] = 'assistant'; from assistant.cli import main; main()"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", program, *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "100"},
    )
    took = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=10)
    arguments = parser.parse_args()
    for command in COMMANDS:
        seconds_of(command)  # the first start also reads the files from the disk
        took = [seconds_of(command) for _ in range(arguments.starts)]
        wall, processor = ([pair[index] for pair in took] for index in (0, 1))
        print(
            f"assistant {' '.join(command):12} {arguments.starts} starts: median {statistics.median(wall):.3f} s, "
            f"longest {max(wall):.3f} s (aim: under {AIM_SECONDS} s); processor {statistics.median(processor):.3f} s"
        )


if __name__ == "__main__":
    main()
